"""A glance: a small question answered at once, in the caller's thread."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from radius_policy.model import Host, HostId, TenantId
from radius_policy.store import open_store
from radius_policy.store.interface import Glancing, Reading, Store, StoreUnavailable

pytestmark = pytest.mark.anyio
TENANT = TenantId(1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store("memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/p.db", migrate=True)
    yield opened
    await opened.close()


def hosts(reading: Reading) -> int:
    return reading.count(Host, tenant=TENANT)


async def test_it_sees_what_is_written_also_while_another_one_writes(store: Store) -> None:
    assert isinstance(store, Glancing)
    assert store.glance(hosts) == 0
    await store.write(lambda tx: tx.put(Host(TENANT, HostId("a"), "pc1")))
    assert store.glance(hosts) == 1

    def write(tx) -> int:
        tx.put(Host(TENANT, HostId("b"), "pc2"))
        return store.glance(hosts)

    if not hasattr(store, "transaction"):  # in memory nobody writes beside anybody
        assert await store.write(write) == 1, "what is not committed is not seen, and not waited for"
    assert await store.read(hosts) == store.glance(hosts)


async def test_an_error_of_the_question_is_the_askers(store: Store) -> None:
    def fails(reading: Reading) -> None:
        raise KeyError("mine")

    assert isinstance(store, Glancing)
    with pytest.raises(KeyError, match="mine"):
        store.glance(fails)
    assert store.glance(hosts) == 0


async def test_a_closed_store_says_so(store: Store) -> None:
    assert isinstance(store, Glancing)
    await store.close()
    with pytest.raises(StoreUnavailable):
        store.glance(hosts)

"""The rehearsal of a move: it goes the whole way, leaves nothing, and says so when it does not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.radius_process import rehearsal as radius_rehearsal
from api.radius_process.rehearsal import RehearsalFailed, read_profiles, rehearse
from api.start import Undone
from radius_policy.model import Event, Host, MacAccess, Nas, Order, Session, TenantId
from radius_policy.nas import profile as profiles
from radius_policy.radius.snapshot import Delta, Snapshot
from radius_policy.store import open_store
from radius_policy.store.interface import Store

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


async def test_a_move_is_confirmed_and_nothing_of_it_stays(store: Store) -> None:
    before = await store.read(lambda reading: reading.last_change())
    with pytest.raises(Undone):
        await store.write(lambda tx: rehearse(tx, TENANT, now=1_000))
    for kind in (Host, Nas, Session, Order, MacAccess, Event):
        assert await store.read(lambda reading, kind=kind: reading.count(kind, tenant=TENANT)) == 0
    assert await store.read(lambda reading: reading.last_change()) == before


async def test_a_move_that_does_not_come_to_its_end_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radius_rehearsal._Scene, "switch_asks", lambda scene, session: None)
    monkeypatch.setattr(radius_rehearsal._Scene, "switch_accounts", lambda scene, status, session, mark: None)
    with pytest.raises(RehearsalFailed, match="ended acknowledged"):
        await store.write(lambda tx: rehearse(tx, TENANT, now=1_000))


async def test_the_profiles_of_known_switches_are_read_and_a_missing_one_is_left_to_its_orders() -> None:
    profiles.load.cache_clear()
    snapshot = Snapshot()
    snapshot.apply(
        Delta(
            1,
            nas={
                (TENANT, name): Nas(TENANT, name, "10.0.0.1", b"secret", profile=name) for name in ("generic", "nosuch")
            },
        )
    )
    read_profiles(snapshot)
    before = profiles.load.cache_info().misses
    profiles.load("generic")
    assert profiles.load.cache_info().misses == before

"""What the store in memory does besides the contract: it is the backtest's engine, so it has a way without a loop."""

import time

import pytest

from radius_policy.model import Execution, HostId, Sha256, TenantId
from radius_policy.store.interface import StoreUnavailable
from radius_policy.store.memory import MemoryStore

SITE = TenantId(1)


def start(number: int, host: int = 0) -> Execution:
    return Execution(SITE, f"e{number}", HostId(f"h{host}"), Sha256("a" * 64), "/x", 1, number, number)


class Regret(Exception):
    pass


def test_a_transaction_without_a_loop_is_kept_or_undone() -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        tx.put(start(1))

    def regretted() -> None:
        with store.transaction() as tx:
            tx.put(start(1, host=9), start(2))
            raise Regret

    with pytest.raises(Regret):
        regretted()
    assert store.reading().find(Execution, tenant=SITE) == [start(1)]


def test_a_transaction_within_a_transaction_is_a_mistake() -> None:
    store = MemoryStore()
    with store.transaction(), pytest.raises(RuntimeError, match="another transaction"), store.transaction():
        pass
    with store.transaction() as tx:
        tx.put(start(1))
    assert store.reading().count(Execution) == 1


@pytest.mark.anyio
async def test_a_closed_store_begins_no_transaction() -> None:
    store = MemoryStore()
    await store.close()
    with pytest.raises(StoreUnavailable), store.transaction():
        pass


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_an_index_made_late_knows_what_was_there_before_and_what_comes() -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        tx.put(*(start(number, host=number % 3) for number in range(9)))
        assert [one.id for one in tx.find(Execution, tenant=SITE, host_id="h1", order="started")] == ["e1", "e4", "e7"]
        assert len(tx.find(Execution, host_id="h1", tenant=SITE)) == 3
        tx.put(start(4, host=2), start(10, host=1))
        tx.delete(Execution, tenant=SITE, id="e1")
        assert [one.id for one in tx.find(Execution, tenant=SITE, host_id="h1", order="started")] == ["e7", "e10"]
        assert {one.id for one in tx.find(Execution, host_id="h1", tenant=SITE)} == {"e7", "e10"}


def test_the_change_sequence_is_bounded_and_its_numbers_go_on() -> None:
    store = MemoryStore(keep_changes=10)
    for number in range(100):
        with store.transaction() as tx:
            tx.note(SITE, "order", str(number))
    changes = store.reading().changes_since(0)
    assert 10 <= len(changes) <= 20
    assert changes[-1].sequence == store.reading().last_change() == 100
    assert store.reading().first_change() == changes[0].sequence
    assert [change.key for change in store.reading().changes_since(97)] == ["97", "98", "99"]


@pytest.mark.slow
def test_it_is_quick_enough_to_be_the_backtest() -> None:
    """20,000 events a second with ten operations each are 5 us for one; a tenth of a machine under load passes."""
    store = MemoryStore()
    records = [start(number, host=number % 1000) for number in range(20_000)]
    begun = time.process_time()
    with store.transaction() as tx:
        for record in records:
            tx.put(record)
            tx.get(Execution, SITE, record.id)
            tx.find(Execution, tenant=SITE, host_id=record.host_id, order="started", descending=True, limit=1)
    assert (time.process_time() - begun) / (3 * len(records)) < 30e-6

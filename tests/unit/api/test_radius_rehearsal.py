"""The rehearsal of the RADIUS process plays a whole move and leaves nothing."""

import pytest

from api.radius_rehearsal import read_profiles, rehearse
from api.start import Undone
from radius_policy.model import Event, Nas, Order, OrderState, Session, TenantId
from radius_policy.snapshot import Delta, Snapshot
from radius_policy.store.interface import Tx
from radius_policy.store.memory import MemoryStore
from radius_policy.store.schema import RECORDS

TENANT = TenantId(1)


def test_it_plays_a_move_from_its_order_to_its_proof() -> None:
    store, seen = MemoryStore(), []

    def play(tx: Tx) -> None:
        try:
            rehearse(tx, TENANT, now=1_000_000)
        finally:
            seen.extend([tx.find(Order, tenant=TENANT), tx.find(Event, tenant=TENANT), tx.find(Session, tenant=TENANT)])

    with pytest.raises(Undone), store.transaction() as tx:
        play(tx)
    [order], [event], sessions = seen
    assert order.state is OrderState.CONFIRMED
    assert event.kind == "move_confirmed"
    assert {session.session: session.ended is None for session in sessions} == {b"1": False, b"2": True}


def test_it_leaves_nothing_behind() -> None:
    store = MemoryStore()
    with pytest.raises(Undone), store.transaction() as tx:
        rehearse(tx, TENANT, now=1_000_000)
    reading = store.reading()
    assert not any(reading.count(record.kind, tenant=TENANT) for record in RECORDS.values())
    assert reading.last_change() == 0


def test_a_profile_that_is_gone_is_told_with_its_first_order_and_not_here() -> None:
    snapshot = Snapshot()
    snapshot.apply(Delta(1, nas={(TENANT, "sw1"): Nas(TENANT, "sw1", "192.0.2.7", b"secret", profile="gone")}))
    read_profiles(snapshot)

"""A host's standing: idempotent, one generation per change, the strictest access for a shared MAC, orders with it."""

from dataclasses import replace

import pytest

from radius_policy import judgement
from radius_policy.model import (
    Access,
    Host,
    HostId,
    Mac,
    MacAccess,
    MacBinding,
    OrderState,
    Posture,
    Session,
)
from tests.world import T, World

DOCK = Mac("02:00:00:00:00:99")


@pytest.fixture
def world() -> World:
    return World()


def test_refreshing_again_changes_nothing_and_notes_nothing(world: World) -> None:
    host = world.host("pc")
    before, last = world.state("pc"), world.store.reading().last_change()
    with world.store.transaction() as tx:
        assert judgement.refresh(tx, T, host, now=world.now + 99, policy=world.policy) == before
    assert world.store.reading().last_change() == last


def test_generations_of_a_tenant_only_rise(world: World) -> None:
    world.host("a"), world.host("b")
    seen = [world.state("a").generation, world.state("b").generation]
    world.start("a", "N")
    seen.append(world.state("a").generation)
    world.allow("N")
    seen.append(world.state("a").generation)
    assert seen == sorted(set(seen))


def test_a_host_without_any_source_is_unmonitored(world: World) -> None:
    world.put(Host(T, HostId("printer"), "printer"))
    with world.store.transaction() as tx:
        state = judgement.refresh(tx, T, HostId("printer"), now=world.now, policy=world.policy)
    assert (state.posture, state.access) == (Posture.UNMONITORED, Access.PRODUCTION)


def test_while_one_endpoint_of_a_shared_mac_has_a_reason_the_strictest_access_holds(world: World) -> None:
    for name in ("a", "b"):
        host = world.host(name)
        world.put(MacBinding(T, DOCK, host, world.now, world.now))
        with world.store.transaction() as tx:
            judgement.refresh(tx, T, host, now=world.now, policy=world.policy)
    world.start("a", "N")
    row = _row(world)
    assert (row.access, row.host_id) == (Access.REMEDIATION, "a")
    with world.store.transaction() as tx:
        judgement.refresh(tx, T, HostId("b"), now=world.now, policy=world.policy)
    assert _row(world).access is Access.REMEDIATION
    moved = _row(world).generation
    world.allow("N")
    assert _row(world).access is Access.PRODUCTION
    assert _row(world).generation > moved


def _row(world: World) -> MacAccess:
    row = world.store.reading().get(MacAccess, T, DOCK)
    assert row is not None
    return row


def test_two_sessions_get_two_orders_and_none_means_waiting(world: World) -> None:
    world.host("pc")
    mac = world.store.reading().find(MacBinding, tenant=T, host_id=HostId("pc"))[0].mac
    world.put(Session(T, "wifi", b"w1", mac, started=world.now, access=Access.PRODUCTION))
    decision = world.start("pc", "N")
    assert [order.state for order in decision.orders] == [OrderState.PLANNED] * 2
    world.host("away")
    away = world.store.reading().find(Session, tenant=T, nas_id="nas", session=b"away")[0]
    world.put(replace(away, ended=world.now))
    assert [order.state for order in world.start("away", "M").orders] == [OrderState.WAITING_FOR_SESSION]


def test_a_mac_that_was_a_guest_is_brought_to_production_when_its_endpoint_proves_it(world: World) -> None:
    world.put(
        Host(T, HostId("new"), "new", public_key=b"k" * 32),
        MacBinding(T, DOCK, HostId("new"), world.now, world.now),
        Session(T, "nas", b"guest", DOCK, started=world.now, access=Access.GUEST, generation=0),
    )
    with world.store.transaction() as tx:
        judgement.refresh(tx, T, HostId("new"), now=world.now, policy=world.policy)
    (order,) = world.orders()
    assert (order.access, order.tightens) == (Access.PRODUCTION, False)

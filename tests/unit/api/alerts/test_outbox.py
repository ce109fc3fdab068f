"""The outbox: events and cursor move together, and what is due comes in order."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.alerts import outbox
from api.alerts.routes import DEFAULT_ROUTES, Hours
from radius_policy.model import DEFAULT_TENANT, SECOND, Cursor, Delivery, EventKind, Joined, Severity, TenantId

PLAN = outbox.Plan(DEFAULT_ROUTES, Hours(), ZoneInfo("Europe/Berlin"))
T = DEFAULT_TENANT


def route(office: Any, now: int) -> outbox.Routed:
    with office.store.transaction() as tx:
        return outbox.route_new(tx, T, PLAN, now)


def test_an_event_becomes_one_message_and_the_cursor_stands_behind_it(office: Any, clock: Any) -> None:
    office.runs(1)
    assert route(office, clock.now) == outbox.Routed(events=1, messages=1)
    reading = office.store.reading()
    assert reading.get(Cursor, T, "alerts").sequence == reading.last_change()
    assert route(office, clock.now) == outbox.Routed()


def test_a_transaction_that_fails_moves_neither(office: Any, clock: Any) -> None:
    office.runs(1)

    def fails() -> None:
        with office.store.transaction() as tx:
            outbox.route_new(tx, T, PLAN, clock.now)
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        fails()
    assert office.store.reading().count(Delivery, tenant=T) == 0
    assert route(office, clock.now).messages == 1


def test_a_long_backlog_is_routed_in_batches(office: Any, clock: Any) -> None:
    for number in range(outbox.BATCH + 10):
        office.runs(number)
    first, second = route(office, clock.now), route(office, clock.now)
    assert (first.events, first.more) == (outbox.BATCH, True)
    assert (second.events, second.more) == (10, False)
    reading = office.store.reading()
    assert reading.count(Joined, tenant=T) == outbox.BATCH + 10


def test_the_events_of_a_message_keep_their_order_over_batches(office: Any, clock: Any) -> None:
    for number in range(1200):
        office.runs(number)
    while route(office, clock.now).more:
        pass
    [message] = office.store.reading().find(Delivery, tenant=T)
    events = outbox.events_of(office.store.reading(), message)
    assert [event.host_id for event in events] == [f"host-{number:04}" for number in range(1200)]


def test_events_of_another_tenant_are_not_ours(office: Any, clock: Any) -> None:
    office.runs(1)
    with office.store.transaction() as tx:
        assert outbox.route_new(tx, TenantId(2), PLAN, clock.now).events == 0


def test_changes_that_are_no_events_need_no_writing(office: Any) -> None:
    with office.store.transaction() as tx:
        tx.note(T, "host", "h1")
    found, looked = outbox.news(office.store.reading(), T, 0)
    assert (found, looked) == (False, office.store.reading().last_change())
    office.runs(1)
    assert outbox.news(office.store.reading(), T, looked)[0]


def test_a_run_outside_working_hours_is_a_message_of_its_own(office: Any) -> None:
    friday_1755 = 1_795_193_700 * SECOND
    office.runs(1, at=friday_1755)
    route(office, friday_1755)
    office.runs(2, at=friday_1755 + 360 * SECOND)
    assert route(office, friday_1755 + 360 * SECOND).messages == 1
    due = office.store.reading().find(Delivery, tenant=T, order="not_before")
    assert [message.kind for message in due] == [EventKind.UNKNOWN_RAN] * 2
    assert due[1].not_before - due[1].opened < SECOND


HELD = {"kind": EventKind.HELD}
MINUTE = 60 * SECOND


def messages(office: Any) -> list[Delivery]:
    found: list[Delivery] = office.store.reading().find(Delivery, tenant=T, order="not_before")
    return found


def test_further_hosts_of_a_rule_that_moves_nobody_join_one_update_and_open_no_message(office: Any, clock: Any) -> None:
    office.runs(1, **HELD)
    route(office, clock.now)
    for number in range(2, 30):
        clock.now += 10 * SECOND
        office.runs(number, at=clock.now, severity=Severity.INFO, **HELD)
        route(office, clock.now)
    first, update = messages(office)
    assert update.not_before == first.opened + 10 * MINUTE
    assert len(outbox.events_of(office.store.reading(), update)) == 28
    clock.now += 60 * MINUTE
    office.runs(30, at=clock.now, severity=Severity.INFO, **HELD)
    assert route(office, clock.now).messages == 0, "it is in the digest"


def test_an_info_event_alone_is_for_the_digest(office: Any, clock: Any) -> None:
    office.runs(1, severity=Severity.INFO, **HELD)
    assert route(office, clock.now) == outbox.Routed(events=1)


def test_an_unknown_that_asks_for_a_move_is_told_although_it_is_contained(office: Any, clock: Any) -> None:
    office.runs(1, severity=Severity.INFO)
    assert route(office, clock.now).messages == 1


def test_what_becomes_more_urgent_is_no_repeat(office: Any, clock: Any) -> None:
    office.runs(1, severity=Severity.INFO, **HELD)
    route(office, clock.now)
    office.runs(1, at=clock.now + MINUTE, **HELD)
    assert route(office, clock.now + MINUTE).messages == 1

"""The outbox: events and cursor move together, and what is due comes in order."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.alerts import joining, outbox
from api.alerts.routes import DEFAULT_ROUTES, Hours, Route
from radius_policy.model import DEFAULT_TENANT, SECOND, Cursor, Delivery, EventKind, Joined, Severity, Sha256, TenantId

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


def held_on(office: Any, clock: Any, number: int, sha: str = "", **more: Any) -> int:
    """One more host on which nobody is moved; how many new messages that made."""
    named = {"sha": Sha256(sha)} if sha else {}
    office.runs(number, at=clock.now, **{"severity": Severity.INFO, **HELD, **named, **more})
    return route(office, clock.now).messages


def named(office: Any, message: Delivery) -> int:
    return len(outbox.events_of(office.store.reading(), message))


def test_further_hosts_of_a_rule_that_moves_nobody_join_one_message_at_the_end_of_the_window(
    office: Any, clock: Any
) -> None:
    office.runs(1, **HELD)
    route(office, clock.now)
    for number in range(2, 30):
        clock.now += 10 * SECOND
        office.runs(number, at=clock.now, severity=Severity.INFO, **HELD)
        route(office, clock.now)
    first, update = messages(office)
    assert update.not_before == first.opened + 10 * MINUTE
    assert named(office, update) == 28


@pytest.mark.parametrize("kind", [EventKind.HELD, EventKind.UNKNOWN_RAN, EventKind.LATE_UNKNOWN])
def test_after_quiet_a_further_host_is_a_new_message_at_once_also_where_it_is_contained(
    office: Any, clock: Any, kind: EventKind
) -> None:
    office.runs(1)
    route(office, clock.now)
    clock.now += 11 * MINUTE
    assert held_on(office, clock, 2, kind=kind) == 1
    assert messages(office)[-1].not_before == clock.now + joining.SETTLE


def test_hosts_that_trickle_in_all_day_are_all_named_in_few_messages(office: Any, clock: Any) -> None:
    """One every five minutes from eight to half past four, three programs: 95 hosts."""
    clock.now = eight = 1_795_417_200 * SECOND
    for number in range(3):
        office.runs(number, sha=f"{number:064x}", at=clock.now, **HELD)
        route(office, clock.now)
    for number in range(3, 95):
        clock.now += 5 * MINUTE
        held_on(office, clock, number, f"{number % 3:064x}")
    firsts, others = messages(office)[:3], messages(office)[3:]
    assert [message.topic for message in others] == ["further"] * 2
    assert [(message.not_before - eight) // MINUTE for message in others] == [10, 12 * 60 + 10]
    assert sum(named(office, message) for message in (*firsts, *others)) == 95


def busy_day(office: Any, clock: Any) -> None:
    """Two programs' first runs, a further host at once, and two more that wait."""
    for number in (1, 2):
        office.runs(number, at=clock.now, sha=Sha256(f"{number:064x}"), **HELD)
        route(office, clock.now)
    for number, after in ((3, 11), (4, 1), (5, 1)):
        clock.now += after * MINUTE
        held_on(office, clock, number, f"{1:064x}")


def test_a_program_that_no_message_named_yet_waits_no_longer_than_the_window(office: Any, clock: Any) -> None:
    busy_day(office, clock)
    far = messages(office)[-1]
    assert far.not_before - clock.now > 50 * MINUTE
    clock.now += MINUTE
    held_on(office, clock, 5, "e" * 64, kind=EventKind.LATE_UNKNOWN)
    near = messages(office)[-1]
    assert near.id == far.id, "it is the same message, sent sooner"
    assert near.not_before - clock.now <= 10 * MINUTE
    assert named(office, near) == 3


def test_on_a_busy_day_a_run_outside_working_hours_is_told_at_once_all_the_same(office: Any, clock: Any) -> None:
    clock.now = 1_795_417_200 * SECOND + 570 * MINUTE
    busy_day(office, clock)
    clock.now += 90 * MINUTE
    held_on(office, clock, 20)
    clock.now += MINUTE
    held_on(office, clock, 21)
    told, later = messages(office)[-2:]
    assert clock.now - MINUTE + joining.SETTLE == told.not_before
    assert named(office, told) == 3
    assert later.not_before > clock.now + 60 * MINUTE


def test_what_is_learned_or_only_observed_is_for_the_digest(office: Any, clock: Any) -> None:
    event = office.runs(1, severity=Severity.INFO, **HELD)
    with office.store.transaction() as tx:
        tx.put(replace(event, facts={"digest": True}))
    assert route(office, clock.now) == outbox.Routed(events=1)


def test_a_route_for_urgent_matters_alone_is_not_told_of_further_hosts(office: Any, clock: Any) -> None:
    plan = replace(PLAN, routes=(Route("night", ("phone",), severity="urgent"), Route("day", ("mail",))))
    office.runs(1, severity=Severity.INFO, **HELD)
    with office.store.transaction() as tx:
        outbox.route_new(tx, T, plan, clock.now)
    assert [message.route for message in messages(office)] == ["day"]


def test_an_unknown_that_asks_for_a_move_is_told_although_it_is_contained(office: Any, clock: Any) -> None:
    office.runs(1, severity=Severity.INFO)
    assert route(office, clock.now).messages == 1


def test_what_becomes_more_urgent_is_no_repeat(office: Any, clock: Any) -> None:
    office.runs(1, severity=Severity.INFO, **HELD)
    route(office, clock.now)
    office.runs(1, at=clock.now + MINUTE, **HELD)
    assert route(office, clock.now + MINUTE).messages == 1

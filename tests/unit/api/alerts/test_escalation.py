"""Urgent alerts go from one person to the next until somebody has them; none is dropped, and nobody is flooded."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from api.alerts import escalation, outbox
from api.alerts.routes import Hours, Route
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    BreakerTrip,
    Delivery,
    Escalation,
    Event,
    EventKind,
    HostId,
    HostState,
    ListEntry,
    ListKind,
    Reason,
    Severity,
)

from .conftest import SHA, T0

T = DEFAULT_TENANT
MINUTE = 60 * SECOND
ROUTE = Route("all", ("mail",), people=("anna", "boris"), answer_s=900)
PEOPLE = {"anna": ("anna-phone", "mail"), "boris": ("boris-mail",)}


@pytest.fixture
def urgent(office: Any, clock: Any) -> Any:
    """Host `number` runs a denied program, and the event is routed."""

    def runs(number: int = 1, sha: str = SHA, kind: EventKind = EventKind.DENIED_RAN, route: Route = ROUTE) -> None:
        office.runs(number, at=clock.now, sha=sha, kind=kind, severity=Severity.URGENT)
        plan = outbox.Plan((route,), Hours(), ZoneInfo("Europe/Berlin"))
        with office.store.transaction() as tx:
            outbox.route_new(tx, T, plan, clock.now)

    return runs


def stored(office: Any, **equals: Any) -> list[Escalation]:
    found: list[Escalation] = office.store.reading().find(Escalation, tenant=T, order="opened", **equals)
    return found


def step(office: Any, clock: Any, minutes: float, route: Route = ROUTE, people: Any = PEOPLE) -> escalation.Stepped:
    clock.now += int(minutes * MINUTE)
    with office.store.transaction() as tx:
        return escalation.step(tx, T, (route,), people, clock.now)


def told(office: Any) -> list[tuple[str, str]]:
    """(route and person, channel) of the messages to further people, in order."""
    found = office.store.reading().find(Delivery, tenant=T, order="created")
    return [(each.route, each.channel) for each in found if ":" in each.route]


def test_an_urgent_event_waits_for_somebody_and_a_warning_does_not(office: Any, urgent: Any, clock: Any) -> None:
    office.runs(9, sha="b" * 64)
    urgent()
    [waiting] = stored(office)
    [message] = office.store.reading().find(Delivery, tenant=T, kind=EventKind.DENIED_RAN)
    assert (waiting.id, waiting.state, waiting.told) == (message.id, "open", 1)
    assert waiting.due == message.not_before + 15 * MINUTE


def test_nobody_acknowledges_so_anna_then_boris_then_the_route_again_with_longer_pauses(
    office: Any, urgent: Any, clock: Any
) -> None:
    urgent()
    when = [(clock.now - T0) // MINUTE for _ in range(240) if step(office, clock, 1).messages]
    assert told(office)[:4] == [
        ("all:anna", "anna-phone"), ("all:boris", "boris-mail"), ("all:", "mail"), ("all:anna", "anna-phone")
    ]  # fmt: skip
    assert when[:5] == [16, 31, 46, 76, 106]
    assert stored(office)[0].state == "open"


def test_it_never_ends_by_itself_and_becomes_a_daily_reminder(office: Any, urgent: Any, clock: Any) -> None:
    urgent()
    day = 24 * 60 * MINUTE
    days = [(clock.now - T0) // day for _ in range(24 * 10) if step(office, clock, 60).messages]
    assert stored(office)[0].state == "open"
    assert all(days.count(day) == 1 for day in range(3, 9)), "once a day"
    assert len(days) < 30


def test_without_people_the_routes_own_channels_are_reminded(office: Any, urgent: Any, clock: Any) -> None:
    alone = msgspec.structs.replace(ROUTE, people=())
    urgent(route=alone)
    step(office, clock, 16, alone, {})
    assert told(office) == [("all:", "mail")]


def test_a_person_without_a_channel_is_passed_over(office: Any, urgent: Any, clock: Any) -> None:
    urgent()
    step(office, clock, 16, people={"boris": ("boris-mail",)})
    assert told(office) == [("all:boris", "boris-mail")]


def test_what_is_due_for_one_person_is_one_message(office: Any, urgent: Any, clock: Any) -> None:
    for number in range(30):
        urgent(number, sha=f"{number:064x}")
    assert step(office, clock, 16).messages == 1
    [message] = [d for d in office.store.reading().find(Delivery, tenant=T) if ":" in d.route]
    events = outbox.events_of(office.store.reading(), message)
    assert len(events) == 30
    assert len(escalation.told_of(office.store.reading(), message, events)) == 30


def test_further_hosts_of_the_same_matter_open_no_second_one(office: Any, urgent: Any, clock: Any) -> None:
    urgent(1)
    clock.now += 2 * MINUTE
    urgent(2)
    assert len(stored(office)) == 1


def test_what_was_acknowledged_opens_again_only_after_the_joining_time(office: Any, urgent: Any, clock: Any) -> None:
    urgent(1)
    with office.store.transaction() as tx:
        [waiting] = tx.find(Escalation, tenant=T)
        clock.now += MINUTE
        tx.put(
            Escalation(
                **{n: getattr(waiting, n) for n in waiting.__slots__} | {"state": "acknowledged", "ended": clock.now}
            )
        )
    clock.now += 5 * MINUTE
    urgent(2)
    assert stored(office, state="open") == []
    clock.now += 10 * MINUTE
    urgent(3)
    assert len(stored(office, state="open")) == 1


def decide_nothing(_tx: Any, _now: int) -> None:
    """Nobody does anything."""


def allow(tx: Any, now: int) -> None:
    tx.put(ListEntry(T, "e1", "allow", ListKind.HASH, SHA, author="otto", created=now))


def old_deny(tx: Any, _now: int) -> None:
    tx.put(ListEntry(T, "e1", "deny", ListKind.HASH, SHA, author="otto", created=T0 - MINUTE))


def release(tx: Any, now: int) -> None:
    state = tx.get(HostState, T, HostId("host-0001"))
    tx.put(
        HostState(
            **{n: getattr(state, n) for n in state.__slots__}
            | {"ordered": "release", "ordered_by": "otto", "ordered_at": now}
        )
    )


def clear(tx: Any, now: int) -> None:
    from radius_policy.model import Host

    host = tx.get(Host, T, HostId("host-0001"))
    tx.put(Host(**{n: getattr(host, n) for n in host.__slots__} | {"cleared_at": now}))


@pytest.mark.parametrize(
    ("deed", "state", "by"),
    [
        (decide_nothing, "open", ""),
        (old_deny, "open", ""),
        (allow, "decided", "otto"),
        (release, "decided", "otto"),
        (clear, "decided", "somebody who cleared the host"),
    ],
)
def test_deciding_the_matter_ends_it(office: Any, urgent: Any, clock: Any, deed: Any, state: str, by: str) -> None:
    urgent(1)
    with office.store.transaction() as tx:
        deed(tx, clock.now + MINUTE)
    did = step(office, clock, 16)
    [matter] = stored(office)
    assert (matter.state, matter.by) == (state, by)
    assert (did.decided, did.messages) == ((0, 1) if state == "open" else (1, 0))


@pytest.mark.parametrize("ended", [None, T0 + MINUTE])
def test_a_trip_is_decided_when_it_has_ended(office: Any, urgent: Any, clock: Any, ended: int | None) -> None:
    urgent(1, kind=EventKind.BREAKER_TRIPPED)
    with office.store.transaction() as tx:
        tx.put(BreakerTrip(T, f"executable:{SHA}", T0, Reason("breaker", "too many"), ended))
    step(office, clock, 16)
    assert stored(office)[0].state == ("open" if ended is None else "decided")


def test_a_failed_move_that_is_confirmed_later_needs_nobody(office: Any, urgent: Any, clock: Any) -> None:
    urgent(1, kind=EventKind.MOVE_FAILED)
    with office.store.transaction() as tx:
        tx.put(Event(T, "later", T0 + MINUTE, EventKind.MOVE_CONFIRMED, Severity.INFO, SHA, "confirmed"))
    assert step(office, clock, 16).decided == 1


def test_without_any_channel_it_stays_open_for_the_console(office: Any, urgent: Any, clock: Any) -> None:
    urgent(1)
    clock.now += 16 * MINUTE
    with office.store.transaction() as tx:
        assert escalation.step(tx, T, (), {}, clock.now).messages == 0
    assert stored(office)[0].state == "open"


def test_the_next_person_is_told_of_in_an_event(office: Any, urgent: Any, clock: Any) -> None:
    urgent(1)
    step(office, clock, 16)
    [event] = office.store.reading().find(Event, tenant=T, kind=EventKind.ESCALATED)
    assert (event.severity, event.facts["to"]) == (Severity.INFO, "anna")

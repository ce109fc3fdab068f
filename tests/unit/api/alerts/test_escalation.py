"""Urgent alerts go from one person to the next until somebody has them; none is dropped, and nobody is flooded."""

from dataclasses import replace
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
    Executable,
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


OWN, SITE = f"executable:{SHA}", "site:main"
OTHER = "b" * 64


def tripped(office: Any, clock: Any, kind: EventKind = EventKind.BREAKER_TRIPPED, level: str = OWN) -> None:
    """The limit of a site was reached (it contains two executables), or that of one executable; the event is routed."""
    topic = level.removeprefix("executable:")
    shas = (SHA,) if level == OWN else (SHA, OTHER)
    with office.store.transaction() as tx:
        for sha in shas:
            tx.put(
                Executable(T, sha, name="/tmp/n"),
                BreakerTrip(T, f"executable:{sha}", T0, Reason("breaker", "too many", level)),
            )
        tx.put(BreakerTrip(T, level, T0, Reason("breaker", "too many", level)))
        facts = {"level": level, "tripped_at": T0}
        event = Event(
            T,
            f"trip-{kind}",
            clock.now,
            kind,
            Severity.URGENT,
            topic,
            "too many",
            HostId("host-0001"),
            SHA,
            facts=facts,
        )
        tx.put(event)
        tx.note(T, "event", event.id)
    with office.store.transaction() as tx:
        outbox.route_new(tx, T, outbox.Plan((ROUTE,), Hours(), ZoneInfo("Europe/Berlin")), clock.now)


def end(tx: Any, level: str, now: int) -> None:
    [trip] = tx.find(BreakerTrip, tenant=T, level=level)
    tx.put(replace(trip, ended=now))


def answered(tx: Any, by: str, now: int) -> None:
    for trip in tx.find(BreakerTrip, tenant=T):
        tx.put(replace(trip, answer="keep", answered_by=by, answered=now))


def ordered(tx: Any, _: int) -> None:
    state = tx.get(HostState, T, HostId("host-0001"))
    tx.put(replace(state, ordered="release", ordered_by="site", ordered_at=T0 + MINUTE))


def list_it(sha: str, action: str = "allow") -> Any:
    return lambda tx, now: tx.put(ListEntry(T, f"e-{sha}", action, ListKind.HASH, sha, author="otto", created=now))


@pytest.mark.parametrize(
    ("level", "deeds", "state", "by"),
    [
        (OWN, [decide_nothing], "open", ""),
        (OWN, [list_it(SHA, "deny")], "decided", "otto"),
        (OWN, [lambda tx, now: end(tx, OWN, now)], "decided", "an allow that ended the trip"),
        (OWN, [lambda tx, now: answered(tx, "anna", now)], "decided", "anna"),
        (OWN, [lambda tx, now: answered(tx, "site", now)], "open", ""),
        (SITE, [lambda tx, now: end(tx, SITE, now)], "open", ""),
        (SITE, [list_it(SHA)], "open", ""),
        (SITE, [list_it(SHA), list_it(OTHER, "deny")], "decided", "otto"),
        (SITE, [ordered], "open", ""),
        (SITE, [lambda tx, now: answered(tx, "anna", now)], "decided", "anna"),
    ],
    ids=[
        "nothing", "denied", "allowed", "kept", "the site's choice", "the window of the site is over", "one of two",
        "both", "one host ordered by the site", "kept, wide",
    ],
)  # fmt: skip
def test_a_trip_is_decided_when_all_that_it_contains_is_or_somebody_answered(
    office: Any, clock: Any, level: str, deeds: list[Any], state: str, by: str
) -> None:
    office.runs(1, at=clock.now)
    tripped(office, clock, level=level)
    with office.store.transaction() as tx:
        for deed in deeds:
            deed(tx, clock.now + MINUTE)
    step(office, clock, 16)
    [matter] = stored(office)
    assert (matter.state, matter.by) == (state, by)


def test_when_nobody_answered_a_trip_the_next_person_hears_of_it_at_once(office: Any, clock: Any) -> None:
    tripped(office, clock)
    assert step(office, clock, 1).messages == 0
    tripped(office, clock, EventKind.TRIP_UNANSWERED)
    assert step(office, clock, 0).messages == 1
    assert told(office) == [("all:anna", "anna-phone")]


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

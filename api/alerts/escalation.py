"""Urgent alerts that nobody acknowledges go to the next person, and on, until somebody has them.

Guarantees: an urgent event that a route takes opens one `Escalation` for its topic, in the transaction that makes its
message; an escalation ends only when a person acknowledges it or decides what it is about, never by time, and one that
is open is shown in the console. Nobody is told of two matters in two messages at the same moment: what is due for one
person is one message. Pure but for the transaction.

The ring: the route's own channels, then its people in order, then the route again. Each time round the pause doubles, to
`LONGEST_S` at most, after a day to `LATER_S`: an alert that nobody answers is not forgotten, and does not flood either.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from api import words
from api.alerts.routes import Route
from radius_policy.access import SITE
from radius_policy.judgement import trips
from radius_policy.model import (
    SECOND,
    Delivery,
    Escalation,
    Event,
    EventKind,
    Host,
    HostState,
    Joined,
    ListEntry,
    ListKind,
    Micros,
    Severity,
    TenantId,
)
from radius_policy.store.interface import Reading, Tx

OPEN, ACKNOWLEDGED, DECIDED = "open", "acknowledged", "decided"
LONGEST_S = 4 * 3600
LATER_S = 24 * 3600
AT_ONCE = 200
"""So many due escalations are looked at in one work."""
TRIPS = frozenset({EventKind.BREAKER_TRIPPED, EventKind.TRIP_UNANSWERED, EventKind.TIED})
"""Kinds about a trip: its own record says whether somebody decided."""
PERSON = ":"
"""Stands between a route's name and a person's, in `Delivery.route`; no name has it."""


def base(route: str) -> str:
    """The route that a message belongs to: `night` of `night:anna`."""
    return route.partition(PERSON)[0]


def open_for(tx: Tx, event: Event, route: Route, delivery: Delivery) -> Escalation | None:
    """Open one for an urgent event, unless one of its topic is open or was acknowledged within the joining time."""
    if event.severity < Severity.URGENT:
        return None
    topic = event.topic or event.id
    if event.kind == EventKind.TRIP_UNANSWERED:
        _hurry(tx, event, delivery.created)
    for last in tx.find(Escalation, tenant=event.tenant, topic=topic, order="opened", descending=True, limit=8):
        if last.route == route.name:
            fresh = last.ended is not None and event.at - last.ended < route.join_s * SECOND
            if last.state == OPEN or (fresh and last.state == ACKNOWLEDGED):
                return None
            break
    made = Escalation(
        event.tenant,
        delivery.id,
        route.name,
        topic,
        event.kind,
        event.id,
        opened=delivery.created,
        due=delivery.not_before + route.answer_s * SECOND,
        host_id=event.host_id,
        sha256=event.sha256,
        site=event.site,
    )
    return made if tx.add(made) else None


def _hurry(tx: Tx, event: Event, now: Micros) -> None:
    """The minutes of a trip are over: the next person hears of it now, whatever the route would have waited."""
    for each in tx.find(Escalation, tenant=event.tenant, topic=event.topic, order="opened", descending=True, limit=8):
        if each.state == OPEN and each.due > now:
            tx.put(replace(each, due=now))


def pause(route: Route, told: int, size: int, age: Micros) -> Micros:
    """From one telling to the next. `told` counts those until now, `size` is how many the ring has."""
    if age >= 86_400 * SECOND:
        return LATER_S * SECOND
    longest = max(LONGEST_S, route.answer_s)
    return int(min(route.answer_s * 2 ** min((told - 1) // size, 20), longest)) * SECOND


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one round did: messages made, matters that a decision ended."""

    messages: int = 0
    decided: int = 0


def due(reading: Reading, tenant: TenantId, now: Micros) -> bool:
    """Whether some escalation's time has come."""
    return bool(reading.find(Escalation, tenant=tenant, state=OPEN, order="due", before=now + 1, limit=1))


def step(
    tx: Tx,
    tenant: TenantId,
    routes: Sequence[Route],
    people: Mapping[str, Sequence[str]],
    now: Micros,
) -> Stepped:
    """Tell the next person of everything that is due. `people`: name → channels that exist, most preferred first."""
    waiting = tx.find(Escalation, tenant=tenant, state=OPEN, order="due", before=now + 1, limit=AT_ONCE)
    by_route = {route.name: route for route in routes}
    decided, groups = 0, dict[tuple[str, str], list[Escalation]]()
    for each in waiting:
        if by := decision(tx, each):
            tx.put(replace(each, state=DECIDED, ended=now, by=by))
            decided += 1
            continue
        route = by_route.get(each.route) or (routes[0] if routes else None)
        if route is None:  # no channel at all: the console shows it, and we look again
            tx.put(replace(each, due=now + LONGEST_S * SECOND))
            continue
        ring = ("", *(name for name in route.people if people.get(name)))
        name = ring[each.told % len(ring)]
        told = each.told + 1
        after = replace(
            each,
            told=told,
            names=(*each.names, name or route.name)[-20:],
            due=now + pause(route, told, len(ring), now - each.opened),
        )
        tx.put(after)
        groups.setdefault((route.name, name), []).append(after)
    for (route_name, name), found in groups.items():
        _message(tx, by_route.get(route_name) or routes[0], name, people.get(name, ()), found, now)
    return Stepped(len(groups), decided)


def decision(reading: Reading, escalation: Escalation) -> str:
    """Who decided the matter since it was opened; empty while nobody has."""
    tenant, opened = escalation.tenant, escalation.opened
    if escalation.kind in TRIPS:
        return _trip_decision(reading, escalation)
    if escalation.sha256 and (by := _listed(reading, tenant, escalation.sha256, opened)):
        return by
    if escalation.kind == EventKind.MOVE_FAILED:
        since = reading.find(Event, tenant=tenant, topic=escalation.topic, order="at", after=opened, limit=AT_ONCE)
        if any(event.kind == EventKind.MOVE_CONFIRMED for event in since):
            return "the move, confirmed since"
    if escalation.host_id:
        state = reading.get(HostState, tenant, escalation.host_id)
        if state and state.ordered and state.ordered_at > opened:
            return state.ordered_by or "somebody"
        host = reading.get(Host, tenant, escalation.host_id)
        if host and host.cleared_at is not None and host.cleared_at > opened:
            return "somebody who cleared the host"
    return ""


def _listed(reading: Reading, tenant: TenantId, sha256: str, opened: Micros) -> str:
    for entry in reading.find(ListEntry, tenant=tenant, kind=ListKind.HASH, value=sha256):
        if entry.confirmed and entry.created > opened and entry.author != "inventory":
            return entry.author or "somebody"
    return ""


def _trip_decision(reading: Reading, escalation: Escalation) -> str:
    """A trip is decided when everything that it contains is, or when a person said what is to become of it: never by
    one of several executables, by an order for one host, by the end of a window, or by the site's own choice."""
    event = reading.get(Event, escalation.tenant, escalation.event_id)
    if event is None:
        return ""
    tripped_at = event.facts.get("tripped_at", event.at)
    at = tripped_at if isinstance(tripped_at, int) else event.at
    trip = trips.trip_of(reading, escalation.tenant, str(event.facts.get("level", "")), at, event.at)
    if trip is None:
        return ""
    if trip.head.answer and trip.head.answered_by != SITE:
        return trip.head.answered_by
    if trip.undecided:
        return ""
    words = (
        _listed(reading, escalation.tenant, sha, escalation.opened) for each in trip.contained for sha in each.shas
    )
    return next((by for by in words if by), "an allow that ended the trip")


def told_of(reading: Reading, delivery: Delivery, events: Collection[Event]) -> list[Escalation]:
    """The open matters that an escalated message is about, the oldest first."""
    ids = [event.id for event in events]
    found = reading.find(Escalation, tenant=delivery.tenant, event_id=ids, state=OPEN) if ids else []
    mine = [each for each in found if each.route == base(delivery.route)]
    return sorted(mine, key=lambda each: (each.opened, each.id))


def of_topic(reading: Reading, delivery: Delivery) -> Escalation | None:
    """The open matter that a route's own message belongs to."""
    found = reading.find(
        Escalation, tenant=delivery.tenant, topic=delivery.topic, order="opened", descending=True, limit=8
    )
    return next((each for each in found if each.state == OPEN and each.route == base(delivery.route)), None)


def line(escalation: Escalation, event: Event, at: str) -> str:
    """What a person reads of one matter: `08:41 CET: Denied executable ran: … Told to anna, and nobody has it yet.`"""
    names = ", ".join(dict.fromkeys(escalation.names))
    return f"{at}: {words.event_title(event.kind)}: {words.visible(event.text, 300)} (told {words.count(escalation.told, 'time')}{': ' + names if names else ''})"


def _message(
    tx: Tx, route: Route, name: str, channels: Sequence[str], found: list[Escalation], now: Micros
) -> Delivery:
    first = found[0]
    chain = tuple(channels) or route.channels
    sequence = hashlib.sha256("\0".join((first.id, name, str(first.told), str(now))).encode()).hexdigest()[:32]
    made = Delivery(
        first.tenant,
        sequence,
        first.event_id,
        chain[0],
        "waiting",
        now,
        now,
        route=f"{route.name}{PERSON}{name}",
        topic=first.topic,
        kind=first.kind,
        number=first.told,
        opened=now,
        chain=chain,
    )
    tx.put(made)
    for position, each in enumerate(found):
        tx.add(Joined(first.tenant, made.id, each.event_id, position))
    told = Event(
        first.tenant,
        f"escalated-{made.id}",
        now,
        EventKind.ESCALATED,
        Severity.INFO,
        first.topic,
        f"Nobody acknowledged {words.count(len(found), 'urgent alert')} in time; told {name or 'route ' + route.name}",
        facts={"to": name or route.name, "alerts": [each.id for each in found[:20]]},
    )
    tx.put(told)
    tx.note(first.tenant, "event", told.id)
    return made

"""The outbox in the store: what is to be told, written in one transaction with how far we have read.

Guarantees: an event's messages and the cursor behind it commit together, so a crash loses no event and tells none
twice (but for the one whose sending it interrupted: at least once, with the same Message-ID). Works are short: at
most `BATCH` changes each. Pure but for the transaction; time and routes are arguments.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from api.alerts import escalation, joining
from api.alerts.routes import Hours, Route, routes_behind, routes_for, takes, unrouted
from radius_policy.model import SECOND, Cursor, Delivery, Event, Host, Joined, Micros, Severity, TenantId
from radius_policy.store.interface import Reading, Tx

BATCH = 500
CURSOR = "alerts"


@dataclass(frozen=True, slots=True)
class Routed:
    """What one round of routing did. `more` says that the change sequence has more to look at."""

    events: int = 0
    messages: int = 0
    unrouted: int = 0
    repeats: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How events are routed: the usable routes, and working hours in the site's zone."""

    routes: tuple[Route, ...]
    hours: Hours
    zone: ZoneInfo

    def works(self, at: Micros) -> bool:
        """Whether this moment is within working hours."""
        return self.hours.contain(at, self.zone)


def route_new(tx: Tx, tenant: TenantId, plan: Plan, now: Micros, *, looked: int = 0) -> Routed:
    """Give every event after the cursor to its routes, and move the cursor.

    `looked`: up to this sequence there is no event that was not routed (`news` said so).
    """
    cursor = tx.get(Cursor, tenant, CURSOR) or Cursor(tenant, CURSOR, 0)
    changes = tx.changes_since(max(cursor.sequence, looked), BATCH)
    if not changes:
        return Routed()
    events = messages = lost = repeats = 0
    positions: dict[str, int] = {}
    for change in changes:
        event = tx.get(Event, tenant, change.key) if change.kind == "event" and change.tenant == tenant else None
        if event is None:
            continue
        events += 1
        if _repeats(tx, event, plan):
            repeats += 1
            continue
        host = tx.get(Host, tenant, event.host_id) if event.host_id else None
        groups, working = host.groups if host else (), plan.works(event.at)
        matched = routes_for(plan.routes, event, groups, working)
        lost += unrouted(event, matched)
        for route in matched:
            messages += _join(tx, event, route, plan, now=now, positions=positions)
        for route in routes_behind(plan.routes, event, groups, working) if event.sha256 else ():
            if joining.is_further(event):
                if not takes(route, replace(event, severity=Severity.WARNING), groups, working):
                    continue  # a route for urgent matters alone
                messages += _further(tx, event, route, plan, now=now, positions=positions)
                continue
            last = _newest(tx, tenant, route=route.name, topic=event.topic or event.id, kind=event.kind)
            if last and joining.under_way(last, route, now):
                messages += _join(tx, event, route, plan, now=now, positions=positions, steps=joining.LAST_STEP)
    tx.put(replace(cursor, sequence=changes[-1].sequence))
    return Routed(events, messages, lost, repeats, more=len(changes) == BATCH)


def _repeats(reading: Reading, event: Event, plan: Plan) -> bool:
    """Whether the same was told of the same host lately."""
    if not event.sha256 or not event.host_id:
        return False
    equals = {"host_id": event.host_id, "kind": event.kind, "sha256": event.sha256}
    window = joining.REPEAT_S * SECOND
    found = reading.find(
        Event,
        tenant=event.tenant,
        order="at",
        after=event.at - window,
        before=event.at,
        descending=True,
        limit=1,
        **equals,
    )
    before = found[0] if found else None
    left = before is not None and plan.works(before.at) and not plan.works(event.at)
    return joining.is_repeat(event, before, phase_changed=left)


def news(reading: Reading, tenant: TenantId, looked: int) -> tuple[bool, int]:
    """Whether there is an event to route, and up to which sequence there is none.

    Most changes are no events; looking first keeps an idle worker from writing.
    """
    cursor = reading.get(Cursor, tenant, CURSOR)
    position = max(cursor.sequence if cursor else 0, looked)
    while changes := reading.changes_since(position, BATCH):
        if any(change.kind == "event" and change.tenant == tenant for change in changes):
            return True, position
        position = changes[-1].sequence
    return False, position


def _join(
    tx: Tx,
    event: Event,
    route: Route,
    plan: Plan,
    *,
    now: Micros,
    positions: dict[str, int],
    steps: tuple[float, ...] = joining.STEPS,
) -> int:
    """Put the event into its message; 1 when the message is new."""
    topic = event.topic or event.id
    last = _newest(tx, event.tenant, route=route.name, topic=topic, kind=event.kind)
    known = last is not None or _newest(tx, event.tenant, route=route.name, topic=topic) is not None
    left = last is not None and _left_hours(plan, last, event)
    delivery = joining.place(event, route, now, last=last, known=known, phase_changed=left, steps=steps)
    escalation.open_for(tx, event, route, delivery)
    return _add(tx, event, delivery, last, positions)


def _further(tx: Tx, event: Event, route: Route, plan: Plan, *, now: Micros, positions: dict[str, int]) -> int:
    """Put one more host with a contained program into the message about these; 1 when it is new."""
    own = _newest(tx, event.tenant, route=route.name, topic=event.topic or event.id)
    last = _newest(tx, event.tenant, route=route.name, topic=joining.FURTHER)
    earlier = tx.find(Event, tenant=event.tenant, sha256=event.sha256, order="at", limit=2)
    named = own is not None or any(other.id != event.id for other in earlier)
    left = last is not None and _left_hours(plan, last, event)
    delivery = joining.further(
        event, route, now, last=last, own=own, named=named, busy=_busy(tx, event.tenant, route, now), phase_changed=left
    )
    return _add(tx, event, delivery, last, positions)


def _busy(reading: Reading, tenant: TenantId, route: Route, now: Micros) -> bool:
    """Whether the route made its few messages of a day already."""
    found = reading.find(
        Delivery, tenant=tenant, order="created", after=now - joining.DAY, descending=True, limit=10 * joining.BUSY
    )
    return sum(message.route == route.name for message in found) >= joining.BUSY


def _add(tx: Tx, event: Event, delivery: Delivery, last: Delivery | None, positions: dict[str, int]) -> int:
    """The event is a part of the message from now on; 1 when the message is new."""
    new = last is None or delivery.id != last.id
    if delivery is not last:
        tx.put(delivery)
    if delivery.id not in positions:
        positions[delivery.id] = 0 if new else tx.count(Joined, tenant=event.tenant, delivery_id=delivery.id)
    if tx.add(Joined(event.tenant, delivery.id, event.id, positions[delivery.id])):
        positions[delivery.id] += 1
    return int(new)


def _left_hours(plan: Plan, last: Delivery, event: Event) -> bool:
    """Whether the conversation began in working hours and this runs outside of them: that is news."""
    return plan.works(last.opened) and not plan.works(event.at)


def _newest(reading: Reading, tenant: TenantId, **equals: str) -> Delivery | None:
    found = reading.find(Delivery, tenant=tenant, order="created", descending=True, limit=4, **equals)
    return max(found, key=lambda delivery: (delivery.created, delivery.number), default=None)


def due(reading: Reading, tenant: TenantId, channel: str, now: Micros, limit: int = 20) -> list[Delivery]:
    """Messages of one channel whose time has come, the longest waiting first."""
    return reading.find(
        Delivery, tenant=tenant, channel=channel, state="waiting", order="not_before", before=now + 1, limit=limit
    )


def next_due(reading: Reading, tenant: TenantId, now: Micros) -> Micros:
    """When the next message that is not due yet will be; 0 where none waits."""
    found = reading.find(Delivery, tenant=tenant, state="waiting", order="not_before", after=now, limit=1)
    return found[0].not_before if found else 0


def astray(reading: Reading, tenant: TenantId, channels: Collection[str], now: Micros) -> list[Delivery]:
    """Due messages for channels that are not configured any more."""
    waiting = reading.find(Delivery, tenant=tenant, state="waiting", order="not_before", before=now + 1, limit=200)
    return [delivery for delivery in waiting if delivery.channel not in channels]


def events_of(reading: Reading, delivery: Delivery) -> list[Event]:
    """The events of a message in the order they joined it."""
    joined = reading.find(Joined, tenant=delivery.tenant, delivery_id=delivery.id, order="position")
    ids = [row.event_id for row in joined]
    found: dict[str, Event] = {}
    for begin in range(0, len(ids), 500):
        chunk = reading.find(Event, tenant=delivery.tenant, id=ids[begin : begin + 500])
        found.update((event.id, event) for event in chunk)
    return [found[event_id] for event_id in ids if event_id in found]


def sent(tx: Tx, delivery: Delivery, now: Micros, note: str = "") -> None:
    """The channel took it; `note` is what it did not take of it."""
    tx.put(replace(delivery, state="sent", tries=delivery.tries + 1, sent=now, error=note))

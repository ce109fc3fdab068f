"""Which message an event joins: the first of a conversation goes at once, what follows is gathered.

Guarantees: pure; an event is never left without a message, and none is added to a message whose time has come (the
worker may be sending it). A conversation is (route, topic, kind): the same program on a second host joins the first,
but a *denied* run of it is news and goes at once.

The rule, in the words of `STEPS`: a first event is sent at once. Further events within the window are sent together
as updates 1, 3 and 10 minutes after it (as shares of the window), then one window after the last message. After a
window of quiet, or when a run falls out of working hours while the conversation began inside them, the next
event is a new message at once. So 1,500 hosts within 10 minutes make 1 mail and 3 updates.

Further hosts on which an undecided program is *contained* (nobody is moved there, so nothing new burns) share one
message for each route, whatever the programs (`further`, docs/decisions/0009): at once after quiet, at the end of the window
while the program's own first message is younger than that; on a day with more messages than a few, half a day after the one before.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from api.alerts.routes import Route
from radius_policy.model import SECOND, Delivery, Event, EventKind, Micros, Severity

SETTLE: Micros = 400_000
"""A first message waits so long, because by then the move is usually confirmed and the message can say so."""
STEPS: tuple[float, ...] = (0.1, 0.3, 1.0)
"""When updates go, as shares of the window after the message that opened it."""
FURTHER = "further"
"""Topic and kind of the message about contained programs on further hosts."""
FURTHER_KINDS = frozenset((EventKind.UNKNOWN_RAN, EventKind.HELD, EventKind.LATE_UNKNOWN))
FURTHER_EVERY = 72.0
"""On a busy day such a message waits so long after the one before, in windows: half a day. Else one window, so that a
further host after quiet is a message at once."""
BUSY = 3
"""Messages of a route within a day that make it a busy one."""
DAY: Micros = 86_400 * SECOND
LAST_STEP: tuple[float, ...] = (1.0,)
"""The same where nobody need hurry: one update, at the end of the window."""


def conversation(tenant: int, route: str, topic: str) -> str:
    """The id that all messages about one topic on one route share, the first message's own: 32 hexadecimal digits."""
    return _digest("conversation", str(tenant), route, topic)


def place(
    event: Event,
    route: Route,
    now: Micros,
    *,
    last: Delivery | None,
    known: bool,
    phase_changed: bool = False,
    steps: tuple[float, ...] = STEPS,
) -> Delivery:
    """The message for this event: `last` itself when the event joins it, else a new one to be stored.

    `last` is the newest message of (route, topic, kind); `known` says whether any kind of this topic had a message
    on this route; `phase_changed` whether the event fell outside working hours while `last` was opened inside.
    """
    window = route.join_s * SECOND
    if last is None or not window or phase_changed or now - last.not_before >= window:
        return _new(event, route, now, due=now + SETTLE, opened=now, number=last.number + 1 if last else 1, known=known)
    if now < last.not_before:
        return last
    due = next(
        (at for at in (last.opened + int(window * share) for share in steps) if at > now), last.not_before + window
    )
    return _new(event, route, now, due=due, opened=last.opened, number=last.number + 1, known=True)


def is_further(event: Event) -> bool:
    """Whether it says that an undecided program is contained on one more host (or in the digest's words: `digest`, it was
    not worth a message anywhere)."""
    return (
        event.kind in FURTHER_KINDS
        and event.severity is Severity.INFO
        and bool(event.sha256 and event.host_id)
        and not event.facts.get("digest")
    )


def further(
    event: Event,
    route: Route,
    now: Micros,
    *,
    last: Delivery | None,
    own: Delivery | None,
    named: bool,
    busy: bool,
    phase_changed: bool = False,
) -> Delivery:
    """The message for one more host with a contained program: `last`, the newest of these, or a new one.

    `own` is the newest message of the program itself, `named` says whether any message named the program; one that none
    did waits for a window at most. `busy`: the route made so many messages within a day (`BUSY`) that the next one can wait.
    """
    window = route.join_s * SECOND
    soonest = own.opened + window if own is not None and now < own.opened + window else now + SETTLE
    if last is not None and now < last.not_before:
        if phase_changed:
            return replace(last, not_before=min(last.not_before, now + SETTLE), opened=now)
        hurried = min(last.not_before, max(soonest, last.created + window))
        return last if named or hurried == last.not_before else replace(last, not_before=hurried)
    due, number = soonest, last.number + 1 if last else 1
    if last is not None and not phase_changed:
        due = max(soonest, last.not_before + (int(window * FURTHER_EVERY) if busy and named else window))
    made = _new(event, route, now, due=due, opened=now, number=number, known=last is not None, topic=FURTHER)
    return replace(made, kind=FURTHER)


def thread(delivery: Delivery, events: Sequence[Event]) -> str:
    """The topic whose conversation a message belongs to: the program's own where it names one program alone."""
    if delivery.topic != FURTHER or len({event.sha256 for event in events}) != 1:
        return delivery.topic
    return events[0].topic or events[0].id


def under_way(last: Delivery, route: Route, now: Micros) -> bool:
    """Whether the run of messages that `last` belongs to still takes what follows, without beginning a new one."""
    return now - last.opened < route.join_s * SECOND


def is_update(delivery: Delivery) -> bool:
    """Whether the message follows another one of the same run."""
    return delivery.not_before > delivery.opened + SETTLE


REPEAT_S = 12 * 3600
"""A further start of the same executable on the same host is no news for so long; then it is told again."""


def is_repeat(event: Event, before: Event | None, *, phase_changed: bool) -> bool:
    """Whether `event` only repeats `before`, the newest earlier one of its kind, executable and host.

    A run outside working hours is news although the same ran inside them, and so is what is more urgent than before.
    """
    if before is None or event.severity > before.severity:
        return False
    return event.at - before.at < REPEAT_S * SECOND and not phase_changed


def _new(
    event: Event, route: Route, now: Micros, *, due: Micros, opened: Micros, number: int, known: bool, topic: str = ""
) -> Delivery:
    topic = topic or event.topic or event.id
    root = conversation(event.tenant, route.name, topic)
    return Delivery(
        tenant=event.tenant,
        id=root if not known else _digest("message", root, event.kind, str(number), event.id),
        event_id=event.id,
        channel=route.channels[0],
        state="waiting",
        created=now,
        not_before=due,
        route=route.name,
        topic=topic,
        kind=event.kind,
        number=number,
        opened=opened,
        chain=route.channels,
    )


RETRY_S: tuple[int, ...] = (1, 5, 15, 60, 120, 300, 600)
"""Seconds until the next try after the first, second, … failure; the last one repeats."""
FALL_OVER_AFTER = 3
"""Failures of one channel before the message goes to the next of its chain (about 20 seconds)."""
GIVE_UP_S = 7 * 86_400
"""A message that no channel took in this time is given up, counted and shown."""


def after_failure(delivery: Delivery, error: str, now: Micros, *, permanent: bool = False) -> Delivery:
    """What becomes of a message that its channel did not take.

    `permanent` (the peer refused it for good, such as an unknown recipient) goes on to the next channel at once, where there is one.
    The chain is a ring, so that a channel that came back is tried again; nothing is given up before `GIVE_UP_S`.
    """
    tries = delivery.tries + 1
    if now - delivery.created >= GIVE_UP_S * SECOND:
        return replace(delivery, state="given_up", tries=tries, error=error)
    wait = RETRY_S[min(tries, len(RETRY_S)) - 1] * SECOND
    others = len(delivery.chain) > 1
    if others and (permanent or tries % FALL_OVER_AFTER == 0):
        here = delivery.chain.index(delivery.channel) if delivery.channel in delivery.chain else -1
        following = delivery.chain[(here + 1) % len(delivery.chain)]
        failed = (*(line for line in delivery.failed if not line.startswith(f"{delivery.channel}: ")),)
        went_round = any(line.startswith(f"{following}: ") for line in failed)
        return replace(
            delivery,
            channel=following,
            tries=tries,
            error=error,
            failed=(*failed, f"{delivery.channel}: {error}"),
            not_before=now + (wait if went_round else 0),
        )
    return replace(delivery, tries=tries, error=error, not_before=now + wait)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

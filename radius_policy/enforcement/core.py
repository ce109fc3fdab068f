"""A move: what an event makes of an order (tables.md, "A move").

Guarantees: pure. An order, an event and `now` go in, the order as it is then and commands come out. Every state meets
every event (`table.py`): what does not concern it stays and is counted, because delivery is at least once;
nothing raises for coming late or twice. A move is `confirmed` by proof alone, never by an answer that says "done".

What it does not do: it makes no orders (`planning.py`), judges no accounting (`proof.py`), builds no datagram (`coa/`),
and stores nothing (`moves.py`).
It also holds for other channels (agent, script): "session appears" is then the agent's connecting, the ACK its
receipt, the proof its signed result.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from radius_policy.enforcement.table import TABLE, H, Happens, R, Rule, S
from radius_policy.model import Access, EventKind, Micros, Order, OrderState, Session, Severity
from radius_policy.nas.profile import Method, Otherwise, Profile

SESSION_UNKNOWN: Final = 503
IDS_DO_NOT_MATCH: Final = 407
OTHER_ATTRIBUTES: Final = frozenset({401, 402})
LATER: Final = frozenset({504, 505, 506, 508, 510})
REQUEST_INITIATED: Final = 507
"""Error-Causes (RFC 5176 3.5) by what they make of an order; 507 is told as ACKED."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event with the facts it needs. `session` is the open session of the MAC at the order's NAS to go on with
    (None: there is none), `alone` whether no other MAC has a session on its port. `cause` is the Error-Cause of a
    NAK (None: it had none), `retransmitted` whether the NAKed datagram had been sent more than once. The last five
    belong to SENT; `named` is the session that the datagram names.

    After a NAK that says "no such session" `session` is the one that was named only if the NAS spoke of it since."""

    what: Happens
    session: Session | None = None
    alone: bool = True
    cause: int | None = None
    retransmitted: bool = False
    text: str = ""
    method: int = 0
    identifier: int = 0
    source_port: int = 0
    datagram: bytes = b""
    named: bytes | None = None


@dataclass(frozen=True, slots=True)
class StopSending:
    """Retransmit no more: it would kick the session that the order brought about."""

    order_id: str


@dataclass(frozen=True, slots=True)
class CloseSession:
    """The NAS does not know this session: close it here too, unless the NAS spoke of it after `since`."""

    nas_id: str
    session: bytes
    since: Micros


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """The standing watch found less on this session: it needs an order of its own."""

    session: Session


@dataclass(frozen=True, slots=True)
class Tell:
    """People are told. `text` is a sentence without host and NAS, which the teller adds."""

    kind: EventKind
    severity: Severity
    text: str


Command = StopSending | CloseSession | OpenOrder | Tell


@dataclass(frozen=True, slots=True)
class Step:
    """The order as it is now, what is to be done, and for an event that changed nothing its name in the counters."""

    order: Order
    commands: tuple[Command, ...] = ()
    stayed: str = ""


def step(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    """What `event` makes of `order`."""
    found = TABLE[order.state, event.what]
    if order.superseding and event.what in (H.ACKED, H.NAKED, H.NO_ANSWER, H.RESTARTED):
        return _to(order, S.SUPERSEDED, now, "a newer generation stood behind it")
    if isinstance(found, OrderState):
        return _enter(order, found, event, now)
    return _RULES[found](order, event, now, profile)


def _to(order: Order, state: OrderState, now: Micros, note: str = "", *commands: Command) -> Step:
    if order.state is S.SENT and state is not S.SENT:
        commands = (StopSending(order.id), *commands)
    return Step(replace(order, state=state, changed=now, note=note), commands)


def _stay(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    return Step(order, stayed=f"{order.state}.{event.what}")


def _enter(order: Order, state: OrderState, event: Happening, now: Micros) -> Step:
    """The cells that name a state."""
    if state is S.CONFIRMED:
        seen = event.session
        order = order if seen is None else replace(order, nas_id=seen.nas_id, session=seen.session)
        return _to(
            order, state, now, event.text, Tell(EventKind.MOVE_CONFIRMED, Severity.INFO, "the move is confirmed")
        )
    if state is S.WAITING_FOR_SESSION:
        return _wait(order, now)
    if state is S.NOT_CONFIRMED:
        order = order if event.session is None else replace(order, session=event.session.session)
        return _doubt(order, now, "the switch shows an older access after the order was sent")
    if state is S.FAILED:
        return _fail(order, now, event.text or "no_profile")
    notes = {S.ACKNOWLEDGED: "the NAS says it did", S.SUPERSEDED: "a newer generation takes its place"}
    return _to(order, state, now, notes[state])


def _wait(order: Order, now: Micros) -> Step:
    return _to(replace(order, session=None), S.WAITING_FOR_SESSION, now, "the endpoint has no session")


def _doubt(order: Order, now: Micros, why: str) -> Step:
    told = () if order.told else (Tell(EventKind.MOVE_NOT_CONFIRMED, Severity.WARNING, why),)
    return _to(replace(order, told=True), S.NOT_CONFIRMED, now, why, *told)


def _fail(order: Order, now: Micros, why: str) -> Step:
    return _to(order, S.FAILED, now, why, Tell(EventKind.MOVE_FAILED, Severity.URGENT, f"the move failed: {why}"))


def _send(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    tries = order.tries if event.method == order.method else 0
    sent = replace(
        order,
        method=event.method,
        tries=tries + 1,
        identifier=event.identifier,
        source_port=event.source_port,
        datagram=event.datagram,
        named=order.session if event.named is None else event.named,
        sent_at=now,
    )
    return _to(sent, S.SENT, now)


def usable(method: Method, session: Session, *, alone: bool) -> bool:
    """Whether a method may be used on a session: it can be named to the NAS, and no other MAC shares a port that the
    method hits as a whole (a phone before a PC)."""
    return bool(method.identify(session.ids, 0)) and (alone or not method.whole_port)


def choose(order: Order, session: Session, profile: Profile, *, alone: bool, beyond: bool = False) -> int | None:
    """The method to use now: the order's, if it may be used (`beyond`: only those after it), else the next that may."""
    for index in range(order.method + (1 if beyond else 0), len(profile.methods)):
        if usable(profile.methods[index], session, alone=alone):
            return index
    return None


def _next_method(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    if event.session is None:
        return _wait(order, now)
    index = choose(order, event.session, profile, alone=event.alone, beyond=True)
    if index is None:
        return _fail(order, now, f"no method is left ({event.text or event.what})")
    other = replace(order, method=index, tries=0, id_set=0, session=event.session.session)
    return _to(other, S.PLANNED, now, f"next method: {profile.methods[index].kind}")


def _try_again(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    method = profile.method(order.method)
    if event.session is None or method is None or order.tries >= method.tries:
        return _next_method(order, event, now, profile)
    if not usable(method, event.session, alone=event.alone):
        return _next_method(order, event, now, profile)
    return _to(
        replace(order, session=event.session.session), S.PLANNED, now, f"try {order.tries + 1} of {method.tries}"
    )


def _answer(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    """Our answer of *g* is out. A Reject makes no session, so with none open it is all there is to see."""
    if order.access is Access.BLOCKED and event.session is None:
        return _enter(order, S.CONFIRMED, event, now)
    if event.session is not None:
        order = replace(order, nas_id=event.session.nas_id, session=event.session.session)
    return _to(order, S.ANSWERED, now, "the re-authentication got the new answer")


def _mark(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    return Step(replace(order, superseding=True, changed=now))


def _unproved(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    if event.session is None:
        return _wait(order, now)
    if profile.otherwise is Otherwise.NOT_CONFIRMABLE:
        tell = Tell(EventKind.MOVE_NOT_CONFIRMED, Severity.INFO, "this NAS cannot show whether it obeyed")
        return _to(order, S.NOT_CONFIRMABLE, now, "by profile", tell)
    return _doubt(order, now, "the switch said it did, but nothing shows it")


def _unproved_unanswered(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    method = profile.method(order.method)
    if event.session is not None and method is not None and method.access_request:
        return _doubt(order, now, "the switch said it did, but it did not ask again")
    return _unproved(order, event, now, profile)


def _last_stop(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    if order.access is Access.BLOCKED:
        return _enter(order, S.CONFIRMED, event, now)
    return _stay(order, event, now, profile)


def denies_session(cause: int | None, profile: Profile) -> bool:
    """Whether a NAK with this Error-Cause says that the NAS has no such session."""
    return cause == SESSION_UNKNOWN or (cause == IDS_DO_NOT_MATCH and profile.unknown_session_is_407)


def _nak(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    cause = event.cause
    unknown = denies_session(cause, profile)
    why = f"NAK {cause}" if cause is not None else "NAK without cause"
    if unknown and event.retransmitted:
        return _to(order, S.ACKNOWLEDGED, now, f"{why} after a retransmission: the first one worked")
    if unknown:
        return _unknown_session(order, event, now, profile, why)
    method = profile.method(order.method)
    if cause in OTHER_ATTRIBUTES and method is not None and order.id_set + 1 < min(2, len(method.ids)):
        return _to(replace(order, id_set=order.id_set + 1), S.PLANNED, now, f"{why}: with other attributes")
    if cause in LATER and method is not None and order.tries < method.tries:
        later = replace(order, not_before=now + profile.backoff_us)
        return _to(later, S.PLANNED, now, f"{why}: again after a pause")
    return _next_method(order, replace(event, text=why), now, profile)


def _unknown_session(order: Order, event: Happening, now: Micros, profile: Profile, why: str) -> Step:
    """What is closed is the session that the datagram named: the order's may be a newer one by now."""
    named = order.session if order.named is None else order.named
    close = () if named is None else (CloseSession(order.nas_id, named, order.sent_at),)
    if event.session is None:
        result = _wait(order, now)
    elif order.refreshed:
        result = _next_method(order, replace(event, text=why), now, profile)
    else:
        fresh = replace(order, session=event.session.session, refreshed=True)
        result = _to(fresh, S.PLANNED, now, f"{why}: with fresh identifiers")
    return Step(result.order, (*close, *result.commands))


def _adopt(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    """The session moved on the same NAS: the order takes the new identifiers, its state stays."""
    if event.session is None or event.session.session == order.session:
        return _stay(order, event, now, profile)
    return Step(replace(order, session=event.session.session))


def _plan(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    """A session appeared. If it is the one that the NAS denied, it has one more chance, then the next method: a NAS that
    denies whatever it speaks of must not keep an order waiting for ever."""
    if event.session is None:
        return _stay(order, event, now, profile)
    found = replace(order, nas_id=event.session.nas_id, session=event.session.session, not_before=now)
    if event.session.session != order.named:
        found = replace(found, method=0, tries=0, id_set=0, refreshed=False)
    elif order.refreshed:
        return _next_method(found, replace(event, text="the NAS denies a session that it speaks of"), now, profile)
    else:
        found = replace(found, refreshed=True)
    return _to(found, S.PLANNED, now, "a session appeared")


def _pause(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    if order.tightens and order.by != "admin":
        return _to(order, S.SUPERSEDED, now, "paused")
    return _stay(order, event, now, profile)


def _assume_sent(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    return _to(order, S.ACKNOWLEDGED, now, "assumed sent: the service was restarted")


def _new_order(order: Order, event: Happening, now: Micros, profile: Profile) -> Step:
    if event.session is None:
        return _stay(order, event, now, profile)
    return Step(order, (OpenOrder(event.session),))


_RULES: Final[Mapping[Rule, Callable[[Order, Happening, Micros, Profile], Step]]] = {
    R.STAY: _stay,
    R.NOTED: _stay,
    R.SEND: _send,
    R.NEXT_METHOD: _next_method,
    R.TRY_AGAIN: _try_again,
    R.ANSWER: _answer,
    R.MARK: _mark,
    R.UNPROVED: _unproved,
    R.UNPROVED_UNANSWERED: _unproved_unanswered,
    R.LAST_STOP: _last_stop,
    R.NAK: _nak,
    R.ADOPT: _adopt,
    R.PLAN: _plan,
    R.PAUSE: _pause,
    R.ASSUME_SENT: _assume_sent,
    R.NEW_ORDER: _new_order,
}

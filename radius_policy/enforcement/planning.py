"""The orders that a new generation makes, which of them may go out, and what time alone will make of them. Pure.

Guarantees: planned twice for the same generation, nothing is added the second time; an older order is superseded, or
marked while its datagram is on the wire, so that two orders of a session are never on their way at once.

What becomes of an order once something befalls it is `core.py`.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from radius_policy.enforcement.table import TABLE, H, Happens, R, S
from radius_policy.model import (
    OPEN_STATES,
    SECOND,
    Access,
    Channel,
    HostId,
    Mac,
    Micros,
    Order,
    Session,
    TenantId,
)
from radius_policy.nas.profile import Profile


def plan(
    *,
    tenant: TenantId,
    host_id: HostId,
    macs: Iterable[Mac],
    sessions: Iterable[Session],
    open_orders: Iterable[Order],
    access: Access,
    generation: int,
    tightens: bool,
    by: str,
    now: Micros,
    new_id: Callable[[], str],
) -> tuple[Order, ...]:
    """The orders to put because a host has a new generation: one for each open session of each of its MACs, else one
    that waits for a session of that MAC; and the older orders that it supersedes (or marks, where one is on the wire).

    `sessions` and `open_orders` may hold other MACs and ended ones; they are passed over. `by` is `policy`, `admin` or
    `site`. Called again with the same generation it adds only what is missing, so a retry is harmless.
    """
    put: list[Order] = []
    orders = [order for order in open_orders if order.channel is Channel.NETWORK and order.state in OPEN_STATES]
    present = [session for session in sessions if session.ended is None and session.tenant == tenant]
    for mac in dict.fromkeys(macs):
        own = [order for order in orders if order.mac == mac]
        put.extend(supersede(order, now) for order in own if order.generation < generation)
        standing = [order for order in own if order.generation >= generation]
        ordered = {(order.nas_id, order.session) for order in standing}
        here = [session for session in present if session.mac == mac]
        missing: list[Session | None] = [s for s in here if (s.nas_id, s.session) not in ordered]
        if not here and not standing:
            missing = [None]
        put.extend(
            Order(
                tenant,
                new_id(),
                host_id,
                mac,
                access,
                generation,
                S.PLANNED if session else S.WAITING_FOR_SESSION,
                created=now,
                changed=now,
                nas_id=session.nas_id if session else "",
                session=session.session if session else None,
                by=by,
                tightens=tightens,
            )
            for session in missing
        )
    return tuple(put)


def supersede(order: Order, now: Micros) -> Order:
    """An open order as it is once a newer generation exists: superseded, or marked while its datagram is out."""
    if TABLE[order.state, H.NEWER] is R.MARK:
        return replace(order, superseding=True, changed=now)
    return replace(order, state=S.SUPERSEDED, changed=now, note="a newer generation takes its place")


def deadline(order: Order, profile: Profile, since: Micros) -> tuple[Micros, Happens] | None:
    """What time alone will make happen, and when. `since` is when the state began, or the service, if that was later
    (timers start anew after a restart)."""
    if order.state is S.SENT:
        return since + profile.attempt_us, H.NO_ANSWER
    if order.state in (S.ACKNOWLEDGED, S.ANSWERED):
        return since + confirm_us(order, profile), H.CONFIRM_OVER
    if order.state is S.NOT_CONFIRMED:
        return since + profile.backoff_us, H.RETRY
    return None


def confirm_us(order: Order, profile: Profile) -> int:
    """How long to wait for proof; a change without a new session shows at the next interim only."""
    method = profile.method(order.method)
    if method is not None and not method.access_request:
        return max(profile.confirm_us, profile.interim_us + 10 * SECOND)
    return profile.confirm_us


def may_send(order: Order, of_session: Iterable[Order], answers: int, *, paused: bool, now: Micros) -> bool:
    """Whether a planned order may go out: RADIUS answers its generation already (`answers`: the one in the snapshot),
    no older order of the session is on the wire, its time has come, and no pause stops it."""
    if order.state is not S.PLANNED or now < order.not_before or answers < order.generation:
        return False
    if paused and order.tightens and order.by != "admin":
        return False
    return not any(
        other.state is S.SENT
        and other.id != order.id
        and other.session == order.session
        and other.nas_id == order.nas_id
        for other in of_session
    )

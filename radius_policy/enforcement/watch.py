"""The standing watch: a session with *less* and no open order of its generation gets one (tables.md, "A move").

Pure. It catches what no order stands for any more: a confirmed port that authenticated anew and was answered from an
old snapshot file, or a switch that forgot. After a failure only a new session is tried, or the same one after `retry_s`.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from radius_policy.enforcement.proof import has_less
from radius_policy.model import OPEN_STATES, MacAccess, Micros, Order, OrderState, Session


def orders_for(
    session: Session,
    row: MacAccess,
    orders: Iterable[Order],
    *,
    vlan: str,
    paused: bool,
    retry_us: Callable[[Order], int],
    now: Micros,
    new_id: Callable[[], str],
) -> tuple[Order, ...]:
    """The orders to put because of what was just shown of `session`, or answered to it: none, or a new one, preceded
    by failed ones that it replaces. `row` is what was decided for the MAC, `orders` are those of the MAC, `vlan` is
    that of the decided access ('' = none), `retry_us` how long an order's NAS is left alone after a failure.
    """
    if session.access is None or not has_less(session, row, vlan):
        return ()
    tightens = row.access.strictness > session.access.strictness
    if tightens and paused:
        return ()
    replaced = []
    for order in orders:
        if order.state not in OPEN_STATES or order.generation < row.generation or not _covers(order, session):
            continue
        if order.state is not OrderState.FAILED or now - order.changed < retry_us(order):
            return ()
        replaced.append(replace(order, state=OrderState.SUPERSEDED, changed=now, note="tried anew"))
    new = Order(
        row.tenant,
        new_id(),
        row.host_id,
        row.mac,
        row.access,
        row.generation,
        OrderState.PLANNED,
        created=now,
        changed=now,
        nas_id=session.nas_id,
        session=session.session,
        tightens=tightens,
        note="the session has less than was decided",
    )
    return (*replaced, new)


def _covers(order: Order, session: Session) -> bool:
    """The order is about this session, or on its way at that NAS while the session began before the send (the order ends
    it) or was only answered by us (the order follows to it when accounting tells that the one before is gone)."""
    if order.session in (None, session.session):
        return True
    on_its_way = order.nas_id == session.nas_id and order.state is not OrderState.FAILED
    return on_its_way and (not session.shown or session.started <= order.sent_at)

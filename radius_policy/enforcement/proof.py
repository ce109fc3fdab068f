"""What accounting says about a move: *proof* that the port obeys generation g, or *less* (tables.md, "A move").

Pure, on session records: `shown` says that accounting carried our valid Class (or the VLAN shows in it), which an
Accept alone never does. An old session's Interim or Stop, or a missing Class, is neither proof nor less.
"""

from collections.abc import Iterable

from radius_policy.model import MacAccess, Micros, Order, OrderState, Session


def obeys(session: Session, order: Order, vlan: str) -> bool:
    """Accounting showed this session with the order's access: Class of g or later with the same, or its VLAN."""
    if session.shown and session.access == order.access and (session.generation or 0) >= order.generation:
        return True
    return bool(vlan) and session.vlan == vlan


def has_less(session: Session, order: Order | MacAccess, vlan: str) -> bool:
    """This session has an older generation and other access than was ordered, or decided."""
    if session.generation is None or session.access is None or (vlan and session.vlan == vlan):
        return False
    return session.generation < order.generation and session.access != order.access


def proof(order: Order, sessions: Iterable[Session], vlan: str) -> Session | None:
    """The session that proves the order, None for none. `sessions` are the open ones of the MAC at the order's NAS
    (anywhere, where the order waits); while one of them still has less, nothing is proved. `vlan` is that of the
    order's access, '' where it has none."""
    here = [s for s in sessions if s.ended is None and (s.nas_id == order.nas_id or not order.session)]
    if any(has_less(session, order, vlan) for session in here):
        return None
    return next((session for session in here if obeys(session, order, vlan)), None)


def less(order: Order, session: Session, vlan: str) -> bool:
    """A Start of `session` contradicts the order: it began after the order was sent (or the order waits for one) and
    was shown with an older generation and other access."""
    if not session.shown or not has_less(session, order, vlan):
        return False
    if order.state is OrderState.WAITING_FOR_SESSION:
        return True
    return order.sent_at > 0 and session.nas_id == order.nas_id and session.started > order.sent_at


def less_answered(order: Order, nas_id: str, generation: int, access: str, at: Micros) -> bool:
    """An Accept went out after the order was sent, with an older generation and other access."""
    sent = order.sent_at > 0 and at > order.sent_at and order.nas_id == nas_id
    return sent and generation < order.generation and access != order.access


def answers(order: Order, nas_id: str, generation: int, access: str) -> bool:
    """An Access-Request of its MAC was answered with g, or later with the same access, where the order stands."""
    here = order.nas_id == nas_id or order.state is OrderState.WAITING_FOR_SESSION
    return here and generation >= order.generation and access == order.access

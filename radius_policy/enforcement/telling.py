"""What people are told of a move: the event with host, switch and port, as sentence and as facts for scripts."""

from radius_policy.enforcement.core import Tell
from radius_policy.model import Event, Host, Micros, Nas, Order, Session
from radius_policy.store.interface import Reading


def event_of(tell: Tell, order: Order, reading: Reading, nas: Nas | None, event_id: str, *, at: Micros) -> Event:
    """The event of `tell` about `order` as it is now, at its NAS. `facts.ms` is the time since the order was planned."""
    host = reading.get(Host, order.tenant, order.host_id)
    session = reading.get(Session, order.tenant, order.nas_id, order.session) if order.session else None
    name = host.name if host else order.host_id
    switch = (nas.name or nas.nas_id) if nas else order.nas_id
    port = session.port if session else ""
    took = (at - order.created) // 1000
    place = f" on {switch}" + (f" port {port}" if port else "") if switch else ""
    return Event(
        order.tenant,
        event_id,
        at,
        tell.kind,
        tell.severity,
        f"host:{order.host_id}",
        f"{name} ({order.mac}){place}, {order.access}: {tell.text} ({took} ms)",
        host_id=order.host_id,
        site=host.site if host else (nas.site if nas else ""),
        facts={
            "order": order.id,
            "host_id": order.host_id,
            "host": name,
            "mac": order.mac,
            "nas": order.nas_id,
            "switch": switch,
            "port": port,
            "access": str(order.access),
            "generation": order.generation,
            "state": str(order.state),
            "note": order.note,
            "ms": took,
        },
    )

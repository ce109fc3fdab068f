"""What agents are asked to do: repeated in every answer until they name the order as done, or as refused and why.

A refused order stays on record, for people, until the same is asked again: that asks anew.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from health_agent.contract import Action, OrderNotice
from radius_policy.model import AgentOrder, Event, EventKind, Host, HostId, Micros, PostureReason, Severity, TenantId
from radius_policy.store.interface import Reading, Tx

AT_ONCE: Final = 200
"""Orders in one answer; the rest follows in the next."""


def ask(
    tx: Tx,
    tenant: TenantId,
    hosts: Iterable[HostId],
    action: Action,
    *,
    sha256: str = "",
    generation: int = 0,
    now: Micros,
) -> int:
    """Ask each of these hosts; an order that stands already is not doubled. How many are new."""
    made = 0
    for host_id in hosts:
        order = AgentOrder(tenant, _id(host_id, action, sha256), host_id, action, now, sha256, generation)
        known = tx.get(AgentOrder, tenant, order.id)
        if known is None or known.refused:
            tx.put(order)
            made += 1
    return made


def standing(tx: Reading, tenant: TenantId, host_id: HostId) -> tuple[OrderNotice, ...]:
    """The orders this host has not carried out yet, oldest first."""
    orders = tx.find(AgentOrder, tenant=tenant, host_id=host_id, refused="", order="created", limit=AT_ONCE)
    return tuple(
        OrderNotice(order.id, Action(order.action), order.sha256 or None, order.generation) for order in orders
    )


def done(tx: Tx, tenant: TenantId, host_id: HostId, ids: Iterable[str]) -> int:
    """Forget orders that the host carried out; those of other hosts stay. How many were forgotten."""
    return sum(tx.delete(AgentOrder, tenant=tenant, host_id=host_id, id=order_id) for order_id in ids)


def withdraw(tx: Tx, tenant: TenantId, hosts: Iterable[HostId], sha256: str) -> int:
    """Ask no longer for a cut or an isolation whose cause is gone from a host, and forget that it was refused. How many."""
    found = tx.find(AgentOrder, tenant=tenant, host_id=list(hosts), sha256=sha256, action=[Action.CUT, Action.ISOLATE])
    gone = [each for each in found if tx.get(PostureReason, tenant, each.host_id, sha256) is None]
    return sum(tx.delete(AgentOrder, tenant=tenant, host_id=each.host_id, id=each.id) for each in gone)


def refused(tx: Tx, host: Host, reasons: Mapping[str, str], *, now: Micros) -> int:
    """Close orders that the host cannot carry out, and tell it; those of other hosts stay. How many were closed."""
    closed = 0
    for order_id, reason in reasons.items():
        order = tx.get(AgentOrder, host.tenant, order_id)
        if order is None or order.host_id != host.host_id or order.refused:
            continue
        tx.put(replace(order, refused=reason or "it gave no reason", refused_at=now))
        _tell(tx, host, order, reason, now)
        closed += 1
    return closed


def refusals(tx: Reading, tenant: TenantId, host_id: HostId) -> list[AgentOrder]:
    """What this host could not do, newest first."""
    orders = tx.find(AgentOrder, tenant=tenant, host_id=host_id, order="created", descending=True, limit=AT_ONCE)
    return [order for order in orders if order.refused]


def _tell(tx: Tx, host: Host, order: AgentOrder, reason: str, now: Micros) -> None:
    event = Event(
        host.tenant,
        uuid.uuid4().hex,
        now,
        EventKind.ORDER_REFUSED,
        Severity.WARNING,
        host.host_id,
        f"The agent of {host.name} cannot {order.action.replace('_', ' ')}: {reason}",
        host_id=host.host_id,
        sha256=order.sha256,
        site=host.site,
        facts={"order": order.id, "action": order.action, "reason": reason},
    )
    tx.put(event)
    tx.note(host.tenant, "event", event.id)


def _id(host_id: str, action: str, sha256: str) -> str:
    """The same for the same wish, so that asking twice is asking once."""
    return hashlib.sha256(f"{host_id}\0{action}\0{sha256}".encode()).hexdigest()[:32]

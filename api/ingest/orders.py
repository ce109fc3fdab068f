"""What agents are asked to do: repeated in every answer until they name the order as done."""

import hashlib
from collections.abc import Iterable
from typing import Final

from health_agent.contract import Action, OrderNotice
from radius_policy.model import AgentOrder, HostId, Micros, TenantId
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
        made += tx.add(AgentOrder(tenant, _id(host_id, action, sha256), host_id, action, now, sha256, generation))
    return made


def standing(tx: Reading, tenant: TenantId, host_id: HostId) -> tuple[OrderNotice, ...]:
    """The orders this host has not carried out yet, oldest first."""
    orders = tx.find(AgentOrder, tenant=tenant, host_id=host_id, order="created", limit=AT_ONCE)
    return tuple(
        OrderNotice(order.id, Action(order.action), order.sha256 or None, order.generation) for order in orders
    )


def done(tx: Tx, tenant: TenantId, host_id: HostId, ids: Iterable[str]) -> int:
    """Forget orders that the host carried out; those of other hosts stay. How many were forgotten."""
    return sum(tx.delete(AgentOrder, tenant=tenant, host_id=host_id, id=order_id) for order_id in ids)


def _id(host_id: str, action: str, sha256: str) -> str:
    """The same for the same wish, so that asking twice is asking once."""
    return hashlib.sha256(f"{host_id}\0{action}\0{sha256}".encode()).hexdigest()[:32]

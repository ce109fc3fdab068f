"""Endpoints: found by id, name or MAC, shown with everything decided about them, cleared, quarantined, released."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from api import audit
from api.auth.roles import Identity, Role
from api.errors import Conflict, NotFound, Refused
from api.ingest import orders as agent_orders
from radius_policy.model import (
    OPEN_STATES,
    Host,
    HostId,
    HostState,
    Mac,
    MacBinding,
    Micros,
    Order,
    PostureReason,
    Reason,
    Session,
    TenantId,
)
from radius_policy.store.interface import Reading, Tx

if TYPE_CHECKING:
    from radius_policy.judgement.policy import Policy

SHORTEST_PREFIX: Final = 4
_MAC: Final = re.compile(r"[0-9A-Fa-f]{2}(?:[:-]?[0-9A-Fa-f]{2}){5}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}")


def canonical_mac(text: str) -> Mac | None:
    """`AA-BB-…`, `aabb.ccdd.eeff` or `aabbccddeeff` as `aa:bb:…`; None where it is no MAC address."""
    if not _MAC.fullmatch(text.strip()):
        return None
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    return Mac(":".join(digits[i : i + 2] for i in range(0, 12, 2)))


def find_host(tx: Reading, tenant: TenantId, text: str) -> Host:
    """The endpoint of this id, MAC address, name, or beginning of its id. Raises NotFound, or Refused if it names several."""
    text = text.strip()
    if host := tx.get(Host, tenant, HostId(text)):
        return host
    if mac := canonical_mac(text):
        bound = tx.find(MacBinding, tenant=tenant, mac=mac)
        newest = max(bound, key=lambda binding: binding.proved_at, default=None)
        host = tx.get(Host, tenant, newest.host_id) if newest else None
        if host is None:
            raise NotFound(f"no endpoint has the MAC address {mac}")
        return host
    named = tx.find(Host, tenant=tenant, name=text)
    if not named and len(text) >= SHORTEST_PREFIX:
        named = tx.find(Host, tenant=tenant, order="host_id", after=text, before=text + "~", limit=2)
    if not named:
        hint = "" if ":" not in text and "-" not in text else " (a MAC address has six pairs of hexadecimal digits)"
        raise NotFound(f'there is no endpoint "{text[:100]}"{hint}')
    if len(named) > 1:
        ids = ", ".join(host.host_id for host in named[:5])
        raise Refused(f'several endpoints are named "{text}": say which by its id: {ids}')
    return named[0]


def hosts(
    tx: Reading, who: Identity, *, limit: int = 100, after: str | None = None, site: str | None = None
) -> list[dict[str, Any]]:
    """A page of endpoints that `who` may see, by id: pass the last one's id as `after` for the next page."""
    page: list[dict[str, Any]] = []
    while len(page) < limit:
        equals: dict[str, Any] = {"site": site} if site else {}
        found = tx.find(Host, tenant=who.tenant, order="host_id", after=after, limit=limit, **equals)
        page += [short_view(tx, host) for host in found if who.sees(host.site)]
        if len(found) < limit:
            break
        after = found[-1].host_id
    return page[:limit]


def short_view(tx: Reading, host: Host) -> dict[str, Any]:
    """One line about an endpoint as plain data."""
    state = tx.get(HostState, host.tenant, host.host_id)
    macs = sorted(binding.mac for binding in tx.find(MacBinding, tenant=host.tenant, host_id=host.host_id))
    return {
        "host_id": host.host_id,
        "name": host.name,
        "site": host.site,
        "groups": list(host.groups),
        "role": host.role,
        "macs": macs,
        "posture": str(state.posture) if state else "unmonitored",
        "access": str(state.access) if state else "production",
        "generation": state.generation if state else 0,
        "since": state.since if state else None,
        "last_evidence": host.last_evidence,
        "never_quarantine": host.never_quarantine,
    }


def whole_view(tx: Reading, host: Host) -> dict[str, Any]:
    """Everything decided about an endpoint, with the reasons, sessions and open orders."""
    state = tx.get(HostState, host.tenant, host.host_id)
    view = short_view(tx, host)
    sessions = tx.find(Session, tenant=host.tenant, mac=view["macs"], ended=None) if view["macs"] else []
    orders = tx.find(Order, tenant=host.tenant, host_id=host.host_id, order="created", descending=True, limit=20)
    reasons = tx.find(PostureReason, tenant=host.tenant, host_id=host.host_id)
    return view | {
        "posture_reason": _reason(state.posture_reason) if state else None,
        "access_reason": _reason(state.access_reason) if state else None,
        "reasons": [
            {
                "key": reason.key,
                "posture": str(reason.posture),
                "at": reason.at,
                "move": reason.move,
                "contained": reason.contained,
                "reason": _reason(reason.reason),
            }
            for reason in sorted(reasons, key=lambda each: each.at)
        ],
        "refused": [
            {"action": order.action, "sha256": order.sha256, "reason": order.refused, "at": order.refused_at}
            for order in agent_orders.refusals(tx, host.tenant, host.host_id)
        ],
        "sessions": [
            {
                "nas": session.nas_id,
                "port": session.port,
                "mac": session.mac,
                "vlan": session.vlan,
                "access": str(session.access) if session.access else None,
                "started": session.started,
            }
            for session in sessions
        ],
        "ordered": {"what": state.ordered, "by": state.ordered_by, "why": state.ordered_why, "at": state.ordered_at}
        if state and state.ordered
        else None,
        "orders": [
            {
                "id": order.id,
                "mac": order.mac,
                "access": str(order.access),
                "generation": order.generation,
                "state": str(order.state),
                "nas": order.nas_id,
                "changed": order.changed,
                "note": order.note,
                "open": order.state in OPEN_STATES,
            }
            for order in orders
        ],
        "operation": str(host.operation),
        "sensor": host.sensor,
        "agent_version": host.agent_version,
        "enrolled_at": host.enrolled_at,
        "cleared_at": host.cleared_at,
        "clock_offset_us": host.clock_offset_us,
        "clock_uncertainty_us": host.clock_uncertainty_us,
    }


def clear(tx: Tx, who: Identity, host: Host, *, why: str = "", now: Micros, policy: "Policy") -> HostState:
    """A person looked at it: reasons older than now end."""
    from radius_policy import judgement

    def act() -> HostState:
        return judgement.clear_host(tx, host.tenant, host.host_id, now=now, policy=policy, author=who.name)

    return _deed(tx, who, host, "host.clear", why, now, act)


def quarantine(tx: Tx, who: Identity, host: Host, *, why: str = "", now: Micros, policy: "Policy") -> HostState:
    """Move it until withdrawn. The state says why not, where a never-quarantine list or a group's minimum forbids it."""
    from radius_policy import judgement

    def act() -> HostState:
        return judgement.quarantine(tx, host.tenant, host.host_id, now=now, policy=policy, author=who.name, why=why)

    return _deed(tx, who, host, "host.quarantine", why, now, act)


def release(tx: Tx, who: Identity, host: Host, *, why: str = "", now: Micros, policy: "Policy") -> HostState:
    """Back to production until there is a new reason."""
    from radius_policy import judgement

    def act() -> HostState:
        return judgement.release(tx, host.tenant, host.host_id, now=now, policy=policy, author=who.name, why=why)

    return _deed(tx, who, host, "host.release", why, now, act)


def withdraw(tx: Tx, who: Identity, host: Host, *, why: str = "", now: Micros, policy: "Policy") -> HostState:
    """Take a person's quarantine or release back: the tables decide again."""
    from radius_policy import judgement

    def act() -> HostState:
        return judgement.withdraw(tx, host.tenant, host.host_id, now=now, policy=policy, author=who.name)

    return _deed(tx, who, host, "host.withdraw", why, now, act)


def protect(tx: Tx, who: Identity, host: Host, on: bool, *, why: str = "", now: Micros, policy: "Policy") -> HostState:
    """Put it on the never-quarantine list, or take it off."""
    from radius_policy import judgement

    who.require(Role.ADMIN)
    tx.put(replace(host, never_quarantine=on))
    tx.note(host.tenant, "host", host.host_id)
    what = "host.protect" if on else "host.unprotect"
    return _deed(
        tx, who, host, what, why, now, lambda: judgement.refresh(tx, host.tenant, host.host_id, now=now, policy=policy)
    )


DEEDS: Final[Mapping[str, Callable[..., HostState]]] = {
    "clear": clear,
    "quarantine": quarantine,
    "release": release,
    "withdraw": withdraw,
    "protect": protect,
}
"""What is done to one host, by the word that a person says."""


def _deed(
    tx: Tx, who: Identity, host: Host, what: str, why: str, now: Micros, act: Callable[[], HostState]
) -> HostState:
    from radius_policy.judgement import Refused as Stays

    who.require(Role.OPERATOR, host.site)
    try:
        state = act()
    except Stays as refused:
        raise Conflict(f"{host.name} stays where it is: {refused}") from refused
    detail = {"why": why, "name": host.name, "access": str(state.access)}
    audit.append(tx, host.tenant, at=now, who=who.name, what=what, subject=host.host_id, detail=detail)
    return state


def _reason(reason: Reason) -> dict[str, str]:
    return {"level": reason.level, "text": reason.text, "ref": reason.ref, "author": reason.author}

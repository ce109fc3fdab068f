"""Tool roles: what inventoried programs are trusted to do. An inventory proposes them, a person confirms them.

Guarantees: a role is given to a content (SHA-256) that an endpoint's inventory lists, never to a name; only role
`deployment` carries a trust (tables.md, Grace rules); shells and interpreters never become deployment tools, because
whatever a user types or a script starts would be trusted with them. New starts are judged with the role at once;
what was decided before stays as it is, because a change without a new start moves nobody.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from api import audit
from api.auth.roles import Identity, Role
from api.errors import NotFound, Refused
from radius_policy.facts import roles
from radius_policy.judgement.policy import LISTS
from radius_policy.model import ListEntry, ListKind, Micros, Sha256, TenantId, Tool, ToolRole
from radius_policy.store.interface import Reading, Tx

TRUSTS: Final = ("proof", "grace")
MOST_HOURS: Final = 24 * 365
MOST_HOSTS: Final = 1_000_000
_PREFIX: Final = re.compile(r"[0-9a-f]{8,64}")
_NEVER_DEPLOY: Final = (ToolRole.SHELL, ToolRole.INTERPRETER)


@dataclass(frozen=True, slots=True)
class ToolWish:
    """What a person confirms: a role (None: the proposed one), and for a deployment tool how far it is trusted.
    `trust` is `proof` or `grace`; `hours` and `max_hosts` belong to `grace`. None leaves the default."""

    role: ToolRole | None = None
    trust: str | None = None
    hours: int | None = None
    max_hosts: int | None = None
    why: str = ""


def tools(tx: Reading, tenant: TenantId, role: ToolRole | None = None) -> list[Tool]:
    """All of them, or those of a role: by role, the unconfirmed first, then by name."""
    found = [tool for tool in tx.find(Tool, tenant=tenant) if role is None or tool.role is role]
    order = list(ToolRole)
    return sorted(found, key=lambda tool: (order.index(tool.role), tool.confirmed, tool.name, tool.sha256))


def confirm_tool(tx: Tx, who: Identity, text: str, wish: ToolWish, *, now: Micros) -> Tool:
    """Give a role, or confirm the proposed one. `text` is the SHA-256, or 8 or more digits of one that has a role.
    Raises Refused or NotFound."""
    who.require(Role.ADMIN)
    before = _find(tx, who.tenant, text)
    known = before or _inventoried(tx, who.tenant, text)
    role = wish.role or (before.role if before else None)
    if role is None:
        raise Refused(f"the inventory proposes no role for {known.name}: name one with --role")
    proposed = roles.role_for(known.name)
    if role is ToolRole.DEPLOYMENT and (proposed or known.role) in _NEVER_DEPLOY:
        raise Refused(
            f"{known.name} is a {proposed or known.role}: as a deployment tool it would vouch for whatever it is told to start"
        )
    made = replace(known, role=role, confirmed=True, author=who.name, at=now, **_trust(role, wish, before))
    tx.put(made)
    tx.note(who.tenant, "settings", LISTS)
    detail = {key: value for key, value in shown(made).items() if key not in ("sha256", "author", "at")}
    detail |= {"why": wish.why, "from": shown(before) if before else None}
    audit.append(tx, who.tenant, at=now, who=who.name, what="tool.confirm", subject=made.sha256, detail=detail)
    return made


def remove_tool(tx: Tx, who: Identity, text: str, *, why: str = "", now: Micros) -> Tool:
    """Take its role away; a later inventory may propose it again, unconfirmed. Raises NotFound."""
    who.require(Role.ADMIN)
    tool = _find(tx, who.tenant, text)
    if tool is None:
        raise NotFound(f"{text} has no tool role; `pratique tool list` shows those that have")
    tx.delete(Tool, tenant=who.tenant, sha256=tool.sha256)
    tx.note(who.tenant, "settings", LISTS)
    detail = {"why": why, "from": shown(tool)}
    audit.append(tx, who.tenant, at=now, who=who.name, what="tool.remove", subject=tool.sha256, detail=detail)
    return tool


def shown(tool: Tool) -> dict[str, Any]:
    """A tool as plain data. `hours` and `max_hosts` mean something for trust `grace` alone."""
    graced = {"hours": tool.hours, "max_hosts": tool.max_hosts} if tool.trust == "grace" else {}
    return {
        "sha256": str(tool.sha256),
        "role": str(tool.role),
        "name": tool.name,
        "home": tool.home,
        "confirmed": tool.confirmed,
        "trust": tool.trust or None,
        **graced,
        "author": tool.author,
        "at": tool.at or None,
    }


def _trust(role: ToolRole, wish: ToolWish, before: Tool | None) -> dict[str, Any]:
    if role is not ToolRole.DEPLOYMENT:
        if wish.trust or wish.hours is not None or wish.max_hosts is not None:
            raise Refused(f"only a deployment tool has a trust; what a {role} writes is never proven by that")
        return {"trust": ""}
    trust = wish.trust or (before.trust if before and before.confirmed else "") or TRUSTS[0]
    if trust not in TRUSTS:
        raise Refused(
            f'"{trust}" is no trust: proof (what it writes is proven) or grace (for some hours, on some hosts)'
        )
    if trust != "grace" and (wish.hours is not None or wish.max_hosts is not None):
        raise Refused("hours and hosts belong to trust grace; proof has no such bounds")
    bounds = {}
    for name, given, most in (("hours", wish.hours, MOST_HOURS), ("max_hosts", wish.max_hosts, MOST_HOSTS)):
        if given is not None:
            if not 1 <= given <= most:
                raise Refused(f"{name} of a trust is between 1 and {most:,}, not {given}")
            bounds[name] = given
    return {"trust": trust, **bounds}


def _find(tx: Reading, tenant: TenantId, text: str) -> Tool | None:
    prefix = text.strip().lower()
    if not _PREFIX.fullmatch(prefix):
        raise Refused(f'"{text}" is no SHA-256: it has 64 hexadecimal digits (or at least 8 of one that has a role)')
    found = [tool for tool in tx.find(Tool, tenant=tenant) if tool.sha256.startswith(prefix)]
    if len(found) > 1:
        raise Refused(f"several tools begin with {prefix}; give more digits")
    return found[0] if found else None


def _inventoried(tx: Reading, tenant: TenantId, text: str) -> Tool:
    """The bare tool of a content that has no role yet, as an endpoint's inventory lists it."""
    sha = text.strip().lower()
    lines = tx.find(ListEntry, tenant=tenant, kind=ListKind.HASH, value=sha)
    line = next((line for line in lines if line.batch == "inventory" and line.name), None)
    if line is None:
        raise NotFound(
            f"no inventory lists {text}, and a role is for inventoried programs: run `pratique agent learn` there"
        )
    name = line.name.replace("\\", "/").rpartition("/")[2]
    return Tool(tenant, Sha256(sha), ToolRole.DEPLOYMENT, name)

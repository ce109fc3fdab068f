"""The allow and the deny list: entries are checked, named in the audit, and decided upon in the same transaction.

Guarantees: an entry says who, why and where it holds; a hash may be given by any unique prefix of a known executable;
a scope names something. What an entry changes for hosts is worked out by `settle.py` afterwards, in batches.
"""

import re
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from api import audit
from api.auth.roles import Identity, Role
from api.errors import Conflict, NotFound, Refused
from radius_policy.model import (
    Event,
    EventKind,
    Executable,
    ListEntry,
    ListKind,
    Micros,
    Severity,
    Sha256,
    TenantId,
)
from radius_policy.store.interface import Reading, Tx

if TYPE_CHECKING:
    from radius_policy import judgement
    from radius_policy.judgement.policy import Policy

SHORTEST_PREFIX: Final = 8
_HEX: Final = re.compile(r"[0-9a-f]+")
_SCOPE: Final = re.compile(r"fleet|(?:site|group|host):.{1,253}")
_SHA256: Final = 64


@dataclass(frozen=True, slots=True)
class Wish:
    """An entry that somebody asks for. `action` is `allow` or `deny`; `expires` by the service's clock."""

    action: str
    value: str
    kind: ListKind = ListKind.HASH
    scope: str = "fleet"
    why: str = ""
    ticket: str = ""
    expires: Micros | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """The entry and what it touches: recompute these with `settle`."""

    entry: ListEntry
    touched: "judgement.Touched"


def add_entry(tx: Tx, who: Identity, wish: Wish, *, now: Micros, policy: "Policy") -> Decided:
    """Put an entry on a list. Raises Refused, NotFound, Conflict or Forbidden."""
    from radius_policy import judgement
    from radius_policy.judgement.decisions import Removal

    site = wish.scope.removeprefix("site:") if wish.scope.startswith("site:") else None
    who.require(Role.OPERATOR, site)
    wish = _checked(tx, who.tenant, wish, now)
    same = [
        entry
        for entry in tx.find(ListEntry, tenant=who.tenant, kind=wish.kind, value=wish.value)
        if entry.scope == wish.scope and entry.confirmed and (entry.expires is None or entry.expires > now)
    ]
    if any(entry.action == wish.action and entry.expires == wish.expires for entry in same):
        raise Conflict(f"{wish.value} is on the {wish.action} list for {wish.scope} already")
    entry = ListEntry(
        who.tenant,
        uuid.uuid4().hex,
        wish.action,
        wish.kind,
        wish.value,
        wish.scope,
        author=who.name,
        why=wish.why,
        ticket=wish.ticket,
        created=now,
        expires=wish.expires,
    )
    if wish.action == "allow":
        # The person's newest word about exactly this counts: a deny of the same thing by hand would win for ever.
        for denied in (old for old in same if old.action == "deny"):
            policy = judgement.decide_list(tx, Removal(who.tenant, denied.id), now=now, policy=policy).policy
            _noted(tx, who, "deny.remove", denied, now)
    touched = judgement.decide_list(tx, entry, now=now, policy=policy)
    _noted(tx, who, f"{wish.action}.add", entry, now)
    _tell(tx, who, entry, now)
    return Decided(entry, touched)


def remove_entry(tx: Tx, who: Identity, action: str, text: str, *, now: Micros, policy: "Policy") -> list[Decided]:
    """Take entries off a list: the one with this id, or all of this value. Raises NotFound or Forbidden."""
    from radius_policy import judgement
    from radius_policy.judgement.decisions import Removal

    found = [entry for entry in _named(tx, who.tenant, text) if entry.action == action]
    if not found:
        raise NotFound(f'nothing on the {action} list is "{text}"; `pratique {action} list` shows what is')
    decided = []
    for entry in found:
        site = entry.scope.removeprefix("site:") if entry.scope.startswith("site:") else None
        who.require(Role.OPERATOR, site)
        touched = judgement.decide_list(tx, Removal(who.tenant, entry.id), now=now, policy=policy)
        policy = touched.policy
        decided.append(Decided(entry, touched))
        _noted(tx, who, f"{action}.remove", entry, now)
    return decided


def entries(
    tx: Reading,
    tenant: TenantId,
    action: str,
    *,
    limit: int = 100,
    before: Micros | None = None,
    inventory: bool = False,
) -> list[ListEntry]:
    """A page of a list, newest first; unconfirmed inventory lines only when asked for. It holds at least `limit`
    entries while there are so many: those of one moment (a scan, an import) are never cut apart."""
    page: list[ListEntry] = []
    while len(page) < limit:
        found = tx.find(
            ListEntry, tenant=tenant, action=action, order="created", descending=True, before=before, limit=limit
        )
        whole = len(found) < limit
        if not whole:
            before = found[-1].created
            found = [entry for entry in found if entry.created > before]
            found += tx.find(ListEntry, tenant=tenant, action=action, created=before)
        page += [entry for entry in found if inventory or entry.confirmed]
        if whole:
            break
    return page


def resolve_hash(tx: Reading, tenant: TenantId, text: str) -> Sha256:
    """A whole SHA-256, or the known executable that begins with `text`. Raises Refused or NotFound."""
    prefix = text.strip().lower()
    if not _HEX.fullmatch(prefix) or len(prefix) > _SHA256:
        raise Refused(
            f'"{text}" is no SHA-256: it has 64 hexadecimal digits (or at least {SHORTEST_PREFIX} of a known one)'
        )
    if len(prefix) == _SHA256:
        return Sha256(prefix)
    if len(prefix) < SHORTEST_PREFIX:
        raise Refused(f'"{text}" is too short: give at least {SHORTEST_PREFIX} digits of the hash')
    known = tx.find(Executable, tenant=tenant, order="sha256", after=prefix, before=prefix + "g", limit=2)
    if not known:
        raise NotFound(f"no known executable begins with {prefix}; give all 64 digits, or the file itself")
    if len(known) > 1:
        raise Refused(f"several known executables begin with {prefix}; give more digits")
    return known[0].sha256


def shown(entry: ListEntry) -> dict[str, Any]:
    """An entry as plain data."""
    return {
        "id": entry.id,
        "action": entry.action,
        "kind": str(entry.kind),
        "value": entry.value,
        "scope": entry.scope,
        "author": entry.author,
        "why": entry.why,
        "ticket": entry.ticket,
        "created": entry.created,
        "expires": entry.expires,
        "confirmed": entry.confirmed,
        "name": entry.name,
    }


def _checked(tx: Reading, tenant: TenantId, wish: Wish, now: Micros) -> Wish:
    from radius_policy.lists.index import DENIABLE

    if wish.action not in ("allow", "deny"):
        raise Refused(f'there is an allow list and a deny list, no "{wish.action}" list')
    if wish.action == "deny" and wish.kind not in DENIABLE:
        raise Refused(f"a deny names {', '.join(sorted(DENIABLE))}; a {wish.kind} cannot be denied")
    if not _SCOPE.fullmatch(wish.scope):
        raise Refused(f'"{wish.scope}" is no scope: fleet, site:NAME, group:NAME or host:ID')
    if wish.expires is not None and wish.expires <= now:
        raise Refused("the entry would have expired already; give a time to come")
    if not wish.value.strip():
        raise Refused("an entry needs a value: a hash, a signer, a package …")
    if len(wish.value) > 1000 or len(wish.why) > 2000 or len(wish.ticket) > 200:
        raise Refused("value, reason or ticket are too long")
    if wish.kind in (ListKind.HASH, ListKind.CERTIFICATE):
        return replace(wish, value=resolve_hash(tx, tenant, wish.value))
    if wish.kind is ListKind.PRODUCT and wish.value.count("|") != 2:
        raise Refused("a product entry is SIGNER|PRODUCT|MINIMUM-VERSION")
    return replace(wish, value=wish.value.strip())


def _named(tx: Reading, tenant: TenantId, text: str) -> list[ListEntry]:
    by_id = tx.get(ListEntry, tenant, text)
    if by_id is not None:
        return [by_id]
    exact = [e for e in tx.find(ListEntry, tenant=tenant, kind=tuple(ListKind), value=text) if e.confirmed]
    if exact:
        return exact
    try:
        value = resolve_hash(tx, tenant, text)
    except Refused:  # no hash either: the caller says that nothing is named so
        return []
    return [e for e in tx.find(ListEntry, tenant=tenant, kind=ListKind.HASH, value=value) if e.confirmed]


def _noted(tx: Tx, who: Identity, what: str, entry: ListEntry, now: Micros) -> None:
    detail = {"id": entry.id, "kind": str(entry.kind), "scope": entry.scope, "why": entry.why, "ticket": entry.ticket}
    audit.append(tx, who.tenant, at=now, who=who.name, what=what, subject=entry.value, detail=detail)


def _tell(tx: Tx, who: Identity, entry: ListEntry, now: Micros) -> None:
    sha = entry.value if entry.kind is ListKind.HASH else ""
    known = tx.get(Executable, who.tenant, Sha256(sha)) if sha else None
    name = f"{known.name} ({sha[:12]})" if known and known.name else (sha[:12] or f"{entry.kind} {entry.value}")
    verb = "allowed" if entry.action == "allow" else "denied"
    event = Event(
        who.tenant,
        uuid.uuid4().hex,
        now,
        EventKind.ALLOWED if entry.action == "allow" else EventKind.DENIED,
        Severity.INFO,
        sha or entry.id,
        f"{who.name} {verb} {name} for {entry.scope}" + (f": {entry.why}" if entry.why else ""),
        sha256=sha,
        facts={"entry": entry.id, "kind": str(entry.kind), "value": entry.value, "scope": entry.scope},
    )
    tx.put(event)
    tx.note(who.tenant, "event", event.id)

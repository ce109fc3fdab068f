"""Many entries at once: validated line by line, taken whole or not at all, undone by the number of their batch.

An imported deny line that is *wide* (it touches a file that an installed package owns, or more hosts than the breaker
allows) is `proposed`: it decides nothing until a person confirms it (tables.md, At the edges; J10). A person's own
single deny is not an import and needs no such thing.

What it does not do: it recomputes nothing. The caller does, for the executables that `Imported.touched` names.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from radius_policy.judgement import precedents
from radius_policy.judgement.inventory import INVENTORY
from radius_policy.lists.sources import Entry
from radius_policy.model import HostExecutable, ListEntry, ListKind, Micros, PastEntry, Prevalence, Sha256, TenantId
from radius_policy.store.interface import Reading, Tx

LISTS = "lists"
"""The key of the `settings` change under which a changed list is noted."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What an import would do: the preview. `proposed` are entries with the reason why they are wide."""

    batch: str
    entries: tuple[ListEntry, ...]
    proposed: tuple[tuple[ListEntry, str], ...]
    already: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import or its undoing did. `touched` are executables that this fleet has seen."""

    batch: str
    entries: int
    proposed: int
    touched: tuple[Sha256, ...]


Wide = Callable[[Sha256], str | None]
Deed = Callable[[Tx], Imported]


def wide_by_store(reading: Reading, tenant: TenantId, most_hosts: int) -> Wide:
    """Why a deny of this executable would be wide, by what the store has seen; None where it would not be."""

    def wide(sha256: Sha256) -> str | None:
        fleet = reading.get(Prevalence, tenant, sha256, "fleet")
        if fleet is not None and fleet.hosts > most_hosts:
            return f"it ran on {fleet.hosts} hosts, the breaker moves {most_hosts}"
        for seen in reading.find(HostExecutable, tenant=tenant, sha256=sha256, limit=200):
            if seen.facts.get("provenance.proven") is True:
                return f"an installed package owns it: {seen.facts.get('provenance.detail') or seen.path}"
        lines = reading.find(ListEntry, tenant=tenant, kind=ListKind.HASH, value=sha256)
        if any(line.author == INVENTORY and line.proven for line in lines):
            return "the inventory lists it as owned by an installed package"
        return None

    return wide


def plan(
    reading: Reading,
    tenant: TenantId,
    lines: Iterable[Entry],
    *,
    action: str,
    author: str,
    why: str,
    now: Micros,
    wide: Wide | None = None,
    scope: str = "fleet",
    expires: Micros | None = None,
    batch: str = "",
) -> Planned:
    """What importing these lines would do, writing nothing. Lines that say the same count once; hashes that a
    confirmed entry of the same action and scope has already are `already`."""
    batch = batch or f"b{secrets.token_hex(6)}"
    entries: list[ListEntry] = []
    proposed: list[tuple[ListEntry, str]] = []
    seen: set[str] = set()
    already = 0
    for line in lines:
        if line.sha256 in seen:
            continue
        seen.add(line.sha256)
        there = reading.find(ListEntry, tenant=tenant, kind=ListKind.HASH, value=line.sha256)
        if any(old.action == action and old.scope == scope and old.confirmed for old in there):
            already += 1
            continue
        said = f"{why}: {line.text}" if line.text else why
        entry = ListEntry(
            tenant,
            f"{batch}-{len(seen)}",
            action,
            ListKind.HASH,
            line.sha256,
            scope,
            author,
            said[:500],
            "",
            now,
            expires,
            True,
            batch,
        )
        reason = wide(Sha256(line.sha256)) if wide is not None and action == "deny" else None
        if reason is None:
            entries.append(entry)
        else:
            proposed.append((replace(entry, confirmed=False), reason))
    return Planned(batch, tuple(entries), tuple(proposed), already)


def carry_out(tx: Tx, tenant: TenantId, planned: Planned) -> Imported:
    """Write a planned import, all of it, in this transaction."""
    tx.put(*planned.entries, *(entry for entry, _ in planned.proposed))
    touched = _in_force(tx, tenant, planned.entries)
    return Imported(planned.batch, len(planned.entries), len(planned.proposed), touched)


def undo(tx: Tx, tenant: TenantId, batch: str, *, now: Micros) -> Imported:
    """Take a whole batch back; what it decided until `now` stays known. Raises LookupError where there is none of it."""
    entries = tx.find(ListEntry, tenant=tenant, batch=batch) if batch else []
    if not entries:
        raise LookupError(f"no batch {batch!r}: it was never imported, or undone already")
    tx.delete(ListEntry, tenant=tenant, batch=batch)
    deciding = [entry for entry in entries if entry.confirmed]
    tx.put(*(PastEntry(tenant, each.id, now, each.kind, each.value, each) for each in deciding))
    return Imported(batch, len(deciding), len(entries) - len(deciding), _noted(tx, tenant, deciding))


def confirm(tx: Tx, tenant: TenantId, entry_id: str, author: str) -> Imported:
    """A person confirms a proposed entry: from now on it decides. Raises LookupError where there is none to confirm."""
    entry = tx.get(ListEntry, tenant, entry_id)
    if entry is None or entry.confirmed:
        raise LookupError(f"there is no proposed entry {entry_id!r}")
    done = replace(entry, confirmed=True, author=author)
    tx.put(done)
    return Imported(entry.batch, 1, 0, _in_force(tx, tenant, [done]))


def _in_force(tx: Tx, tenant: TenantId, entries: Sequence[ListEntry]) -> tuple[Sha256, ...]:
    """What follows at once from entries that decide now: a denied executable sets no precedents."""
    touched = _noted(tx, tenant, entries)
    for entry in entries:
        if entry.action == "deny" and entry.value in touched:
            precedents.forget(tx, tenant, Sha256(entry.value))
    return touched


def _noted(tx: Tx, tenant: TenantId, entries: Sequence[ListEntry]) -> tuple[Sha256, ...]:
    """The executables of these entries that this fleet has seen, noted as changed."""
    tx.note(tenant, "settings", LISTS)
    hashes = (Sha256(entry.value) for entry in entries if entry.kind is ListKind.HASH)
    touched = tuple(sha for sha in hashes if tx.get(Prevalence, tenant, sha, "fleet") is not None)
    for sha in touched:
        tx.note(tenant, "executable", sha)
    return touched

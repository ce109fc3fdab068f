"""The verdict on a start at another time than its own: what lists said then, and what they say now.

Guarantees: a decision counts from when it was made until it was taken away or expired. A start that was judged late (an
endpoint that was offline) is not called allowed for a time before the entry that allows it. Reading only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from itertools import chain
from typing import Final

from radius_policy.facts.table import Facts, of_execution
from radius_policy.lists.index import Hit, Lists
from radius_policy.model import (
    Execution,
    Host,
    ListEntry,
    ListKind,
    Micros,
    PastEntry,
    TenantId,
    VerdictWord,
)
from radius_policy.store.interface import Reading

CHUNK: Final = 500
FOREVER: Final = 2**63


@dataclass(frozen=True, slots=True)
class Held:
    """An entry and when it held: from `since` until before `until`."""

    entry: ListEntry
    index: Lists
    since: Micros
    until: Micros

    def at(self, moment: Micros) -> bool:
        return self.since <= moment < self.until


@dataclass(frozen=True, slots=True)
class Then:
    """The lists' past, as far as it is about some executables."""

    by_hash: dict[str, tuple[Held, ...]]
    others: tuple[Held, ...]
    by_id: dict[str, Held]

    @classmethod
    def read(cls, reading: Reading, tenant: TenantId, shas: Iterable[str | None]) -> "Then":
        wanted = sorted({sha for sha in shas if sha is not None})
        parts = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
        kinds = [kind for kind in ListKind if kind is not ListKind.HASH]
        now: list[ListEntry] = [
            *chain.from_iterable(
                reading.find(ListEntry, tenant=tenant, kind=ListKind.HASH, value=part, confirmed=True) for part in parts
            ),
            *reading.find(ListEntry, tenant=tenant, kind=kinds, confirmed=True),
        ]
        past: list[PastEntry] = [
            *chain.from_iterable(
                reading.find(PastEntry, tenant=tenant, kind=ListKind.HASH, value=part) for part in parts
            ),
            *reading.find(PastEntry, tenant=tenant, kind=kinds),
        ]
        held = [_held(entry, FOREVER) for entry in now]
        held += [_held(one.entry, one.removed) for one in past if one.entry.confirmed]
        by_hash: dict[str, list[Held]] = {}
        others: list[Held] = []
        for each in held:
            if each.entry.kind is ListKind.HASH:
                by_hash.setdefault(each.entry.value, []).append(each)
            else:
                others.append(each)
        return cls(
            {sha: tuple(rows) for sha, rows in by_hash.items()}, tuple(others), {one.entry.id: one for one in held}
        )

    def about(self, sha256: str | None) -> tuple[Held, ...]:
        """What may hold for an executable, in no order."""
        own = self.by_hash.get(sha256, ()) if sha256 is not None else ()
        return (*own, *self.others) if self.others else own

    def changes(self, sha256: str | None) -> list[Micros]:
        """When a decision about an executable began or ended."""
        found = {moment for held in self.about(sha256) for moment in (held.since, held.until)}
        return sorted(found - {FOREVER})

    def word(self, execution: Execution, host: Host, at: Micros) -> VerdictWord:
        """The verdict on a start as of `at`, which is not before it began."""
        return self.said(execution, host, at)[0]

    def said(self, execution: Execution, host: Host, at: Micros) -> tuple[VerdictWord, str]:
        """The same with a sentence why."""
        held = [each for each in self.about(execution.sha256) if each.at(at)]
        facts = _facts(execution, host) if held else None
        if facts is not None and (hit := _first(each.index.deny(facts, at) for each in held)):
            return VerdictWord.DENIED, _by(hit)
        word, reason = execution.verdict, execution.reason
        own = self.by_id.get(reason.ref)
        judged_allowed = word is VerdictWord.ALLOWED
        if judged_allowed and (own is None or own.at(at)):
            return word, reason.text
        # A decision made since the start counts; one from before it did not hold for it, or it would have been allowed.
        later = [each for each in held if judged_allowed or each.since > execution.started]
        if facts is not None and (hit := _first(each.index.allow(facts, at) for each in later)):
            return VerdictWord.ALLOWED, _by(hit)
        if own is not None and not own.at(at):
            return (
                VerdictWord.UNKNOWN,
                f"nothing decided it: {'not yet' if own.since > at else 'no longer'} on the list",
            )
        if word is VerdictWord.GRACED and execution.until is not None and execution.until <= at:
            return VerdictWord.UNKNOWN, "its grace is over"
        return word, reason.text


def _first(hits: Iterable[Hit | None]) -> Hit | None:
    return next((hit for hit in hits if hit is not None), None)


def _by(hit: Hit) -> str:
    return f"{hit.text} ({hit.entry.author})" if hit.entry.author else hit.text


def _held(entry: ListEntry, removed: Micros) -> Held:
    return Held(entry, Lists((entry,)), entry.created, min(removed, entry.expires or FOREVER))


def _facts(execution: Execution, host: Host) -> Facts:
    facts = Facts()
    facts.update(of_execution(execution, host, zone=UTC))
    facts["writer.hash"] = execution.writer.sha256 if execution.writer is not None else None
    return facts

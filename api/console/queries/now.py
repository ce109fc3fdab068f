"""The first screen: what is new today, who has it, what was done; which hosts are not well; what happened.

Guarantees: bounded. At most `NEWEST` executables are looked at and `SHOWN` shown, the undecided ones first; the number
of queries does not grow with the fleet.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from api import words
from api.console.queries.common import HostLine, Standing, host_id_list, host_lines, standings
from api.console.queries.events import EventLine, event_lines
from radius_policy.model import (
    SECOND,
    Access,
    Executable,
    Execution,
    Host,
    HostExecutable,
    HostState,
    Micros,
    Posture,
    PostureReason,
    Prevalence,
    TenantId,
    VerdictWord,
)
from radius_policy.store.interface import Reading

NEWEST = 40
SHOWN = 12
NAMED = 3
WORRYING = (Posture.COMPROMISED, Posture.POTENTIAL_PROBLEM)


@dataclass(frozen=True, slots=True)
class NewLine:
    """One executable of today: what it is, who has it, what was done."""

    sha256: str
    name: str
    kind: str
    first: Micros
    path: str
    parent: str
    standing: Standing
    hosts: int
    named: tuple[HostLine, ...]


@dataclass(frozen=True, slots=True)
class Now:
    """The whole screen. `earlier` counts undecided executables that are older than today (at most 100 are counted)."""

    new: tuple[NewLine, ...]
    further: int
    postures: dict[str, int]
    accesses: dict[str, int]
    total: int
    unwell: tuple[HostLine, ...]
    events: tuple[EventLine, ...]
    earlier: int
    midnight: Micros


def midnight(now: Micros, zone: ZoneInfo) -> Micros:
    """When today began in the site's zone."""
    begin = words.local(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(begin.timestamp()) * SECOND


def first_screen(reading: Reading, tenant: TenantId, now: Micros, zone: ZoneInfo, sites: Collection[str] = ()) -> Now:
    """`sites`: only these, where a person is bound to some."""
    begin = midnight(now, zone)
    recent = reading.find(Executable, tenant=tenant, order="first_seen", after=begin - 1, descending=True, limit=NEWEST)
    reasons = reading.find(PostureReason, tenant=tenant, posture=list(WORRYING), order="at", descending=True, limit=300)
    open_today = [reason.key for reason in reasons if reason.at >= begin]
    lines = _new_lines(reading, tenant, recent, open_today, now)
    if sites:
        lines = [line for line in lines if any(host.site in sites for host in line.named)]
    lines.sort(key=lambda line: (_URGENCY[line.standing.word], -line.first))
    postures, accesses, total = _counts(reading, tenant, sites)
    return Now(
        new=tuple(lines[:SHOWN]),
        further=max(0, len(lines) - SHOWN),
        postures=postures,
        accesses=accesses,
        total=total,
        unwell=_unwell(reading, tenant, sites),
        events=tuple(event_lines(reading, tenant, limit=15, sites=sites)),
        earlier=len({reason.key for reason in reasons if reason.at < begin} - set(open_today)),
        midnight=begin,
    )


_URGENCY = {
    VerdictWord.DENIED: 0,
    VerdictWord.UNKNOWN: 1,
    VerdictWord.UNJUDGEABLE: 2,
    VerdictWord.GRACED: 3,
    VerdictWord.ALLOWED: 4,
}


def _new_lines(
    reading: Reading, tenant: TenantId, recent: list[Executable], opened: list[str], now: Micros
) -> list[NewLine]:
    known: dict[str, Executable] = {executable.sha256: executable for executable in recent}
    shas: list[str] = list(dict.fromkeys([*opened, *known]))[: NEWEST + 10]
    missing = [sha for sha in shas if sha not in known]
    if missing:
        known.update({e.sha256: e for e in reading.find(Executable, tenant=tenant, sha256=missing)})
    shas = [sha for sha in shas if sha in known]
    standing = standings(reading, tenant, shas, now)
    sightings = {
        sha: reading.find(HostExecutable, tenant=tenant, sha256=sha, order="first", limit=NAMED * 2) for sha in shas
    }
    involved = host_lines(reading, tenant, {host for found in sightings.values() for host in host_id_list(found)})
    fleet: dict[str, int] = {}
    if shas:
        found = reading.find(Prevalence, tenant=tenant, sha256=shas, scope="fleet")
        fleet.update({prevalence.sha256: prevalence.hosts for prevalence in found})
    lines = []
    for sha in shas:
        named = [involved[host] for host in host_id_list(sightings[sha]) if host in involved]
        executable = known[sha]
        parent, path = _how(reading, tenant, sha, executable)
        lines.append(
            NewLine(
                sha256=sha,
                name=words.visible(words.base_name(executable.name)) or "without a name",
                kind=executable.kind,
                first=executable.first_seen,
                path=path,
                parent=parent,
                standing=standing[sha],
                hosts=max(fleet.get(sha, 0), len(named)),
                named=tuple(named[:NAMED]),
            )
        )
    return lines


def _how(reading: Reading, tenant: TenantId, sha: str, executable: Executable) -> tuple[str, str]:
    """(parent, path) of the first start."""
    starts = reading.find(Execution, tenant=tenant, sha256=sha, order="started", limit=1)
    if not starts:
        return "", words.visible(executable.name)
    parents = starts[0].parents
    return words.visible(words.base_name(parents[0].path)) if parents else "", words.visible(starts[0].path)


def _counts(reading: Reading, tenant: TenantId, sites: Collection[str]) -> tuple[dict[str, int], dict[str, int], int]:
    if not sites:
        postures = {str(p): reading.count(HostState, tenant=tenant, posture=p) for p in Posture}
        accesses = {str(a): reading.count(HostState, tenant=tenant, access=a) for a in Access}
        return postures, accesses, reading.count(Host, tenant=tenant)
    ids = [host.host_id for host in reading.find(Host, tenant=tenant, site=list(sites))]
    lines = host_lines(reading, tenant, ids).values()
    postures = {str(p): sum(line.posture == p for line in lines) for p in Posture}
    return postures, {str(a): sum(line.access == a for line in lines) for a in Access}, len(ids)


def _unwell(reading: Reading, tenant: TenantId, sites: Collection[str]) -> tuple[HostLine, ...]:
    """The compromised first, then those that were moved, then the others."""
    out = [Access.REMEDIATION, Access.BLOCKED]
    found: list[HostState] = []
    for posture, access in ((Posture.COMPROMISED, list(Access)), (Posture.POTENTIAL_PROBLEM, out)):
        equals: dict[str, Any] = {"posture": posture, "access": access}
        found += reading.find(HostState, tenant=tenant, order="since", descending=True, limit=30, **equals)
    others = {"posture": Posture.POTENTIAL_PROBLEM, "access": [Access.PRODUCTION, Access.GUEST]}
    found += reading.find(HostState, tenant=tenant, order="since", descending=True, limit=10, **others)
    lines = host_lines(reading, tenant, [state.host_id for state in found])
    ordered = [lines[state.host_id] for state in found if state.host_id in lines]
    return tuple(line for line in ordered if not sites or line.site in sites)[:10]

"""How one executable spread: who had it first, where it came from, how it went on. Reading only."""

import math
from collections import Counter
from typing import Final

from api.reports.fleet import Fleet, hosts_by_id
from api.reports.then import Then
from api.reports.values import Arrival, Scope, SpreadReport
from radius_policy.model import (
    SECOND,
    Executable,
    Execution,
    Host,
    HostExecutable,
    Micros,
    Sha256,
    TenantId,
    VerdictWord,
)
from radius_policy.store.interface import Reading

MOST_TOLD: Final = 200
"""Of so many first arrivals the circumstances are told; of the rest host and time."""


class NeverRan(LookupError):
    """No host that whoever asks may see has reported this executable."""


def spread_report(
    reading: Reading,
    tenant: TenantId,
    sha256: str,
    scope: Scope,
    *,
    now: Micros,
    seen: frozenset[str] | None = None,
) -> SpreadReport:
    """Raises NeverRan."""
    sha = Sha256(sha256)
    executable = reading.get(Executable, tenant, sha)
    fleet = Fleet.read(reading, tenant, scope.site, seen)
    rows = reading.pick(
        HostExecutable, ("host_id", "first", "path", "verdict"), tenant=tenant, sha256=sha, order="first"
    )
    arrived = [row for row in rows if row[0] in fleet]
    if executable is None or not arrived:
        raise NeverRan("no endpoint has reported an executable of this hash")
    first_starts = _first_starts(reading, tenant, sha)
    word, reason = _now(reading, tenant, sha, first_starts.get(arrived[0][0]), now)
    arrivals = tuple(_arrival(fleet, row, first_starts.get(row[0])) for row in arrived)
    return SpreadReport(
        scope,
        sha256,
        arrivals[0].path,
        executable.signer or "",
        executable.family,
        word,
        reason,
        arrivals,
        len(arrivals),
        doubling([each.at for each in arrivals]),
        dict(Counter(each.site for each in arrivals)),
    )


def _first_starts(reading: Reading, tenant: TenantId, sha: Sha256) -> dict[str, Execution]:
    """The sightings that came first, by host. Asked for by the executable alone: a question about many hosts besides
    would be answered from all that ever ran there."""
    found = reading.find(Execution, tenant=tenant, sha256=sha, sighting=True, order="started", limit=MOST_TOLD)
    return {each.host_id: each for each in reversed(found)}


def _now(
    reading: Reading, tenant: TenantId, sha: Sha256, first: Execution | None, now: Micros
) -> tuple[VerdictWord, str]:
    if first is None:
        return VerdictWord.UNKNOWN, "its first start is past its retention"
    host = hosts_by_id(reading, tenant, [first.host_id]).get(first.host_id)
    then = Then.read(reading, tenant, [sha])
    return then.said(first, host or Host(tenant, first.host_id, first.host_id), now)


def _arrival(fleet: Fleet, row: tuple[str, Micros, str, VerdictWord], start: Execution | None) -> Arrival:
    host_id, first, path, word = row
    return Arrival(
        fleet.names[host_id],
        host_id,
        fleet.sites[host_id],
        first,
        start.verdict if start is not None else word,
        start.user if start is not None else "",
        start.path if start is not None else path,
        start.parents[0].path if start is not None and start.parents else "",
        start.writer.path if start is not None and start.writer is not None else "",
        (start.provenance or "") if start is not None else "",
    )


def doubling(firsts: list[Micros]) -> float | None:
    """In how many seconds the hosts doubled at the beginning: from the first to the tenth (or last); None below three."""
    early = sorted(firsts)[:10]
    if len(early) < 3 or early[-1] == early[0]:
        return None
    return round((early[-1] - early[0]) / SECOND / math.log2(len(early)), 1)

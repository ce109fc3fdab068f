"""What was new on a day: executables whose first execution in the fleet was on it, and those that were new on a host.

Guarantees: which executables these are depends on the recorded starts alone, so a report made again later lists the
same ones (a start that comes in late may add to a day); what the confirmed inventory allowed when it first ran is not
new. Reading only.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final

from api.reports import moments
from api.reports.fleet import CHUNK, Fleet, hosts_by_id
from api.reports.then import Then
from api.reports.values import DayReport, NewExecutable, NewHere, Scope, Unreadable
from radius_policy.model import (
    Event,
    Executable,
    Execution,
    Host,
    HostExecutable,
    HostId,
    ListEntry,
    Micros,
    Prevalence,
    Reason,
    TenantId,
    VerdictWord,
)
from radius_policy.store.interface import Reading

HOUR: Final = 3_600_000_000
INVENTORY: Final = "inventory"
ELSEWHERE: Final = "(a host that is not shown)"


def day_report(
    reading: Reading,
    tenant: TenantId,
    day: date,
    scope: Scope,
    *,
    now: Micros,
    seen: frozenset[str] | None = None,
) -> DayReport:
    """The day in the scope's zone. `seen`: the sites that whoever asks may see (None = all). Raises NoMoment."""
    begin, end = moments.bounds(day, scope.zone)
    fleet = Fleet.read(reading, tenant, scope.site, seen)
    ran: dict[str, list[tuple[str, Micros]]] = defaultdict(list)
    names = fleet.names  # tens of thousands of look-ups
    for sha, host_id, first in reading.pick(
        HostExecutable, ("sha256", "host_id", "first"), tenant=tenant, order="first", after=begin - 1, before=end
    ):
        if host_id in names:
            ran[sha].append((host_id, first))
    everything = reading.find(Executable, tenant=tenant, order="first_seen", after=begin - 1, before=end)
    fresh: dict[str, Executable] = {each.sha256: each for each in everything}
    new = _new(reading, tenant, fresh, ran, fleet, begin, end, now)
    earlier = {sha: hosts for sha, hosts in ran.items() if sha not in fresh}
    return DayReport(
        scope,
        day.isoformat(),
        begin,
        end,
        tuple(sorted(new, key=lambda each: (_URGENCY[each.verdict_then], each.first_execution, each.sha256))),
        tuple(_new_here(reading, tenant, earlier, fleet, now)),
        tuple(_unreadable(reading, tenant, fleet, begin, end)),
    )


_URGENCY: Final = {
    VerdictWord.DENIED: 0,
    VerdictWord.UNKNOWN: 1,
    VerdictWord.UNJUDGEABLE: 1,
    VerdictWord.GRACED: 2,
    VerdictWord.ALLOWED: 3,
}


def _new(
    reading: Reading,
    tenant: TenantId,
    fresh: dict[str, Executable],
    ran: dict[str, list[tuple[str, Micros]]],
    fleet: Fleet,
    begin: Micros,
    end: Micros,
    now: Micros,
) -> list[NewExecutable]:
    mine = [sha for sha in fresh if sha in ran]
    firsts = {sha: _first(reading, tenant, fresh[sha]) for sha in mine}
    hosts = hosts_by_id(reading, tenant, (each.host_id for each in firsts.values()))
    then = Then.read(reading, tenant, mine)
    found = []
    for sha in mine:
        first = firsts[sha]
        host = hosts.get(first.host_id) or Host(tenant, first.host_id, first.host_id)
        word, why = then.said(first, host, first.started)
        if word is VerdictWord.ALLOWED and first.reason.author == INVENTORY:
            continue
        now_word, now_why = then.said(first, host, now)
        found.append(
            _described(reading, fresh[sha], first, fleet, ran[sha], (begin, end), (word, why), (now_word, now_why))
        )
    return found


def _first(reading: Reading, tenant: TenantId, executable: Executable) -> Execution:
    """The first execution that is kept; where it is past its retention, what the sighting kept of it."""
    kept = reading.find(Execution, tenant=tenant, sha256=executable.sha256, order="started", limit=1)
    if kept:
        return kept[0]
    at, host_id = executable.first_seen, executable.first_host
    here = reading.get(HostExecutable, tenant, host_id, executable.sha256)
    word = here.verdict if here is not None else VerdictWord.UNKNOWN
    reason = Reason("kept", "the start itself is past its retention", here.rule if here is not None else "")
    path = here.path if here is not None else executable.name
    return Execution(
        tenant, "", host_id, executable.sha256, path, 0, at, at,
        kind=executable.kind, signer=executable.signer, signer_state=executable.signer_state, verdict=word, reason=reason,
    )  # fmt: skip


def _described(
    reading: Reading,
    executable: Executable,
    first: Execution,
    fleet: Fleet,
    ran: list[tuple[str, Micros]],
    day: tuple[Micros, Micros],
    then: tuple[VerdictWord, str],
    now: tuple[VerdictWord, str],
) -> NewExecutable:
    tenant, sha = executable.tenant, executable.sha256
    counted = reading.get(Prevalence, tenant, sha, "fleet")
    starts = [each for each in _starts(reading, first, ran, day) if each.host_id in fleet]
    return NewExecutable(
        sha,
        first.path,
        executable.kind,
        executable.family,
        executable.signer or "",
        first.provenance or "",
        executable.first_seen,
        fleet.names.get(executable.first_host, ELSEWHERE),
        max([first.started, *([counted.last] if counted else []), *(start.started for start in starts)]),
        then[0],
        then[1],
        first.reason.ref,
        now[0],
        now[1],
        first.until,
        fleet.named(host_id for host_id, _ in ran),
        tuple(sorted({start.user for start in starts if start.user})),
        tuple(sorted({start.parents[0].path for start in starts if start.parents})),
        _action(reading, first, then[0], day),
        max(counted.hosts if counted else 0, len(ran)),
        curve([at for _, at in ran], *day),
    )


MOST_STARTS: Final = 50
"""So many starts of an executable are looked at for its users and parents."""


def _starts(
    reading: Reading, first: Execution, ran: list[tuple[str, Micros]], day: tuple[Micros, Micros]
) -> list[Execution]:
    if len(ran) == 1 and first.id and first.verdict is VerdictWord.ALLOWED:
        return [first]
    return reading.find(
        Execution,
        tenant=first.tenant,
        sha256=first.sha256,
        order="started",
        after=day[0] - 1,
        before=day[1],
        limit=MOST_STARTS,
    ) or [first]


def _action(reading: Reading, first: Execution, word: VerdictWord, day: tuple[Micros, Micros]) -> str:
    """What was done about it that day, in a few words."""
    if word is VerdictWord.ALLOWED:
        return "allowed"
    if word is VerdictWord.GRACED:
        return "graced"
    events = reading.find(
        Event, tenant=first.tenant, sha256=str(first.sha256), order="at", after=day[0] - 1, limit=MOST_STARTS
    )
    kinds = {each.kind for each in events}
    done = [
        text
        for text, was in (
            ("host moved", any(each.facts.get("moved") is True for each in events)),
            ("contained", any(each.facts.get("contained") is True for each in events)),
            ("refused", "denied_refused" in kinds or not first.ran),
        )
        if was
    ]
    return ", ".join(done) or "told"


def curve(firsts: Iterable[Micros], begin: Micros, end: Micros) -> tuple[int, ...]:
    """How many hosts had it at the end of each hour of the day."""
    hours = max(1, -(-(end - begin) // HOUR))
    counts = [0] * hours
    for at in firsts:
        counts[min(max((at - begin) // HOUR, 0), hours - 1)] += 1
    total, rising = 0, []
    for count in counts:
        total += count
        rising.append(total)
    return tuple(rising)


def _new_here(
    reading: Reading, tenant: TenantId, earlier: dict[str, list[tuple[str, Micros]]], fleet: Fleet, now: Micros
) -> list[NewHere]:
    listed = inventoried(reading, tenant, earlier)
    shas = sorted(sha for sha in earlier if sha not in listed)
    then = Then.read(reading, tenant, shas)
    found = []
    for start in range(0, len(shas), CHUNK):
        part = shas[start : start + CHUNK]
        known = {each.sha256: each for each in reading.find(Executable, tenant=tenant, sha256=part)}
        for sha in part:
            executable = known.get(sha)  # type: ignore[call-overload]
            host_id, at = min(earlier[sha], key=lambda each: each[1])
            here = reading.get(HostExecutable, tenant, host_id, sha)
            if executable is None or here is None or here.rule.startswith(f"{INVENTORY}-"):
                continue
            standing = Execution(
                tenant, "", HostId(host_id), here.sha256, here.path, 0, at, at,
                signer=executable.signer, signer_state=executable.signer_state, certificate=executable.certificate,
                product=executable.product, version=executable.version,
                verdict=here.verdict, reason=Reason("", "", here.rule),
            )  # fmt: skip
            host = Host(tenant, HostId(host_id), fleet.names[host_id], site=fleet.sites[host_id])
            word = then.word(standing, host, now)
            found.append(
                NewHere(sha, here.path, executable.first_seen, word, fleet.named(each for each, _ in earlier[sha]))
            )
    return sorted(found, key=lambda each: (_URGENCY[each.verdict_now], each.path, each.sha256))


def inventoried(reading: Reading, tenant: TenantId, shas: Iterable[str]) -> set[str]:
    """Those that the confirmed inventory of the fleet lists, looked up by the ids that its lines have."""
    every = sorted(shas)
    listed: set[str] = set()
    for start in range(0, len(every), CHUNK):
        ids = [f"{INVENTORY}-{name}" for sha in every[start : start + CHUNK] for name in (sha, sha[:24])]
        rows = reading.pick(ListEntry, ("value", "action"), tenant=tenant, id=ids, confirmed=True)
        listed.update(value for value, action in rows if action == "allow")
    return listed


def _unreadable(reading: Reading, tenant: TenantId, fleet: Fleet, begin: Micros, end: Micros) -> list[Unreadable]:
    found = reading.find(Execution, tenant=tenant, sha256=None, order="started", after=begin - 1, before=end)
    return [
        Unreadable(each.id, fleet.names[each.host_id], each.path, each.started, each.verdict)
        for each in found
        if each.host_id in fleet
    ]

"""Who was running something that was not allowed at that time: first patient first.

Guarantees: a host is listed if such a start ran at any moment of the window, both ends included, or may have: by how
much a clock may be wrong widens the start, and what was seen to end late or never widens the end; such a start is marked
uncertain. "Not allowed" is as of then: a later allow hides nobody, an earlier deny of a running program shows it.

What it does not do: of programs that were allowed when they started, and denied later, it looks at those started within
a day before the window, because nobody reports the end of an allowed program. Reading only.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from api.reports.fleet import CHUNK, Fleet, hosts_by_id
from api.reports.then import Then
from api.reports.values import Patient, Running, Scope, WindowReport
from api.whereabouts import places
from radius_policy.judgement.spans import DAY, LENGTHS
from radius_policy.model import Execution, Host, ListEntry, ListKind, Micros, Span, TenantId, VerdictWord
from radius_policy.store.interface import Reading

MOST_UNCERTAIN: Final = 8 * DAY
"""A clock that was wrong by more than this is not looked for: the start is then placed by its receipt."""


def window_report(
    reading: Reading,
    tenant: TenantId,
    begin: Micros,
    end: Micros,
    scope: Scope,
    *,
    seen: frozenset[str] | None = None,
    notes: str = "",
) -> WindowReport:
    """The window from `begin` to `end`, both included. `seen`: the sites that whoever asks may see (None = all)."""
    begin, end = min(begin, end), max(begin, end)
    fleet = Fleet.read(reading, tenant, scope.site, seen)
    running = [each for each in _running(reading, tenant, begin, end) if each.host_id in fleet]
    then = Then.read(reading, tenant, (each.sha256 for each in running))
    hosts = hosts_by_id(reading, tenant, (each.host_id for each in running))
    found: dict[str, list[Running]] = defaultdict(list)
    for execution in running:
        at_work = _at_work(execution, hosts[execution.host_id], then, begin, end)
        if at_work is not None:
            found[execution.host_id].append(at_work)
    ordered = {host_id: sorted(rows, key=lambda each: (each.start, each.execution)) for host_id, rows in found.items()}
    where = places(reading, tenant, {host_id: max(rows[0].start, begin) for host_id, rows in ordered.items()})
    patients = [
        Patient(
            host_id,
            fleet.names[host_id],
            fleet.sites[host_id],
            where[host_id].mac,
            where[host_id].switch,
            where[host_id].port,
            tuple(rows),
            where[host_id].source,
            where[host_id].seen,
        )
        for host_id, rows in ordered.items()
    ]
    return WindowReport(scope, begin, end, tuple(sorted(patients, key=lambda one: (one.first, one.host))), notes)


def _running(reading: Reading, tenant: TenantId, begin: Micros, end: Micros) -> list[Execution]:
    """What ran in the window, or may have, and was not allowed when it began, or is denied since."""
    wanted: list[str] = []
    for span, most in LENGTHS.items():
        rows = reading.pick(
            Execution,
            ("id", "started", "ended"),
            tenant=tenant,
            span=span,
            order="started",
            after=begin - most - 1,
            before=end + most + 1,
        )
        wanted += [id_ for id_, started, ended in rows if _near(started, ended, begin, end, most)]
    still = reading.pick(Execution, ("id", "started"), tenant=tenant, span=Span.LONG, ended=None)
    wanted += [id_ for id_, started in still if started <= end + MOST_UNCERTAIN]
    long = reading.pick(
        Execution, ("id", "started"), tenant=tenant, span=Span.LONG, order="ended", after=begin - MOST_UNCERTAIN - 1
    )
    wanted += [id_ for id_, started in long if started <= end + MOST_UNCERTAIN]
    wanted += _denied_since(reading, tenant, begin, end)
    found = (
        execution
        for start in range(0, len(wanted), CHUNK)
        for execution in reading.find(Execution, tenant=tenant, id=wanted[start : start + CHUNK])
    )
    return [each for each in found if each.ran and _overlaps(each, begin, end)]


def _near(started: Micros, ended: Micros | None, begin: Micros, end: Micros, most: Micros) -> bool:
    """Whether it may overlap: uncertainty is a part of its span's length, so it is at most half of that."""
    return started - most // 2 <= end and (ended is None or ended + most // 2 >= begin)


def _denied_since(reading: Reading, tenant: TenantId, begin: Micros, end: Micros) -> list[str]:
    """Starts allowed when they began, a day before the window at most, of what was denied by its end."""
    rows = reading.pick(
        ListEntry,
        ("value", "kind"),
        tenant=tenant,
        action="deny",
        order="created",
        after=begin - DAY - 1,
        before=end + 1,
    )
    denied = sorted({value for value, kind in rows if kind is ListKind.HASH})
    return [
        id_
        for start in range(0, len(denied), CHUNK)
        for id_, span in reading.pick(
            Execution,
            ("id", "span"),
            tenant=tenant,
            sha256=denied[start : start + CHUNK],
            order="started",
            after=begin - DAY - 1,
            before=end + 1,
        )
        if span is Span.NONE
    ]


def _overlaps(execution: Execution, begin: Micros, end: Micros) -> bool:
    by = min(execution.uncertainty_us, MOST_UNCERTAIN)
    return execution.started - by <= end and (execution.ended is None or execution.ended + by >= begin)


def _at_work(execution: Execution, host: Host, then: Then, begin: Micros, end: Micros) -> Running | None:
    """What the report says of it, or None where it was allowed for as long as it ran in the window."""
    by = min(execution.uncertainty_us, MOST_UNCERTAIN)
    first = max(execution.started, begin - by)
    last = max(first, end if execution.ended is None else min(execution.ended, end))
    moments = [first, *(at for at in then.changes(execution.sha256) if first < at <= last), last]
    said = (then.said(execution, host, at) for at in moments)
    not_allowed = next(((word, why) for word, why in said if word is not VerdictWord.ALLOWED), None)
    if not_allowed is None:
        return None
    return Running(
        execution.sha256,
        execution.path,
        execution.started,
        execution.ended,
        _uncertain(execution, begin, end),
        *not_allowed,
        execution.user,
        execution.parents[0].path if execution.parents else "",
        execution.id,
    )


def _uncertain(execution: Execution, begin: Micros, end: Micros) -> bool:
    """Whether it may as well have been outside the window."""
    by = execution.uncertainty_us
    surely_begun = execution.started + by <= end
    if execution.ended is None:  # the end of what was allowed is not reported
        return not surely_begun or execution.span is Span.NONE
    earliest_end = execution.started if execution.end_uncertain else execution.ended
    return not surely_begun or earliest_end - by < begin


def executables_of(patients: Iterable[Patient]) -> list[str]:
    """The hashes in a window, each once, as they came."""
    return list(dict.fromkeys(each.sha256 for one in patients for each in one.executables if each.sha256 is not None))

"""Reports as tables of cells: what the text table and the CSV file have in common. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from api.reports.values import SECTIONS, DayReport, SpreadReport, WindowReport
from radius_policy.model import Micros
from radius_policy.zones import local

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A headed table; `title` says what its rows have in common."""

    title: str
    columns: Row
    rows: tuple[Row, ...]

    def used(self) -> list[int]:
        """The places of the columns in which something stands."""
        return [place for place, _ in enumerate(self.columns) if any(row[place] for row in self.rows)]


DAY_COLUMNS: Row = (
    "first", "path", "sha256", "then", "now", "hosts", "in all", "users", "parents", "from", "signer", "action", "grace until",
)  # fmt: skip
HERE_COLUMNS: Row = ("first in fleet", "path", "sha256", "now", "new on")
UNREADABLE_COLUMNS: Row = ("start", "host", "path", "verdict")
WINDOW_COLUMNS: Row = (
    "host", "mac", "switch", "port", "port known by", "start", "end", "uncertain", "path", "sha256", "verdict", "user", "parent",
)  # fmt: skip
SPREAD_COLUMNS: Row = ("at", "host", "site", "verdict", "user", "path", "started by", "written by", "provenance")


SEVERAL: Final = "; "
LISTS: Final = frozenset(("hosts", "users", "parents", "new on"))
"""Columns whose cells hold several values."""


def several(values: Iterable[str]) -> str:
    return SEVERAL.join(values)


def tables(report: DayReport | WindowReport | SpreadReport) -> Iterator[Table]:
    """The tables of a report, most urgent first; empty ones too."""
    match report:
        case DayReport():
            yield from _day(report)
        case WindowReport():
            yield _window(report)
        case SpreadReport():
            yield _spread(report)


def moment(at: Micros | None, zone: ZoneInfo) -> str:
    return local(at, zone).strftime("%Y-%m-%d %H:%M:%S") if at is not None else ""


def _day(report: DayReport) -> Iterator[Table]:
    zone = report.scope.zone
    for name in SECTIONS:
        rows = tuple(
            (
                moment(each.first_execution, zone),
                each.path,
                each.sha256,
                str(each.verdict_then),
                str(each.verdict_now),
                several(each.hosts),
                str(each.hosts_now),
                several(each.users),
                several(each.parents),
                each.provenance,
                each.signer,
                each.action,
                moment(each.grace_until, zone),
            )
            for each in report.section(name)
        )
        yield Table(name, DAY_COLUMNS, rows)
    here = tuple(
        (moment(each.first_execution, zone), each.path, each.sha256, str(each.verdict_now), several(each.hosts))
        for each in report.new_here
    )
    yield Table("known before, first time on these hosts", HERE_COLUMNS, here)
    if report.unreadable:
        unread = tuple(
            (moment(each.start, zone), each.host, each.path, str(each.verdict)) for each in report.unreadable
        )
        yield Table("content could not be read", UNREADABLE_COLUMNS, unread)


def _window(report: WindowReport) -> Table:
    zone = report.scope.zone
    return Table(
        "running and not allowed",
        WINDOW_COLUMNS,
        tuple(
            (
                host.host,
                host.mac,
                host.switch,
                host.port,
                host.port_source,
                moment(each.start, zone),
                moment(each.end, zone) if each.end is not None else "still running",
                "yes" if each.uncertain else "",
                each.path,
                each.sha256 or "",
                str(each.verdict),
                each.user,
                each.parent,
            )
            for host in report.hosts
            for each in host.executables
        ),
    )


def _spread(report: SpreadReport) -> Table:
    return Table(
        "who ran it first",
        SPREAD_COLUMNS,
        tuple(
            (
                moment(each.at, report.scope.zone),
                each.host,
                each.site,
                str(each.verdict),
                each.user,
                each.path,
                each.parent,
                each.wrote,
                each.provenance,
            )
            for each in report.arrivals
        ),
    )

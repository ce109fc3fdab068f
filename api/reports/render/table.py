"""Reports as aligned text for a terminal or a pipe. A name from an endpoint can neither break a line nor colour it."""

from collections.abc import Iterator

from api import words
from api.reports.render.rows import Table, moment, tables
from api.reports.values import DayReport, SpreadReport, WindowReport

_SHORT = {"sha256": 12}
"""Columns of which the beginning says enough for people; CSV and JSON have them whole."""
_MOST = 60


def render(report: DayReport | WindowReport | SpreadReport) -> str:
    return "\n".join(_lines(report)) + "\n"


def _lines(report: DayReport | WindowReport | SpreadReport) -> Iterator[str]:
    yield heading(report)
    for table in tables(report):
        yield ""
        yield f"{table.title} ({len(table.rows)})" if table.rows else f"{table.title}: none"
        if table.rows:
            yield from _aligned(table)


def heading(report: DayReport | WindowReport | SpreadReport) -> str:
    """One line that says what the report is about."""
    zone = report.scope.zone
    where = f", site {report.scope.site}" if report.scope.site else ""
    match report:
        case DayReport():
            return f"First executions on {report.day} ({zone.key}){where}: {words.count(len(report.executables), 'executable')}"
        case WindowReport():
            told = f"{moment(report.begin, zone)} to {moment(report.end, zone)} ({zone.key}){where}"
            made = f"; made from {report.notes}" if report.notes else ""
            return f"Running and not allowed, {told}: {words.count(len(report.hosts), 'host')}{made}"
        case SpreadReport():
            return (
                f"{words.visible(report.path)} {report.sha256}{where}: {words.count(report.hosts, 'host')}, "
                f"now {report.verdict_now} ({words.visible(report.reason_now)})"
            )


def _aligned(table: Table) -> Iterator[str]:
    """Columns that are empty in every row are left out."""
    used = table.used()
    names = [table.columns[place] for place in used]
    lines = [[_cell(table.columns[place], row[place]) for place in used] for row in table.rows]
    widths = [max(len(name), *(len(line[place]) for line in lines)) for place, name in enumerate(names)]
    yield _joined(names, widths)
    yield _joined(["-" * width for width in widths], widths)
    for line in lines:
        yield _joined(line, widths)


def _joined(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cell(column: str, text: str) -> str:
    most = _SHORT.get(column, _MOST)
    shown = words.visible(text)
    if column in _SHORT:
        return shown[:most]
    return shown if len(shown) <= most else f"…{shown[-most + 1 :]}" if column == "path" else f"{shown[: most - 1]}…"

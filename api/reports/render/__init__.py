"""Reports as text: `render(report, format)` for table, csv, json and html. Pure; nothing in a report is trusted."""

from typing import Final

from api.reports.render import csv, html, json, table
from api.reports.values import DayReport, SpreadReport, WindowReport

Report = DayReport | WindowReport | SpreadReport

FORMATS: Final = {
    "table": table.render,
    "csv": csv.render,
    "json": json.render,
    "html": html.render,
}
MEDIA: Final = {
    "table": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
}


def render(report: Report, to: str) -> str:
    """The report as text, with a newline at its end. KeyError: no such format."""
    return FORMATS[to](report)

"""Reports as one self-contained HTML file: tables and pictures, to be read, printed, mailed and archived.

Guarantees: it loads nothing and runs nothing, and says so in its own content security policy, which names its one style
sheet by its hash; every text of an endpoint is escaped, control characters written out.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api import words
from api.reports.render import pictures
from api.reports.render.rows import LISTS, tables
from api.reports.render.table import heading
from api.reports.values import DayReport, SpreadReport, WindowReport

_FOLDER: Final = Path(__file__).parent.parent / "templates"


def render(report: DayReport | WindowReport | SpreadReport) -> str:
    style, _ = _style()
    return (
        _environment()
        .get_template("report.html")
        .render(
            heading=heading(report),
            policy=policy(),
            style=Markup(style),  # noqa: S704 - our own file
            picture=picture(report),
            tables=list(tables(report)),
            curves=curves(report),
            lists=LISTS,
        )
    )


def policy() -> str:
    """The content security policy of a report's page, for the header when it is served."""
    return f"default-src 'none'; style-src '{_style()[1]}'; base-uri 'none'; form-action 'none'"


def picture(report: DayReport | WindowReport | SpreadReport) -> Markup:
    """The picture of a report, as markup whose texts are escaped."""
    return Markup(_picture(report))  # noqa: S704 - escaped where it is made


def _picture(report: DayReport | WindowReport | SpreadReport) -> str:
    match report:
        case DayReport():
            return pictures.day_picture(report)
        case WindowReport():
            return pictures.timeline(report)
        case SpreadReport():
            return pictures.curve(report)


def curves(report: DayReport | WindowReport | SpreadReport) -> dict[str, Markup]:
    """The small curves by hash, as far as a day report has them."""
    if not isinstance(report, DayReport):
        return {}
    return {
        each.sha256: Markup(pictures.sparkline(each.curve, words.count(len(each.hosts), "host")))  # noqa: S704
        for each in report.executables
        if len(each.hosts) > 1
    }


@cache
def _style() -> tuple[str, str]:
    """The style sheet and its hash as a policy names it."""
    text = (_FOLDER / "report.css").read_text(encoding="utf-8") + pictures_css()
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return text, f"sha256-{digest}"


def pictures_css() -> str:
    """What the pictures need of a style sheet, wherever they are shown."""
    return (_FOLDER / "pictures.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Any] = made.filters
    filters["visible"] = words.visible
    return made

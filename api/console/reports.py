"""The console's page of reports: asked for by day, by window or by executable, with the pictures, and downloads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response
from markupsafe import Markup

from api.admin import exactly
from api.auth.roles import Forbidden
from api.console.guard import ConsoleRoute, Visiting, text
from api.errors import Refused
from api.reports import asked
from api.reports.render.html import curves, picture, pictures_css
from api.reports.render.rows import LISTS, Table, tables
from api.reports.render.table import heading
from api.reports.routes import desk_of
from api.reports.values import WindowReport

pages = APIRouter(route_class=ConsoleRoute, include_in_schema=False)
Text = Annotated[str, Query(max_length=100)]
MOST_SHOWN: Final = 500
"""Rows of a table on the page; the downloads have all of them."""


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows: of a report, or of none while `heading` is ''."""

    heading: str = ""
    tables: Sequence[Table] = ()
    picture: str = ""
    curves: dict[str, Markup] | None = None
    links: tuple[tuple[str, str], ...] = ()
    hosts: tuple[str, ...] = ()
    error: str = ""


@pages.get("/reports")
async def reports(
    visit: Visiting,
    kind: Text = "",
    day: Text = "",
    begin: Annotated[str, Query(alias="from", max_length=40)] = "",
    to: Annotated[str, Query(max_length=40)] = "",
    hash: Text = "",
    site: Text = "",
) -> Response:
    given = {"kind": kind, "day": day, "from": begin, "to": to, "hash": hash, "site": site}
    return await visit.show("reports.html", lambda _, zone: None, **await _shown(visit, given), done=None)


async def _shown(visit: Visiting, given: dict[str, str]) -> dict[str, Any]:
    """The values of the page for what was asked."""
    day, begin, to = given["day"], given["from"], given["to"]
    make = {
        "day": (asked.day(visit.who, day), f"day/{day}", {}),
        "window": (asked.window(visit.who, begin, to), "window", {"from": begin, "to": to}),
        "spread": (asked.spread(visit.who, given["hash"]), f"spread/{given['hash']}", {}),
    }.get(given["kind"])
    view, status = View(), 200
    if make is not None:
        work, path, query = make
        try:
            report = await asked.made(visit.service, visit.who, given["site"], work)
        except (Refused, Forbidden) as error:
            view, status = View(error=f"{str(error)[:1].upper()}{str(error)[1:]}."), 422
        else:
            links = tuple(
                (name, f"/v1/reports/{path}?{urlencode({**query, 'site': given['site'], 'format': name})}")
                for name in ("html", "csv", "json")
            )
            patients = report.hosts if isinstance(report, WindowReport) else ()
            view = View(
                heading(report),
                tuple(tables(report)),
                picture(report),
                curves(report),
                links,
                tuple(each.host_id for each in patients),
            )
    return {"report": view, "given": given, "status": status, "most": MOST_SHOWN, "lists": LISTS}


@pages.post("/reports/quarantine")
async def quarantine(visit: Visiting) -> Response:
    form = await visit.form()
    host_ids = [each for each in text(form, "hosts", 700_000).split(",") if each]
    why = text(form, "why")
    if not why:
        raise Refused("say why, in a few words: it stands in the audit")
    done = await exactly.carry_out(desk_of(visit.service), visit.who, host_ids, why=why)
    given = {name: text(form, name, 100) for name in ("from", "to", "site")} | {"kind": "window", "day": "", "hash": ""}
    return await visit.show("reports.html", lambda _, zone: None, **await _shown(visit, given), done=done)


@pages.get("/reports/pictures.css")
async def style(visit: Visiting) -> Response:
    return Response(pictures_css(), media_type="text/css", headers={"Cache-Control": "no-cache"})

"""The console's page of scripts: which are set up, and how their runs ended."""

from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from api.alerts import script_runs
from api.alerts.script_runs import Run
from api.alerts.scripts import BadScripts, Script
from api.console.guard import ConsoleRoute, Visiting
from radius_policy.store.interface import Reading

scripts = APIRouter(route_class=ConsoleRoute, include_in_schema=False)
Text = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class View:
    """`wrong` is why the setting cannot be used; mostly empty."""

    configured: tuple[Script, ...]
    runs: tuple[Run, ...]
    wrong: str = ""


@scripts.get("/scripts")
async def page(visit: Visiting, host: Text = "", event: Text = "", script: Text = "") -> Response:
    """`host` is an id, `event` a kind of event or the id of one."""
    who = visit.who

    def look(reading: Reading, _: ZoneInfo) -> View:
        found = tuple(script_runs.runs(reading, who, host_id=host, event=event, script=script))
        try:
            return View(script_runs.settings(reading, who).scripts, found)
        except BadScripts as error:
            return View((), found, str(error))

    return await visit.show("scripts.html", look, host=host, event=event, script=script)

"""All addresses of the console, under `/console/`; `/` leads there."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from api.console import live
from api.console.alerts import alerts
from api.console.forms import forms
from api.console.guard import ConsoleRoute, Visiting, sorry
from api.console.pages import pages
from api.console.reports import pages as report_pages
from api.console.scripts import scripts
from api.console.trips import trips
from api.errors import NotFound

_STATIC = Path(__file__).parent / "static"
_FILES = {"console.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}


def router() -> APIRouter:
    """The console, to be included by the app as it is."""
    made = APIRouter(include_in_schema=False)
    root = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

    @made.get("/")
    async def home() -> Response:
        return RedirectResponse("/console/", 307)

    @root.get("/live")
    async def stream(visit: Visiting) -> Response:
        return live.answer(visit)

    @root.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in _FILES:
            raise NotFound("there is no such file")
        response = FileResponse(_STATIC / name, media_type=_FILES[name])
        response.headers["Cache-Control"] = "no-cache"
        return response

    root.include_router(forms)
    root.include_router(pages)
    root.include_router(alerts)
    root.include_router(scripts)
    root.include_router(trips)
    root.include_router(report_pages)

    @root.get("/{rest:path}")
    async def unknown(request: Request, visit: Visiting) -> Response:
        return sorry(404, "Not found", "There is no such page in the console.")

    made.include_router(root)
    return made

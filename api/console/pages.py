"""The pages one can look at: each reads one view and shows it."""

from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from api.alerts.links import Links, key_in
from api.console.asking import ask
from api.console.decisions import HOST_DEEDS, LIST_DEEDS, host_preview, list_preview
from api.console.guard import ConsoleRoute, Visiting, go
from api.console.queries.events import PAGE as EVENTS_PAGE
from api.console.queries.events import event_lines
from api.console.queries.executables import (
    ExecutableView,
    executable_lines,
    executable_view,
    list_lines,
    search_executables,
)
from api.console.queries.hosts import HostView, host_page, host_view
from api.console.queries.now import first_screen
from api.errors import NotFound
from api.words import EVENT
from radius_policy.model import Posture
from radius_policy.store.interface import Reading

pages = APIRouter(route_class=ConsoleRoute, include_in_schema=False)
Text = Annotated[str, Query(max_length=300)]
Moment = Annotated[int | None, Query(ge=0, lt=2**62)]


@pages.get("/")
async def now(visit: Visiting) -> Response:
    who, at = visit.who, visit.now
    return await visit.show("now.html", lambda reading, zone: first_screen(reading, who.tenant, at, zone, who.sites))


@pages.get("/hosts")
async def hosts(
    visit: Visiting,
    posture: Text = "",
    site: Text = "",
    search: Text = "",
    executable: Text = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    wanted = posture if posture in tuple(Posture) else ""
    who = visit.who
    return await visit.show(
        "hosts.html",
        lambda reading, _: host_page(
            reading,
            who.tenant,
            posture=wanted,
            site=site,
            search=search,
            executable=executable,
            number=page,
            sites=who.sites,
        ),
        posture=wanted,
        site=site,
        search=search,
        executable=executable,
        postures=tuple(Posture),
    )


@pages.get("/hosts/{host_id}")
async def host(visit: Visiting, host_id: str) -> Response:
    def look(reading: Reading, _: ZoneInfo) -> HostView:
        view = host_view(reading, visit.who.tenant, host_id, visit.now)
        if view is None or not visit.who.sees(view.host.site):
            raise NotFound("there is no such host")
        return view

    return await visit.show("host.html", look)


@pages.get("/executables")
async def executables(visit: Visiting, search: Text = "", before: Moment = None) -> Response:
    tenant = visit.who.tenant
    return await visit.show(
        "executables.html",
        lambda reading, _: (
            search_executables(reading, tenant, search, visit.now)
            if search
            else executable_lines(reading, tenant, visit.now, before=before)
        ),
        search=search,
        before=before,
    )


@pages.get("/executables/{sha256}")
async def executable(visit: Visiting, sha256: str) -> Response:
    def look(reading: Reading, _: ZoneInfo) -> ExecutableView:
        view = executable_view(reading, visit.who.tenant, sha256, visit.now, visit.who.sites)
        if view is None:
            raise NotFound("no host has reported an executable of this hash")
        return view

    return await visit.show("executable.html", look)


@pages.get("/executables/{sha256}/{deed}")
async def decide_executable(visit: Visiting, sha256: str, deed: str) -> Response:
    if deed not in LIST_DEEDS:
        raise NotFound("an executable can be allowed or denied")
    return await ask(visit, partial(list_preview, who=visit.who, sha256=sha256, deed=deed, now=visit.now))


@pages.get("/hosts/{host_id}/{deed}")
async def decide_host(visit: Visiting, host_id: str, deed: str) -> Response:
    if deed not in HOST_DEEDS:
        raise NotFound("a host can be released, quarantined or cleared")
    return await ask(visit, partial(host_preview, who=visit.who, host_id=host_id, deed=deed, now=visit.now))


@pages.get("/events")
async def events(visit: Visiting, kind: Text = "", before: Moment = None) -> Response:
    who = visit.who
    wanted = kind if kind in EVENT else ""
    return await visit.show(
        "events.html",
        lambda reading, _: event_lines(reading, who.tenant, before=before, sites=who.sites, kind=wanted),
        kind=wanted,
        kinds=sorted(EVENT.items(), key=lambda item: item[1]),
        before=before,
        more=EVENTS_PAGE,
    )


@pages.get("/lists")
@pages.get("/lists/{action}")
async def lists(visit: Visiting, action: str = "allow", before: Moment = None) -> Response:
    if action not in ("allow", "deny"):
        raise NotFound("there are an allow list and a deny list")
    tenant = visit.who.tenant
    return await visit.show(
        "lists.html",
        lambda reading, _: list_lines(reading, tenant, action, visit.now, before=before),
        action=action,
        before=before,
    )


@pages.get("/decide/{token}")
async def from_alert(visit: Visiting, token: str) -> Response:
    """A signed link of an alert: it opens the page that asks, and changes nothing."""
    config = visit.service.config
    target = Links(config.url, key_in(config.service.data)).read(token, visit.now)
    if target.tenant != visit.who.tenant:
        raise NotFound("this link belongs to another tenant")
    if target.alert:
        return go(f"/console/alerts/{target.alert}/{target.doing}")
    if target.trip:
        return go(f"/console/trips/{target.trip}/{target.doing}")
    where = f"executables/{target.sha256}" if target.sha256 else f"hosts/{target.host_id}"
    return go(f"/console/{where}/{target.doing}")

"""Who is looking at a page, and that a form was made by this console.

Guarantees: a page without a login leads to the login and back to itself (only to a path of this console); somebody
with a one-time password gets no page but the one that sets a new password; a form without the login's CSRF value is
refused. What goes wrong is shown as a page, never as JSON or a traceback.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from api.alerts.links import BadLink
from api.auth.identify import COOKIE, check_csrf
from api.auth.roles import Forbidden, Identity, Role
from api.console.queries.banner import Standby, standby
from api.console.queries.common import zone_of
from api.console.render import page, secured
from api.errors import NotFound, Refused
from api.logs import logger
from api.problems import Problem
from api.service import Service, service_of
from radius_policy.model import Micros
from radius_policy.store.interface import Reading, StoreError

BASE: Final = "/console/"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is logged in."""

    request: Request
    service: Service
    who: Identity
    now: Micros

    async def show(
        self, template: str, work: Callable[[Reading, ZoneInfo], Any], *, status: int = 200, **values: Any
    ) -> Response:
        """The page of what `work` reads; the banner is read in the same view of the store."""
        service, tenant = self.service, self.who.tenant

        def look(reading: Reading) -> tuple[ZoneInfo, Standby, Any]:
            zone = zone_of(reading, tenant, service.config.site.timezone)
            mail = service.config.mail
            standing = standby(
                reading,
                tenant,
                alerts_configured=bool(mail.server and mail.to),
                radius_age=service.metrics.radius.age(),
                now=self.now,
                broken_sets=service.references.broken,
            )
            return zone, standing, work(reading, zone)

        zone, standing, view = await service.store.read(look)
        return page(
            template,
            status,
            view=view,
            zone=zone,
            now=self.now,
            standby=standing,
            who=self.who,
            operator=self.who.role.rank >= Role.OPERATOR.rank,
            admin=self.who.role.rank >= Role.ADMIN.rank,
            path=self.request.url.path,
            **values,
        )

    async def form(self) -> FormData:
        """The form of a POST, after its CSRF value was checked. Raises Problem."""
        form = await self.request.form(max_files=0, max_fields=30)
        check_csrf(self.who, text(form, "csrf"))
        return form


class NotLoggedIn(Exception):
    """Nobody is logged in: to the login."""


class MustChange(Exception):
    """A one-time password was used: to the page that sets a new one."""


async def visit(request: Request) -> Visit:
    """The dependency of every page behind the login."""
    found = await anybody(request)
    if found.who.must_change:
        raise MustChange
    return found


async def anybody(request: Request) -> Visit:
    """Somebody logged in, a one-time password included."""
    service = service_of(request)
    cookie = request.cookies.get(COOKIE)
    who = await service.logins.of_cookie(cookie) if cookie else None
    if who is None:
        raise NotLoggedIn
    return Visit(request, service, who, service.clock())


Visiting = Annotated[Visit, Depends(visit)]
Anybody = Annotated[Visit, Depends(anybody)]


def text(form: FormData, name: str, limit: int = 2000) -> str:
    """A field as text, empty where it is missing. Raises Refused when it is too long."""
    value = form.get(name, "")
    if not isinstance(value, str) or len(value) > limit:
        raise Refused(f"the field {name} is too long: at most {limit:,} characters")
    return value.replace("\x00", "").strip()


def local_path(wanted: str) -> str:
    """`wanted` when it is a path of this console, else the first screen: a login never leads elsewhere."""
    safe = wanted.startswith(BASE) and not any(c in wanted for c in "\\\r\n\t") and "//" not in wanted
    return wanted if safe else BASE


def go(path: str) -> RedirectResponse:
    """See other (303): what was posted is not posted again by a reload."""
    return RedirectResponse(path, 303)


def sorry(status: int, title: str, sentence: str) -> Response:
    """A page that says what went wrong."""
    return page("sorry.html", status, title=title, sentence=sentence)


class ConsoleRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                response = await handler(request)
            except NotLoggedIn:
                response = _to_login(request)
            except MustChange:
                response = go(f"{BASE}password")
            except Exception as error:
                response = _failed(request, error)
            return secured(response)

        return handled


def _to_login(request: Request) -> Response:
    if _from_elsewhere(request):
        return page("again.html", path=request.url.path)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    following = f"?next={quote(wanted)}" if request.method == "GET" and wanted != BASE else ""
    return go(f"{BASE}login{following}")


def _from_elsewhere(request: Request) -> bool:
    """Whether another site (web mail, a ticket) led here. A SameSite=Strict cookie is not sent then, so somebody who *is*
    logged in would be asked to log in; the page that asks for the same address again makes it a visit of our own."""
    elsewhere = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
    return elsewhere and request.method == "GET" and request.headers.get("sec-fetch-mode") == "navigate"


def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, NotFound):
        return sorry(404, "Not found", str(error))
    if isinstance(error, BadLink):
        return sorry(400, "This link does not work", f"{error}. Look for the executable or host in the console.")
    if isinstance(error, Refused):
        return sorry(409, "Not done", str(error))
    if isinstance(error, Forbidden):
        return sorry(403, "Not allowed", str(error))
    if isinstance(error, Problem):
        return sorry(error.status, error.title, error.detail)
    if isinstance(error, RequestValidationError):
        return sorry(400, "The address does not fit", "A part of the address or form has a value that makes no sense.")
    if isinstance(error, HTTPException):
        return sorry(error.status_code, "Not done", str(error.detail))
    if isinstance(error, StoreError):
        logger(__name__).error("store_failed", path=request.url.path, error=str(error))
        return sorry(503, "The database does not answer", "Nothing was changed. Try again in a moment.")
    logger(__name__).error("console_failed", path=request.url.path, exc_info=error)
    return sorry(500, "The console failed", "This is a defect of Pratique; the service's log has the reason.")

"""What answers HTTP: agents and probes from the first moment, people and programs as soon as their part is loaded.

An agent that waits holds a program back, so the paths of agents need a few modules only; console and REST API need ten
times as many, which are loaded beside them. Whoever asks for a page before that waits for it, and is answered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette

from api import problems

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.service import Service


class Front:
    """The ASGI app. `state` is what requests find at `request.app.state`, whichever part answers them."""

    def __init__(self, agents: Starlette, load: Callable[[], Starlette]) -> None:
        from api.ingest.routes import signed

        self.state = agents.state
        self._agents = agents
        self._paths = frozenset(getattr(route, "path", "") for route in agents.routes)
        self._signed = signed(agents.routes)
        self._load = load
        self._people: Starlette | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path")
        if path in self._signed and scope.get("method") == "POST":  # a move may wait for this one: straight to it
            scope["app"] = self._agents
            await self._signed[path](scope, receive, send)
            return
        app = self._agents if path in self._paths else await self.people()
        await app(scope, receive, send)

    async def people(self) -> Starlette:
        """The part for people, loaded once."""
        if self._people is None:
            async with self._loading:
                if self._people is None:
                    made = await asyncio.to_thread(self._load)
                    made.state = self.state
                    self._people = made
        return self._people


def front() -> Front:
    """The app without its parts."""
    return Front(agents(), people)


def equip(app: Front, service: "Service") -> None:
    """Give the app its parts."""
    from api.console.hub import Hub
    from api.health.service import Readiness
    from api.ingest.intake import Intake

    app.state.service = service
    app.state.intake = intake = Intake(service.store, service.tenant, service.policies, service.metrics, service.clock)
    service.feed.listen(intake.keys.changed)
    app.state.readiness = Readiness(service)
    app.state.live = Hub(service.feed)


def agents() -> Starlette:
    """The part for agents and probes."""
    from api.health import service as about
    from api.ingest import routes as ingest

    app = Starlette(routes=[*ingest.routes(), *about.routes()])
    problems.install(app)
    return app


def people() -> "FastAPI":
    """The part for people and programs: console and REST API."""
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError

    from api.admin import alert_routes, script_routes
    from api.admin import routes as admin
    from api.auth.roles import Forbidden
    from api.console import routes as console
    from api.errors import Conflict, NotFound, Refused
    from api.health import posture
    from api.reports import routes as reports

    app = FastAPI(title="Pratique", openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)
    app.add_exception_handler(RequestValidationError, problems.of_validation)
    for family, name in (
        (Refused, "malformed"),
        (NotFound, "not-found"),
        (Conflict, "conflict"),
        (Forbidden, "forbidden"),
    ):
        app.add_exception_handler(family, _as_problem(name))
    for part in (posture, admin, alert_routes, script_routes, reports):
        app.include_router(part.router())
    _describe(app)
    app.include_router(console.router())
    return app


def _as_problem(name: str) -> Callable[[Any, Exception], Any]:
    return lambda _, error: problems.Problem(name, str(error)).response()


def _describe(app: "FastAPI") -> None:
    """The REST API's description, for admins alone: it is a map of what can be attacked."""
    from fastapi import Request

    from api.auth.dependencies import needs
    from api.auth.roles import Role

    async def description(request: Request) -> dict[str, Any]:
        described: FastAPI = request.app
        return described.openapi()

    handler: Callable[[Request], Awaitable[dict[str, Any]]] = description
    app.add_api_route("/v1/openapi.json", handler, include_in_schema=False, dependencies=[needs(Role.ADMIN)])

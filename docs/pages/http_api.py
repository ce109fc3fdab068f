"""The page of the HTTP API: every route with the role it needs and the body it takes, read off the app itself.

FastAPI's routes tell their own roles and bodies; what the agents' and the monitoring's plain routes are for stands
here, and a test says that none is missing.
"""

import inspect
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from api import front
from api.problems import NAMES, URN
from docs.pages import table

PLAIN: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("POST", "/v1/sightings"): ("an endpoint's key", "A report of starts and ends; answered with verdicts and orders"),
    ("POST", "/v1/heartbeat"): ("an endpoint's key", "A sign of life: sensor, MAC addresses, what was lost"),
    ("POST", "/v1/inventory"): ("an endpoint's key", "A part of the inventory scan"),
    ("POST", "/v1/enrol"): ("a one-time token", "A machine becomes an endpoint"),
    ("GET", "/v1/ca"): ("anybody", "The service's CA certificate (PEM); its fingerprint stands in the token"),
    ("GET", "/healthz"): ("anybody", "This process lives"),
    ("GET", "/readyz"): ("anybody", "It can write its store and the RADIUS process answers; 503 names what is missing"),
    ("GET", "/metrics"): ("this machine, or viewer", "Prometheus metrics"),
    ("GET", "/v1/openapi.json"): ("admin", "This API as an OpenAPI document"),
}
"""Who may ask, and what for."""


@cache
def app() -> FastAPI:
    """The app as the service builds it, without its parts."""
    return front.people()


def routes() -> list[tuple[str, str, Route]]:
    """Method, path and route of everything but the console's pages."""
    found = [
        (method, route.path, route)
        for route in (*_flat(front.agents()), *_flat(app()))
        for method in sorted(route.methods or ())
        if method != "HEAD" and (route.path.startswith("/v1/") or (method, route.path) in PLAIN)
    ]
    return sorted(found, key=lambda each: (each[1], each[0]))


def _flat(router: Any) -> list[Route]:
    """The routes with those of included routers, which FastAPI keeps as they were made."""
    found: list[Route] = []
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        found += _flat(inner) if inner is not None else [route]
    return [route for route in found if isinstance(route, Route)]


def page() -> str:
    """The whole page."""
    rows = [(method, path, *_about(method, path, route)) for method, path, route in routes()]
    mine = [row for row in rows if (row[0], row[1]) not in PLAIN]
    plain = [(method, path, who, what) for method, path, who, what in rows if (method, path) in PLAIN]
    problems = ((f"`{name}`", str(status), title) for name, (status, title) in NAMES.items())
    return f"""# HTTP API

JSON over HTTPS (TLS 1.3) on `api.listen`. A program authenticates with a token that `pratique api-token add` prints,
as `Authorization: Bearer ptk_…`; each role may do what the ones before it may: viewer, operator, admin. Times are
microseconds since the Unix epoch (UTC). An unknown member in a body is an error. `NAME` of a host is its name, MAC
address or id. The whole description in OpenAPI is at `/v1/openapi.json`, for admins.

{table(("method", "path", "role", "what"), (_marked(row) for row in mine))}

## Bodies

{_bodies()}

## Agents, certificates and monitoring

{table(("method", "path", "who", "what"), (_marked(row) for row in plain))}

A signed body carries `Pratique-Host` and `Pratique-Signature` (Ed25519 over the octets of the body); the structures are
`health_agent/contract.py`.

## Problems

Every error is `application/problem+json` (RFC 9457): `type` is `{URN}NAME`, `detail` a sentence that says what is
wrong and what to do.

{table(("name", "status", "title"), problems)}
"""


def _marked(row: tuple[str, ...]) -> tuple[str, ...]:
    method, path, *rest = row
    return (method, f"`{path}`", *rest)


def _about(method: str, path: str, route: Route) -> tuple[str, str]:
    if (method, path) in PLAIN:
        return PLAIN[method, path]
    return role(route), " ".join((inspect.getdoc(route.endpoint) or "").split())


def role(route: Route) -> str:
    """The role that a route needs, from its own dependency."""
    for dependant in route.dependant.dependencies if isinstance(route, APIRoute) else ():
        if dependant.call is not None and inspect.isfunction(dependant.call):
            needed = inspect.getclosurevars(dependant.call).nonlocals.get("role")
            if needed is not None:
                return str(needed)
    return "anybody"


def _bodies() -> str:
    described: dict[str, Any] = app().openapi()
    schemas = described["components"]["schemas"]
    rows = []
    for path, methods in sorted(described["paths"].items()):
        for method, operation in sorted(methods.items()):
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if "$ref" in content:
                schema = schemas[content["$ref"].rsplit("/", 1)[1]]
                rows.append((method.upper(), f"`{path}`", _members(schema)))
    return table(("method", "path", "members (bold: required)"), rows)


def _members(schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    return ", ".join(f"**`{name}`**" if name in required else f"`{name}`" for name in schema["properties"])

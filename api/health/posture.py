"""`GET /v1/hosts` and `/v1/hosts/{id or MAC}/posture`: what NAC appliances and scripts ask.

Guarantees: access is told with its reasons, never raw posture alone; nothing is answered from a cache; a caller with
rights for single sites sees those alone, and a host of another site is as if it did not exist.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from api.admin import hosts
from api.auth.dependencies import needs
from api.auth.roles import Identity, Role
from api.errors import NotFound
from api.service import service_of
from radius_policy.store.interface import Reading

Viewer = Annotated[Identity, needs(Role.VIEWER)]


def router() -> APIRouter:
    """The read-only part of the REST API about hosts."""
    made = APIRouter(prefix="/v1/hosts", tags=["hosts"])

    @made.get("")
    async def list_hosts(
        request: Request,
        who: Viewer,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        after: Annotated[str | None, Query(max_length=64)] = None,
        site: Annotated[str | None, Query(max_length=253)] = None,
    ) -> dict[str, Any]:
        """A page of endpoints by id; `next` is what to pass as `after`, null on the last page."""
        service = service_of(request)
        page = await service.store.read(lambda tx: hosts.hosts(tx, who, limit=limit, after=after, site=site))
        return {"hosts": page, "next": page[-1]["host_id"] if len(page) == limit else None}

    @made.get("/{name}")
    async def one_host(request: Request, name: str, who: Viewer) -> dict[str, Any]:
        """Everything decided about an endpoint. `name` is its id, name or MAC address."""
        service = service_of(request)
        return await service.store.read(lambda tx: _seen(tx, who, name))

    @made.get("/{name}/posture")
    async def posture(request: Request, name: str, who: Viewer) -> dict[str, Any]:
        """Posture and access with their reasons, as of `as_of` (microseconds, the service's clock)."""
        service = service_of(request)
        view = await service.store.read(lambda tx: _seen(tx, who, name))
        told = ("host_id", "name", "site", "macs", "posture", "posture_reason", "access", "access_reason", "reasons")
        return {key: view[key] for key in (*told, "generation", "since", "last_evidence")} | {"as_of": service.clock()}

    return made


def _seen(tx: Reading, who: Identity, name: str) -> dict[str, Any]:
    host = hosts.find_host(tx, who.tenant, name)
    if not who.sees(host.site):
        raise NotFound(f'there is no endpoint "{name[:100]}"')
    return hosts.whole_view(tx, host)

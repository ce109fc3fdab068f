"""Scripts over REST: `GET /v1/scripts`, `GET /v1/scripts/runs`, `GET /v1/scripts/{name}/trial`."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request

from api.admin.hosts import find_host
from api.alerts import script_runs
from api.alerts.script_runs import Run
from api.auth.dependencies import needs
from api.auth.roles import Identity, Role
from api.errors import NotFound
from api.service import service_of
from radius_policy.model import Host
from radius_policy.store.interface import Reading

Viewer = Annotated[Identity, needs(Role.VIEWER)]
Admin = Annotated[Identity, needs(Role.ADMIN)]
Text = Annotated[str, Query(max_length=300)]


def router() -> APIRouter:
    """To be included by the app."""
    made = APIRouter(prefix="/v1/scripts", tags=["scripts"])

    @made.get("")
    async def scripts(request: Request, who: Viewer) -> dict[str, Any]:
        """The scripts that the setting `scripts` configures, and those that are shipped."""
        known = await service_of(request).store.read(lambda reading: script_runs.settings(reading, who))
        return {"configured": msgspec.to_builtins(known.scripts), "shipped": script_runs.shipped_with()}

    @made.get("/runs")
    async def runs(
        request: Request,
        who: Viewer,
        host: Text = "",
        event: Text = "",
        script: Text = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        """How runs ended, the newest first. `host` by name, MAC or id; `event` is a kind of event or the id of one."""

        def look(reading: Reading) -> list[Run]:
            host_id = _host(reading, who, host).host_id if host else ""
            return script_runs.runs(reading, who, host_id=host_id, event=event, script=script, limit=limit)

        found = await service_of(request).store.read(look)
        return {"runs": [script_runs.shown(run) for run in found]}

    @made.get("/{name}/trial")
    async def trial(request: Request, name: str, who: Admin, host: Text = "") -> dict[str, Any]:
        """What would be started, and the JSON that the script would get, for an endpoint or for none; nothing is started."""
        service = service_of(request)

        def look(reading: Reading) -> dict[str, Any]:
            return script_runs.trial(
                reading,
                script_runs.named(reading, who, name),
                _host(reading, who, host) if host else None,
                tenant=who.tenant,
                folder=service.config.scripts.folder,
                user=service.config.scripts.user,
                now=service.clock(),
            )

        return await service.store.read(look)

    return made


def _host(reading: Reading, who: Identity, text: str) -> Host:
    """An endpoint that `who` may see. Raises NotFound or Refused."""
    found = find_host(reading, who.tenant, text)
    if not who.sees(found.site):
        raise NotFound(f'there is no endpoint "{text[:100]}"')
    return found

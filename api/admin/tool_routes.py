"""The REST API of tool roles: `/v1/tools`. The same functions as the command line's, so the same refusals and audit."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from api.admin import tools
from api.auth.dependencies import needs
from api.auth.roles import Identity, Role
from api.service import service_of
from radius_policy.model import ToolRole

Viewer = Annotated[Identity, needs(Role.VIEWER)]
Admin = Annotated[Identity, needs(Role.ADMIN)]


class ToolBody(BaseModel):
    """`role` null is the proposed one; trust, hours and max_hosts are for a deployment tool."""

    model_config = ConfigDict(extra="forbid")

    role: ToolRole | None = None
    trust: Literal["proof", "grace"] | None = None
    hours: int | None = None
    max_hosts: int | None = None
    why: str = Field("", max_length=2000)


def add_to(api: APIRouter) -> None:
    """Add the routes to a router whose prefix is `/v1`."""

    @api.get("/tools", tags=["tools"])
    async def listed(request: Request, who: Viewer, role: ToolRole | None = None) -> list[dict[str, Any]]:
        """Programs with a tool role, proposed and confirmed ones."""
        found = await service_of(request).store.read(lambda tx: tools.tools(tx, who.tenant, role))
        return [tools.shown(one) for one in found]

    @api.put("/tools/{sha256}", tags=["tools"])
    async def confirm(request: Request, sha256: str, body: ToolBody, who: Admin) -> dict[str, Any]:
        """Confirm a proposed role, or give one to an inventoried program."""
        wish = tools.ToolWish(**body.model_dump())
        return tools.shown(
            await service_of(request).desk.plain(lambda tx, now: tools.confirm_tool(tx, who, sha256, wish, now=now))
        )

    @api.delete("/tools/{sha256}", status_code=204, tags=["tools"])
    async def remove(request: Request, sha256: str, who: Admin) -> None:
        """Take its role away."""
        await service_of(request).desk.plain(lambda tx, now: tools.remove_tool(tx, who, sha256, now=now))

"""Urgent alerts over REST: `GET /v1/alerts`, `POST /v1/alerts/{id}/acknowledge`."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.alerts import acknowledge as desk
from api.auth.dependencies import needs
from api.auth.roles import Identity, Role
from api.service import Service

Viewer = Annotated[Identity, needs(Role.VIEWER)]
Operator = Annotated[Identity, needs(Role.OPERATOR)]


class Why(BaseModel):
    """Why or how; it stands in the audit."""

    model_config = ConfigDict(extra="forbid")
    why: str = Field("", max_length=2000)


def router() -> APIRouter:
    """To be included by the app."""
    made = APIRouter(prefix="/v1/alerts", tags=["alerts"])

    @made.get("")
    async def alerts(
        request: Request,
        who: Viewer,
        state: Literal["open", "all"] = "open",
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> dict[str, Any]:
        """Urgent alerts that nobody has acknowledged, the oldest first; or `all` of them, the newest first."""
        service: Service = request.app.state.service
        found = await service.store.read(lambda reading: desk.matters(reading, who, every=state == "all", limit=limit))
        return {"alerts": [desk.shown(matter) for matter in found]}

    @made.post("/{alert}/acknowledge")
    async def acknowledge(request: Request, alert: str, body: Why, who: Operator) -> dict[str, Any]:
        """Say that you have it: nobody else is told of it. Once more changes nothing and answers who has it."""
        service: Service = request.app.state.service
        return desk.shown(
            await service.desk.plain(lambda tx, now: desk.acknowledge(tx, who, alert, why=body.why, now=now))
        )

    return made

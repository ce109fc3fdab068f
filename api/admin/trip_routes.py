"""Breaker trips over REST: `GET /v1/trips`, `GET /v1/trips/{trip}`, `POST /v1/trips/{trip}/{answer}`."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from api.admin import trips
from api.auth.dependencies import needs
from api.auth.roles import Identity, Role
from api.service import service_of
from radius_policy.store.interface import Reading

Viewer = Annotated[Identity, needs(Role.VIEWER)]
Operator = Annotated[Identity, needs(Role.OPERATOR)]
Answer = Literal["allow", "deny", "quarantine", "keep"]


class AnswerBody(BaseModel):
    """Why; it stands in the audit. `preview`: only say whom it would touch."""

    model_config = ConfigDict(extra="forbid")
    why: str = Field("", max_length=2000)
    preview: bool = False


def add_to(api: APIRouter) -> None:
    """Put the routes on the admin API."""

    @api.get("/trips", tags=["trips"])
    async def all_trips(request: Request, who: Viewer, state: Literal["waiting", "all"] = "waiting") -> dict[str, Any]:
        """Breaker trips that nobody has answered, the oldest first; or `all` of them."""
        desk = service_of(request).desk
        now = desk.clock()

        def look(reading: Reading) -> list[dict[str, Any]]:
            policy = desk.policies.current(reading, who.tenant, now)
            return [trips.shown(one) for one in trips.trips(reading, who, policy, now, every=state == "all")]

        return {"trips": await desk.store.read(look)}

    @api.get("/trips/{trip}", tags=["trips"])
    async def one_trip(request: Request, trip: str, who: Viewer) -> dict[str, Any]:
        """One trip by its id (6 digits are enough), its limit or a hash that it contains, with the likelier reading of the
        spread: worm or roll-out."""
        desk = service_of(request).desk
        now = desk.clock()

        def look(reading: Reading) -> dict[str, Any]:
            policy = desk.policies.current(reading, who.tenant, now)
            found = trips.find(reading, who, trip, now)
            return trips.shown(trips.view(reading, found, policy, whole=True, now=now))

        return await desk.store.read(look)

    @api.post("/trips/{trip}/{answer}", tags=["trips"])
    async def answer(request: Request, trip: str, answer: Answer, body: AnswerBody, who: Operator) -> dict[str, Any]:
        """Allow or deny everything it contains, quarantine all who ran it, or keep holding: the site's own choice does not
        follow any more. With `preview` nothing is changed; the answer says whom it would touch and who would stay, and why."""
        desk = service_of(request).desk
        if body.preview:
            return trips.shown(await trips.previewed(desk, who, trip, answer))
        return trips.shown(await trips.decide(desk, who, trip, answer, why=body.why))

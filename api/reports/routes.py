"""`/v1/reports`: the reports of the command line over HTTP, in the same formats, and *quarantine exactly these*."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.admin import exactly
from api.admin.deeds import Desk
from api.auth.dependencies import needs
from api.auth.roles import Identity, Role
from api.reports import asked
from api.reports.render import MEDIA, Report, render
from api.reports.render.html import policy
from api.service import Service

Viewer = Annotated[Identity, needs(Role.VIEWER)]
Operator = Annotated[Identity, needs(Role.OPERATOR)]
Format = Annotated[Literal["table", "csv", "json", "html"], Query()]
Site = Annotated[str, Query(max_length=100)]
Moment = Annotated[str, Query(max_length=40)]


class QuarantineBody(BaseModel):
    """Which hosts (ids, as in a window report) and why. `preview`: only say what would be done."""

    model_config = ConfigDict(extra="forbid")
    hosts: tuple[Annotated[str, Field(max_length=64)], ...] = Field(max_length=10_000)
    why: str = Field("", max_length=2000)
    preview: bool = False


def router() -> APIRouter:
    """What `api/main.py` mounts."""
    made = APIRouter(prefix="/v1/reports", tags=["reports"])

    @made.get("/day/{date}")
    async def day(request: Request, date: str, who: Viewer, site: Site = "", format: Format = "json") -> Response:
        """Executables whose first execution in the fleet was on this day; separate, those new on a host."""
        return answer(await asked.made(_service(request), who, site, asked.day(who, date)), format, f"day-{date}")

    @made.get("/window")
    async def window(
        request: Request,
        who: Viewer,
        begin: Annotated[str, Query(alias="from", max_length=40)],
        to: Moment,
        site: Site = "",
        format: Format = "json",
    ) -> Response:
        """Hosts on which something not allowed at that time was running, first patient first."""
        report = await asked.made(_service(request), who, site, asked.window(who, begin, to))
        return answer(report, format, "window")

    @made.get("/spread/{sha256}")
    async def spread(request: Request, sha256: str, who: Viewer, site: Site = "", format: Format = "json") -> Response:
        """Who ran an executable first, from where, and how it went on."""
        report = await asked.made(_service(request), who, site, asked.spread(who, sha256))
        return answer(report, format, f"spread-{sha256[:12]}")

    @made.post("/quarantine")
    async def quarantine(request: Request, body: QuarantineBody, who: Operator) -> dict[str, Any]:
        """Quarantine exactly these hosts; those on the never-quarantine list stay, with the reason."""
        service = _service(request)
        planned = await service.store.read(lambda tx: exactly.preview(tx, who, body.hosts))
        if body.preview:
            return {"planned": [{"host_id": one.host_id, "host": one.host, "why_not": one.why_not} for one in planned]}
        done = await exactly.carry_out(desk_of(service), who, body.hosts, why=body.why)
        return {
            "quarantined": list(done.quarantined),
            "stayed": [{"host": host, "why": why} for host, why in done.stayed],
        }

    return made


def answer(report: Report, format_: str, name: str) -> Response:
    """The report in a format; HTML with its own content security policy, CSV as a file to save."""
    headers = {"Cache-Control": "no-store"}
    if format_ == "html":
        headers["Content-Security-Policy"] = f"{policy()}; frame-ancestors 'none'"
    if format_ == "csv":
        safe = "".join(char for char in name if char.isascii() and (char.isalnum() or char in "-_"))
        headers["Content-Disposition"] = f'attachment; filename="pratique-{safe}.csv"'
    return Response(render(report, format_), media_type=MEDIA[format_], headers=headers)


def desk_of(service: Service) -> Desk:
    return Desk(service.store, lambda: service.policies, service.clock, service.ring)


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service

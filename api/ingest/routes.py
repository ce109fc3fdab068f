"""The agents' endpoints: raw bodies in, raw JSON out, the doorbell rung when the answer is written.

Plain Starlette routes, because a move waits for them (docs/performance.md). Rung earlier, the move overtakes the
answer and a blocking agent hangs in a connection whose port is gone.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.ingest import body as bodies
from api.ingest.enrol import enrol
from api.ingest.intake import Intake
from api.ingest.silence import HEARTBEAT_S
from api.problems import Problem
from api.service import service_of
from health_agent import contract

_ENROLMENT: Final = msgspec.json.Decoder(contract.Enrolment)
_ENCODE: Final = msgspec.json.Encoder().encode
_SMALL: Final = 64 * 1024
_Take = Callable[[str, str, bytes, str], Awaitable[contract.Answer]]


def _signed(take: Callable[[Intake], _Take]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        service = service_of(request)
        headers = request.headers
        answer = await take(request.app.state.intake)(
            headers.get(contract.HOST_HEADER, ""),
            headers.get(contract.SIGNATURE_HEADER, ""),
            await bodies.read(request),
            client(request),
        )
        return Response(_ENCODE(answer), media_type="application/json", background=BackgroundTask(service.ring))

    return endpoint


async def _enrol(request: Request) -> Response:
    service = service_of(request)
    address, now = client(request), service.clock()
    if seconds := service.throttle.wait("", address, now):
        raise Problem("too-many", "too many failed enrolments from this address", headers={"Retry-After": str(seconds)})
    asked = bodies.decode(_ENROLMENT, await bodies.read(request, _SMALL))
    if asked.v != contract.VERSION:
        raise Problem("malformed", f"this service speaks version {contract.VERSION} of the wire")
    try:
        host = await service.store.write(
            lambda tx: enrol(
                tx, service.tenant, asked, now=now, policy=service.policies.current(tx, service.tenant, now)
            )
        )
    except Problem as problem:
        service.metrics.enrolments.labels(problem.name).inc()
        service.throttle.failed("", address, now)
        raise
    service.metrics.enrolments.labels("done").inc()
    answer = contract.Enrolled(host.host_id, host.site, service.clock(), HEARTBEAT_S)
    return Response(_ENCODE(answer), media_type="application/json", background=BackgroundTask(service.ring))


async def _ca(request: Request) -> Response:
    """The CA certificate (PEM): public; whoever fetches it compares its fingerprint with the token's."""
    service = service_of(request)
    return Response(service.ca_pem, media_type="application/x-pem-file")


def client(request: Request) -> str:
    """The peer's address, for logs, events and throttles."""
    return request.client.host if request.client else ""


def routes() -> list[Route]:
    """Everything that agents ask."""
    return [
        Route("/v1/sightings", _signed(lambda intake: intake.report), methods=["POST"]),
        Route("/v1/heartbeat", _signed(lambda intake: intake.heartbeat), methods=["POST"]),
        Route("/v1/inventory", _signed(lambda intake: intake.inventory), methods=["POST"]),
        Route("/v1/enrol", _enrol, methods=["POST"]),
        Route("/v1/ca", _ca, methods=["GET"]),
    ]

"""The agents' endpoints: raw bodies in, raw JSON out, the doorbell rung when the answer is written.

Plain ASGI where a move waits for it (docs/performance.md), else Starlette's routes. Rung earlier, the move overtakes the
answer and a blocking agent hangs in a connection whose port is gone.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from api import problems
from api.ingest import body as bodies
from api.ingest.enrol import enrol
from api.ingest.intake import Intake
from api.ingest.silence import HEARTBEAT_S
from api.problems import Problem
from api.service import service_of
from health_agent import contract

_ENROLMENT: Final = msgspec.json.Decoder(contract.Enrolment)
_ENCODE: Final = msgspec.json.Encoder().encode
_JSON: Final = (b"content-type", b"application/json")
_SMALL: Final = 64 * 1024
_Take = Callable[[str, str, bytes, str], Awaitable[contract.Answer]]


class Signed:
    """One path for signed messages, as an ASGI app that needs no framework around it: `Front` calls it directly.

    The bell is rung when `send` has returned: uvicorn and uvloop have given the answer to the kernel by then
    (tests/integration/test_answer_before_bell.py). Rung where it cannot be written too, because what was decided stands.
    """

    def __init__(self, take: Callable[[Intake], _Take]) -> None:
        self._take = take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        service, headers = service_of(request), request.headers
        try:
            answer = await self._take(request.app.state.intake)(
                headers.get(contract.HOST_HEADER, ""),
                headers.get(contract.SIGNATURE_HEADER, ""),
                await bodies.read(request),
                client(request),
            )
        except Exception as error:  # whatever it was, the agent is told in the words of a problem
            await problems.answer(request, error)(scope, receive, send)
            return
        body = _ENCODE(answer)
        try:
            length = (b"content-length", b"%d" % len(body))
            await send({"type": "http.response.start", "status": 200, "headers": [_JSON, length]})
            await send({"type": "http.response.body", "body": body})
        finally:
            service.ring()


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

    async def ring() -> None:  # a plain function would be run in a thread, and the feed belongs to the loop
        service.ring()

    return Response(_ENCODE(answer), media_type="application/json", background=BackgroundTask(ring))


async def _ca(request: Request) -> Response:
    """The CA certificate (PEM): public; whoever fetches it compares its fingerprint with the token's."""
    service = service_of(request)
    return Response(service.ca_pem, media_type="application/x-pem-file")


def client(request: Request) -> str:
    """The peer's address, for logs, events and throttles."""
    return request.client.host if request.client else ""


def signed(routes: Iterable[BaseRoute]) -> dict[str, Signed]:
    """Those of the routes that are apps of their own, by path."""
    return {
        route.path: route.endpoint
        for route in routes
        if isinstance(route, Route) and isinstance(route.endpoint, Signed)
    }


def routes() -> list[Route]:
    """Everything that agents ask."""
    return [
        Route("/v1/sightings", Signed(lambda intake: intake.report), methods=["POST"]),
        Route("/v1/heartbeat", Signed(lambda intake: intake.heartbeat), methods=["POST"]),
        Route("/v1/inventory", Signed(lambda intake: intake.inventory), methods=["POST"]),
        Route("/v1/enrol", _enrol, methods=["POST"]),
        Route("/v1/ca", _ca, methods=["GET"]),
    ]

"""`/healthz` (this process lives), `/readyz` (it can do its work) and `/metrics`.

Guarantees: ready means that a write reached the disk within the last second and that the RADIUS process wrote its figures lately; what is
missing is named. Strangers cannot make the disk busy: one probe is shared by all who ask within a second. Metrics are
for the machine itself and for logins: they tell how many hosts are in trouble.
"""

import asyncio
import time
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.auth.identify import identify
from api.auth.roles import Role
from api.metrics import CONTENT_TYPE, RADIUS_FRESH_S
from api.problems import Problem
from api.service import Service, service_of
from radius_policy.model import Cursor
from radius_policy.store.interface import StoreError, Tx

PROBE_EVERY_S: Final = 1.0


class Readiness:
    """What `/readyz` finds, probed at most once a second."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = asyncio.Lock()
        self._at = float("-inf")
        self._missing: dict[str, str] = {}

    async def missing(self) -> dict[str, str]:
        """What does not work, by name, with a sentence; empty = ready."""
        async with self._lock:
            if time.monotonic() - self._at >= PROBE_EVERY_S:
                self._missing = await self._probe()
                self._at = time.monotonic()
            return self._missing

    async def _probe(self) -> dict[str, str]:
        found: dict[str, str] = {}
        service = self._service

        def work(tx: Tx) -> None:
            tx.put(Cursor(service.tenant, "ready", service.clock()))

        try:
            await service.store.write(work)
        except StoreError as error:
            found["store"] = str(error)
        age = service.metrics.radius.age()
        if age is None or age > RADIUS_FRESH_S:
            how = "never" if age is None else f"{age:.0f} seconds ago"
            found["radius"] = f"the RADIUS process wrote its figures {how}; is it running?"
        return found


async def _healthz(_: Request) -> Response:
    return Response(b'{"status":"ok"}', media_type="application/json")


async def _readyz(request: Request) -> Response:
    readiness: Readiness = request.app.state.readiness
    missing = await readiness.missing()
    told: dict[str, object] = {"ready": not missing, "missing": sorted(missing)}
    if _same_machine(request):  # sentences may name paths of this machine: strangers get the names alone
        told["reasons"] = missing
    body = msgspec.json.encode(told)
    return Response(body, 503 if missing else 200, media_type="application/json")


async def _metrics(request: Request) -> Response:
    service = service_of(request)
    if not _same_machine(request):
        who = await identify(request)
        if who is None or not who.may(Role.VIEWER, who.sites[0] if who.sites else None):
            raise Problem(
                "unauthenticated", "metrics are for this machine or for a token", headers={"WWW-Authenticate": "Bearer"}
            )
    return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def _same_machine(request: Request) -> bool:
    client, server = request.client, request.scope.get("server") or ("",)
    return client is not None and client.host in ("127.0.0.1", "::1", server[0])


def routes() -> list[Route]:
    """The service about itself."""
    return [
        Route("/healthz", _healthz, methods=["GET"]),
        Route("/readyz", _readyz, methods=["GET"]),
        Route("/metrics", _metrics, methods=["GET"]),
    ]

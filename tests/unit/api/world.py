"""A whole API process in memory: the real app over the memory store, a clock that the test moves, agents with real keys."""

import asyncio
import base64
import functools
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api import config as configuration
from api import front, main, tls
from api.admin import tokens
from api.admin.deeds import Desk
from api.auth.roles import Identity, Role, local
from api.front import Front
from api.service import Service
from health_agent import contract
from radius_policy.model import SECOND, Mode, TenantId
from radius_policy.store.interface import Reading, Tx
from radius_policy.store.memory import MemoryStore

T = TypeVar("T")
START = 1_800_000_000 * SECOND
MAC = "02:00:00:00:00:10"
ADMIN = local("tester", TenantId(1))


@functools.cache
def material(folder: Path) -> tls.Material:
    return tls.prepare(folder, ("localhost",))


@functools.cache
def app() -> Front:
    return front.front()


class World:
    """The service under test. `ask` is one HTTP request; `now` is its clock."""

    def __init__(self, folder: Path, text: str = "") -> None:
        self.now = START
        self.config = configuration.parse(f'[service]\ndata = "{folder}"\n{text}')
        self.store = MemoryStore()
        self.runner = asyncio.Runner()
        self.rings = 0
        self.app = app()
        self.service: Service = main.wire(self.config, self.store, material(folder), lambda: self.now)
        front.equip(self.app, self.service)
        self.token = ""

    def close(self) -> None:
        self.run(self.store.close())
        self.service.doorbell.close()
        self.runner.close()

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def write(self, work: Callable[[Tx], T]) -> T:
        return self.run(self.store.write(work))

    def read(self, work: Callable[[Reading], T]) -> T:
        return self.run(self.store.read(work))

    def ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=("192.0.2.1", 50000))
            async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
                return await client.request(method, path, **arguments)

        return self.run(one())

    def rest(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """As somebody with an admin's token."""
        self.token = self.token or self.api_token(Role.ADMIN)
        return self.ask(method, path, headers={"Authorization": f"Bearer {self.token}"}, **arguments)

    def api_token(self, role: Role) -> str:
        return self.write(
            lambda tx: tokens.make_api_token(tx, ADMIN, f"{role}-{uuid.uuid4().hex}", role, now=self.now)
        )[0]

    def desk(self) -> Desk:
        return self.service.desk

    def enforce(self) -> None:
        self.run(self.desk().mode(ADMIN, Mode.ENFORCE))

    def enrol_token(self, who: Identity = ADMIN, **arguments: Any) -> str:
        given = {"site": "main", "now": self.now, **arguments}
        return self.write(lambda tx: tokens.make_enrolment_token(tx, who, **given))[0]

    def agent(self, name: str = "desk-1", mac: str = MAC, **token: Any) -> "Agent":
        agent = Agent(self, name, mac)
        agent.enrol(self.enrol_token(**token))
        return agent

    def events(self, kind: str | None = None) -> list[Any]:
        from radius_policy.model import Event

        found = self.read(lambda tx: tx.find(Event, tenant=1, order="at"))
        return [event for event in found if kind is None or event.kind == kind]


class Agent:
    """An endpoint with its own key and clock (`ahead` of the service's by so many microseconds)."""

    def __init__(self, world: World, name: str = "desk-1", mac: str = MAC) -> None:
        self.world, self.name, self.mac = world, name, mac
        self.key = Ed25519PrivateKey.generate()
        self.host_id = "not-enrolled"
        self.ahead = 0

    @property
    def public(self) -> str:
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def enrolment(self, token: str, **changes: Any) -> bytes:
        asked = contract.Enrolment(token, self.public, self.name, (self.mac,), "0.1.0", "Debian 12")
        return msgspec.json.encode(msgspec.structs.replace(asked, **changes))

    def enrol(self, token: str) -> httpx.Response:
        answer = self.world.ask("POST", "/v1/enrol", content=self.enrolment(token))
        if answer.status_code == 200:
            self.host_id = msgspec.json.decode(answer.content, type=contract.Enrolled).host_id
        return answer

    def message(self, kind: type[T] = contract.Report, **fields: Any) -> T:
        given = {"host_id": self.host_id, "id": uuid.uuid4().hex, "clock_us": self.world.now + self.ahead, **fields}
        return kind(**given)

    def report(self, *executions: contract.Execution, **fields: Any) -> contract.Report:
        return self.message(executions=executions, **fields)

    def send(
        self, message: Any, path: str = "/v1/sightings", key: Ed25519PrivateKey | None = None, **headers: str
    ) -> httpx.Response:
        body = message if isinstance(message, bytes) else msgspec.json.encode(message)
        signature = base64.b64encode((key or self.key).sign(body)).decode()
        signed = {contract.HOST_HEADER: self.host_id, contract.SIGNATURE_HEADER: signature, **headers}
        return self.world.ask("POST", path, content=body, headers=signed)

    def tell(self, *executions: contract.Execution, **fields: Any) -> contract.Answer:
        return answered(self.send(self.report(*executions, **fields)))

    def beat(self, **fields: Any) -> contract.Answer:
        given = {"agent_version": "0.1.0", "sensor": "fanotify", "operation": "notify", "macs": (self.mac,), **fields}
        return answered(self.send(self.message(contract.Heartbeat, **given), "/v1/heartbeat"))


def answered(response: httpx.Response) -> contract.Answer:
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=contract.Answer)


def problem(response: httpx.Response) -> str:
    """The name of the problem that was answered."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert body["detail"]
    return body["type"].removeprefix("urn:pratique:problem:")


def execution(world: World, sha256: str | None = "a" * 64, path: str = "/tmp/new", **fields: Any) -> contract.Execution:
    given = {"id": uuid.uuid4().hex, "path": path, "pid": 4242, "started_us": world.now, "sha256": sha256, **fields}
    return contract.Execution(**given)

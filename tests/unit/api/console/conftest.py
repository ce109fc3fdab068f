"""A console in this process: the app as `api.main.build` makes it, on a memory store, reached without a network."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from api import main, tls
from api.auth import passwords
from api.config import Api, Config, Mail, Service
from radius_policy.store.memory import MemoryStore
from tests.integration import console_site as fleet

NOW = 1_795_419_660_000_000
"""Monday 2026-11-23 08:41 in Berlin."""


class Client:
    """Requests to the app, one after the other, with a browser's cookies."""

    def __init__(self, app: Any) -> None:
        self._loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="https://nac.example.org")
        self.cookies = self._client.cookies

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self._loop.run_until_complete(self._client.get(path, headers=headers))

    def post(self, path: str, data: dict[str, str], headers: dict[str, str] | None = None) -> httpx.Response:
        return self._loop.run_until_complete(self._client.post(path, data=data, headers=headers))

    def close(self) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@dataclass
class Console:
    """A browser without scripts, and the store behind it."""

    client: Client
    store: MemoryStore
    config: Config
    app: Any

    def log_in(self, name: str = "otto", following: str = "/console/") -> httpx.Response:
        data = {"name": name, "password": fleet.PASSWORD, "next": following}
        return self.client.post("/console/login", data=data)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(f"/console/{path}", headers=headers)

    def post(self, path: str, csrf: bool = True, **data: str) -> httpx.Response:
        if csrf:
            data["csrf"] = self.csrf
        return self.client.post(f"/console/{path}", data=data)

    @property
    def csrf(self) -> str:
        page = self.get("password").text
        return page.split('name="csrf" value="')[1].split('"')[0]


@cache
def cheap() -> PasswordHasher:
    """argon2 at a cost that a test can pay for each login."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    monkeypatch.setattr(passwords, "_hasher", cheap)
    fleet.kept_password.cache_clear()
    config = Config(
        service=Service(data=tmp_path),
        api=Api(names=("nac.example.org",)),
        mail=Mail(server="127.0.0.1", to=("admin@example.org",)),
    )
    store = MemoryStore()
    app = main.build(config, store, tls.prepare(tmp_path, config.api.names), clock=lambda: NOW)
    with store.transaction() as tx:
        fleet.people(tx)
        fleet.quiet(tx, NOW)
    client = Client(app)
    yield Console(client, store, config, app)
    client.close()
    app.state.service.doorbell.close()
    fleet.kept_password.cache_clear()


@pytest.fixture
def unknown(console: Console) -> str:
    """PC-0001 started an unknown and is confirmed in remediation."""
    with console.store.transaction() as tx:
        host = fleet.HostId("host-00001")
        which = fleet.executable(tx, 700, NOW, host, name="/tmp/dropper.bin")
        fleet.runs(tx, 1, which, NOW, "/tmp/dropper.bin")
        fleet.moved(tx, 1, which, NOW, fleet.OrderState.CONFIRMED, 900)
    return str(which)

"""A small office in a memory store, and hostile names."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.alerts.content import Alert
from api.config import Config, Mail, Service
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    Access,
    Event,
    EventKind,
    Executable,
    Execution,
    Host,
    HostId,
    HostState,
    Mac,
    MacBinding,
    Nas,
    Order,
    OrderState,
    ParentRef,
    Posture,
    Prevalence,
    Reason,
    Session,
    Severity,
    Sha256,
)
from radius_policy.store.interface import Tx
from radius_policy.store.memory import MemoryStore

T0 = 1_795_246_860 * SECOND
SHA = Sha256("3f9ac2d1" + "0" * 56)
HOSTILE = 'x"\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script>\u202egpj.exe'


@dataclass
class Office:
    """Hosts `PC-0001`, … each on its switch port, and the store they stand in."""

    store: MemoryStore

    def runs(
        self,
        number: int,
        *,
        at: int = T0,
        sha: Sha256 = SHA,
        kind: EventKind = EventKind.UNKNOWN_RAN,
        severity: Severity = Severity.WARNING,
        name: str = "",
        program: str = "/home/anna/Downloads/invoice.exe",
        order: OrderState = OrderState.SENT,
    ) -> Event:
        """Host `number` starts an unknown executable and is ordered to remediation."""
        with self.store.transaction() as tx:
            return self.put(
                tx, number, at=at, sha=sha, kind=kind, severity=severity, name=name, program=program, order=order
            )

    @staticmethod
    def put(
        tx: Tx,
        number: int,
        *,
        at: int = T0,
        sha: Sha256 = SHA,
        kind: EventKind = EventKind.UNKNOWN_RAN,
        severity: Severity = Severity.WARNING,
        name: str = "",
        program: str = "/home/anna/Downloads/invoice.exe",
        order: OrderState = OrderState.SENT,
    ) -> Event:
        """The same inside a transaction."""
        host = HostId(f"host-{number:04}")
        mac = Mac(f"02:00:00:00:{number // 256:02x}:{number % 256:02x}")
        tenant = DEFAULT_TENANT
        event = Event(
            tenant,
            f"ev-{kind}-{number:05}-{at}",
            at,
            kind,
            severity,
            sha,
            f"An unknown executable ran on PC-{number:04}.",
            host,
            sha,
            "main",
        )
        tx.put(
            Host(tenant, host, name or f"PC-{number:04}", user="anna", groups=("office",)),
            MacBinding(tenant, mac, host, T0, T0),
            Nas(tenant, "sw1", "10.0.0.2", b"secret", name="Switch 1"),
            Session(tenant, "sw1", f"s{number}".encode(), mac, port=f"Gi1/0/{number}", started=T0, updated=T0),
            Executable(tenant, sha, "pe", 4096, program, first_seen=T0, first_host=host),
            Prevalence(tenant, sha, "fleet", number, T0, at),
            Execution(
                tenant,
                f"x-{number}-{at}",
                host,
                sha,
                program,
                4242,
                at,
                at,
                user="anna",
                parents=(ParentRef("/usr/bin/thunderbird", user="anna"), ParentRef("/usr/lib/systemd/systemd")),
            ),
            HostState(
                tenant,
                host,
                Posture.POTENTIAL_PROBLEM,
                Reason("4", "unknown"),
                Access.REMEDIATION,
                Reason("6", "move"),
                7,
                at,
            ),
            Order(tenant, f"o-{number}", host, mac, Access.REMEDIATION, 7, order, at, at, nas_id="sw1"),
            event,
        )
        tx.note(tenant, "event", event.id)
        return event


class Receiver:
    """A channel that keeps what it takes, or fails as told."""

    def __init__(self) -> None:
        self.taken: list[Alert] = []
        self.fails: Exception | None = None

    async def send(self, alert: Alert) -> str:
        if self.fails:
            raise self.fails
        self.taken.append(alert)
        return ""


class Clock:
    """A clock that a test turns."""

    def __init__(self, now: int = T0) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def office() -> Office:
    return Office(MemoryStore())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver() -> Callable[[], Receiver]:
    return Receiver


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(service=Service(data=tmp_path), mail=Mail(server="127.0.0.1", to=("admin@example.org",)))


@pytest.fixture
def hostile() -> str:
    return HOSTILE


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"

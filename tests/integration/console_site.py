"""A console to look at: a real server with TLS on a free port of the loopback, and fleets to fill it with.

`Site` runs the app as `api.main.build` makes it. `quiet`, `busy` and `hostile` are fleets: the second has 1,500 hosts
and 10,000 sightings of a week, the last one names that try to break a page.
"""

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import uvicorn

from api import main, tls
from api.auth import passwords
from api.config import Address, Api, Config, Mail, Service
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    Access,
    BreakerTrip,
    Delivery,
    Event,
    EventKind,
    Executable,
    Execution,
    Host,
    HostExecutable,
    HostId,
    HostState,
    ListEntry,
    ListKind,
    Mac,
    MacBinding,
    Nas,
    Order,
    OrderState,
    ParentRef,
    Posture,
    PostureReason,
    Prevalence,
    Reason,
    Session,
    Setting,
    Severity,
    Sha256,
    User,
    VerdictWord,
)
from radius_policy.store import open_store
from radius_policy.store.interface import Store, Tx

T = DEFAULT_TENANT
PASSWORD = "correct horse battery"
MOVE = Reason("6", "a potential problem with an outstanding move", "default")
WELL = Reason("9", "healthy")
UNKNOWN = Reason("6", "no list, rule or provenance speaks for it", "default", "rule")
HOSTILE = (
    "<script>alert(document.domain)</script><img src=x onerror=alert(1)>.exe",
    "invoice\u202egpj.exe",
    "שלום עולם דוח.exe",
    "x" * 300,
    "a\r\nSet-Cookie: x=1\r\n\r\n\x07\x00.sh",
    "{{ 7*7 }}{% raw %}' onmouseover='alert(1)",
    "zero\u200bwidth\u2028line.bin",
)


class Site:
    """One running console. `write` runs a work in the store from any thread."""

    def __init__(self, data: Path, database: str = "memory:", *, mail: Mail | None = None) -> None:
        self._data = data
        self._database = database
        self._mail = mail or Mail(server="127.0.0.1", port=1, to=("admin@example.org",))
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failed: BaseException | None = None
        self.store: Store
        self.app: Any

    def __enter__(self) -> "Site":
        self._thread.start()
        assert self._ready.wait(20), "the console did not start"
        if self._failed:
            raise self._failed
        return self

    def __exit__(self, *_: object) -> None:
        if live := getattr(self.app.state, "live", None):
            self._loop.call_soon_threadsafe(live.close)
        self._server.should_exit = True
        self._thread.join(15)

    def write(self, work: Callable[[Tx], Any]) -> Any:
        """Run `work`, and tell the live pages."""

        async def both() -> Any:
            done = await self.store.write(work)
            self.app.state.service.feed.wake()
            return done

        return asyncio.run_coroutine_threadsafe(both(), self._loop).result(60)

    def read(self, work: Callable[[Any], Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(self.store.read(work), self._loop).result(60)

    @property
    def now(self) -> int:
        return main.now_us()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failed = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        listening = main.bind(Address("127.0.0.1", 0))
        port = listening.getsockname()[1]
        self.url = f"https://localhost:{port}"
        config = Config(
            service=Service(data=self._data),
            api=Api(listen=Address("127.0.0.1", port), names=("localhost", "127.0.0.1")),
            mail=self._mail,
        )
        self.config = config
        material = tls.prepare(self._data, config.api.names)
        self.store = await open_store(self._database, migrate=True)
        self.app = main.build(config, self.store, material)
        service = self.app.state.service
        await service.feed.start()
        feed = asyncio.create_task(service.feed.run())
        context = tls.context(material)
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app,
                lifespan="off",
                log_level="error",
                timeout_graceful_shutdown=0,
                ssl_context_factory=lambda _c, _d: context,
            )
        )
        self._ready.set()
        await self._server.serve(sockets=[listening])
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()  # a browser that is still open keeps its connection
        feed.cancel()
        await asyncio.sleep(0.05)
        service.doorbell.close()
        await self.store.close()
        listening.close()


@cache
def kept_password() -> str:
    """What is kept of `PASSWORD`; hashing is slow on purpose, so it is done once."""
    return passwords.hashed(PASSWORD)


def people(tx: Tx) -> None:
    """An admin, an operator, a viewer, and one with a one-time password."""
    kept = kept_password()
    for name, role, once in (
        ("anna", "admin", False),
        ("otto", "operator", False),
        ("vera", "viewer", False),
        ("neu", "operator", True),
    ):
        tx.put(User(T, name, role, kept, one_time=once))
    tx.put(Setting(T, "mode", {"default": "enforce", "sites": {}, "groups": {}}, 1, "test", 0))


def sha(number: int) -> Sha256:
    return Sha256(f"{(number * 2654435761) % 2**32:08x}" + f"{number:056x}")


def host(tx: Tx, number: int, now: int, *, name: str = "", site: str = "main", user: str = "") -> HostId:
    """One healthy host on its switch port."""
    host_id, mac = HostId(f"host-{number:05}"), mac_of(number)
    nas = f"sw{number // 48:02}"
    tx.put(
        Host(
            T,
            host_id,
            name or f"PC-{number:04}",
            site,
            groups=("office",),
            user=user or f"user{number % 300}",
            public_key=b"k" * 32,
            enrolled_at=now - 86_400 * SECOND,
            last_evidence=now - number % 30 * SECOND,
            sensor="fanotify",
            agent_version="0.1",
        ),
        MacBinding(T, mac, host_id, now, now),
        Session(T, nas, f"{number:08x}".encode(), mac, f"Gi1/0/{number % 48 + 1}", started=now, updated=now, vlan="10"),
        HostState(T, host_id, Posture.HEALTHY, WELL, Access.PRODUCTION, WELL, number + 1, now - 3600 * SECOND),
    )
    return host_id


def mac_of(number: int) -> Mac:
    return Mac(f"02:00:00:00:{number // 256:02x}:{number % 256:02x}")


def executable(tx: Tx, number: int, at: int, first: HostId, *, name: str = "", hosts: int = 1) -> Sha256:
    which = sha(number)
    tx.put(
        Executable(T, which, "pe", 4096 * number, name or f"setup-{number}.exe", first_seen=at, first_host=first),
        Prevalence(T, which, "fleet", hosts, at, at),
    )
    return which


def runs(
    tx: Tx,
    number: int,
    which: Sha256,
    at: int,
    path: str,
    verdict: VerdictWord = VerdictWord.UNKNOWN,
    user: str = "anna",
) -> None:
    host_id = HostId(f"host-{number:05}")
    tx.put(
        HostExecutable(T, host_id, which, at, at, 1, path, verdict, "default"),
        Execution(
            T,
            f"x{number}-{which[:12]}",
            host_id,
            which,
            path,
            4000 + number,
            at,
            at,
            user=user,
            kind="pe",
            sighting=True,
            verdict=verdict,
            reason=UNKNOWN,
            parents=(ParentRef(r"C:\Program Files\Mozilla\thunderbird.exe"), ParentRef(r"C:\Windows\explorer.exe")),
        ),
    )


def moved(tx: Tx, number: int, which: Sha256, at: int, state: OrderState, generation: int, why: str = "") -> None:
    """The host is ordered to remediation because of `which`."""
    host_id = HostId(f"host-{number:05}")
    tx.put(
        PostureReason(T, host_id, which, Posture.POTENTIAL_PROBLEM, at, UNKNOWN),
        HostState(T, host_id, Posture.POTENTIAL_PROBLEM, UNKNOWN, Access.REMEDIATION, MOVE, generation, at),
        Order(
            T,
            f"o{generation}",
            host_id,
            mac_of(number),
            Access.REMEDIATION,
            generation,
            state,
            at,
            at + 12_000,
            nas_id=f"sw{number // 48:02}",
            note=why,
        ),
    )


def event(tx: Tx, number: int, at: int, kind: EventKind, severity: Severity, text: str, which: str = "") -> None:
    host_id = HostId(f"host-{number:05}") if number >= 0 else HostId("")
    made = Event(T, f"e{at}-{number}-{kind}", at, kind, severity, which or host_id, text, host_id, which, "main")
    tx.put(made)
    tx.note(T, "event", made.id)


def quiet(tx: Tx, now: int) -> None:
    """Three hosts, nothing new."""
    tx.put(Nas(T, "sw00", "10.0.0.2", b"secret", name="Switch floor 1"))
    for number in range(3):
        host(tx, number, now)


def busy(tx: Tx, now: int) -> None:
    """1,500 hosts, 10,000 sightings of a week, a roll-out that tripped the breaker, and moves in every state."""
    chance = random.Random(7)
    for number in range(32):
        tx.put(Nas(T, f"sw{number:02}", f"10.0.{number}.2", b"secret", name=f"Switch {number + 1}"))
    for number in range(1500):
        host(tx, number, now, site=("main", "north", "harbour")[number % 3])
    for number in range(12):
        tx.put(
            HostState(
                T,
                HostId(f"host-{1400 + number:05}"),
                Posture.UNMONITORED,
                Reason("3", "no evidence for three heartbeats"),
                Access.PRODUCTION,
                WELL,
                20_000 + number,
                now - 7200 * SECOND,
            )
        )
    week = 7 * 86_400 * SECOND
    for number in range(1, 3001):
        at = now - week + number * week // 3100
        spread = 1 + chance.randrange(6) if number < 2700 else 1
        first = chance.randrange(1500)
        verdict = chance.choice((VerdictWord.ALLOWED, VerdictWord.ALLOWED, VerdictWord.GRACED))
        which = executable(tx, number, at, HostId(f"host-{first:05}"), hosts=spread)
        for n in range(spread):
            runs(
                tx,
                (first + n * 37) % 1500,
                which,
                at + n * SECOND,
                rf"C:\Users\u{n}\Downloads\setup-{number}.exe",
                verdict,
            )
    generation = 30_000
    states = list(OrderState)[:9]
    for number in range(9):
        at = now - (10 - number) * 90 * SECOND
        which = executable(tx, 5000 + number, at, HostId(f"host-{number:05}"), name=f"invoice_{number:02}.pdf.exe")
        runs(tx, number, which, at, rf"C:\Users\anna\AppData\Local\Temp\invoice_{number:02}.pdf.exe")
        generation += 1
        moved(tx, number, which, at, states[number], generation, "cause 503" if number == 6 else "")
        text = f"invoice_{number:02}.pdf.exe ran on PC-{number:04}: no list, rule or provenance speaks for it"
        event(tx, number, at, EventKind.UNKNOWN_RAN, Severity.WARNING, text, which)
        event(tx, number, at + 20_000, EventKind.MOVED, Severity.INFO, f"PC-{number:04} goes to remediation", which)
    rollout = executable(tx, 6000, now - 600 * SECOND, HostId("host-00100"), name="ZoomInstallerFull.exe", hosts=900)
    for number in range(100, 1000):
        at = now - 600 * SECOND + number * SECOND // 3
        runs(tx, number, rollout, at, r"C:\Program Files\Zoom\ZoomInstallerFull.exe")
        contained = number > 103
        generation += 1
        if not contained:
            moved(tx, number, rollout, at, OrderState.CONFIRMED, generation)
        else:
            host_id = HostId(f"host-{number:05}")
            tx.put(PostureReason(T, host_id, rollout, Posture.POTENTIAL_PROBLEM, at, UNKNOWN, contained=True))
            capped = Reason("4", "everything that would move it is contained")
            tx.put(HostState(T, host_id, Posture.POTENTIAL_PROBLEM, UNKNOWN, Access.PRODUCTION, capped, generation, at))
    tripped = Reason("breaker", "4 hosts ran ZoomInstallerFull.exe within an hour: it is contained everywhere", "5")
    tx.put(BreakerTrip(T, f"executable:{rollout}", now - 560 * SECOND, tripped))
    event(tx, -1, now - 560 * SECOND, EventKind.BREAKER_TRIPPED, Severity.URGENT, tripped.text, rollout)
    for number in range(40):
        tx.put(
            ListEntry(
                T,
                f"entry-{number}",
                "allow" if number % 3 else "deny",
                ListKind.HASH,
                sha(number + 1),
                author="anna",
                why="known tool of the finance department",
                created=now - number * 3600 * SECOND,
            )
        )


def hostile(tx: Tx, now: int) -> None:
    """Names with markup, right-to-left marks, line ends and 300 characters, everywhere a name can stand."""
    tx.put(Nas(T, "sw00", "10.0.0.2", b"secret", name=HOSTILE[0]))
    for number, name in enumerate(HOSTILE):
        host(tx, number, now, name=name, site=name[:60], user=name)
        at = now - number * 60 * SECOND
        which = executable(tx, 100 + number, at, HostId(f"host-{number:05}"), name=f"/tmp/{name}")
        runs(tx, number, which, at, f"/tmp/{name}", user=name)
        moved(tx, number, which, at, list(OrderState)[number], 500 + number, why=name)
        event(tx, number, at, EventKind.UNKNOWN_RAN, Severity.WARNING, f"{name} ran on {name}", which)
        tx.put(ListEntry(T, f"h{number}", "allow", ListKind.SIGNER, name, author="anna", why=name * 3, created=at))
    tx.put(Setting(T, "pause", {"paused": True, "why": HOSTILE[0]}, 1, HOSTILE[1], now))
    tx.put(BreakerTrip(T, "site:" + HOSTILE[3], now, Reason("b", HOSTILE[0])))
    tx.put(Delivery(T, "d1", "e", "mail", "waiting", now, now, tries=2, error=HOSTILE[0] + HOSTILE[3]))


FLEETS: dict[str, Callable[[Tx, int], None]] = {"quiet": quiet, "busy": busy, "hostile": hostile}


@contextmanager
def site_with(data: Path, fleet: str, database: str = "memory:") -> Iterator[Site]:
    """A running console with people and this fleet."""
    with Site(data, database) as site:
        site.write(people)
        now = site.now
        site.write(lambda tx: FLEETS[fleet](tx, now))
        yield site

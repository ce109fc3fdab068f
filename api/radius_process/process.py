"""The RADIUS process: sockets, store, doorbell and clock around the pure cores of `radius_policy`.

Guarantees: an Access-Request is answered from memory, whether or not the store is there. Started without a database it
answers from its file until there is one.

What it decides itself: nothing. `follower.py` brings what was decided, `desk.py` keeps the open orders and
sends, `inbox.py` has what the network said booked.
"""

import asyncio
import contextlib
import errno
import gc
import secrets
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from api.config import Config
from api.radius_process.desk import Desk
from api.radius_process.files import API_BELL_FILE, BELL_FILE, Files, class_key
from api.radius_process.follower import Follower
from api.radius_process.inbox import Inbox
from api.radius_process.rehearsal import read_profiles, rehearse
from api.start import CannotStart, Undone, now_us
from radius_policy.coa.client import CoaClient
from radius_policy.coa.shell import CoaShell
from radius_policy.enforcement.moves import Books
from radius_policy.enforcement.network_facts import Booked
from radius_policy.enforcement.table import Happens
from radius_policy.model import DEFAULT_TENANT, Micros, TenantId
from radius_policy.radius.server import Listener, RadiusServer
from radius_policy.radius.shell import Port, Source
from radius_policy.radius.snapshot import Snapshot
from radius_policy.store.doorbell import Bell, Doorbell
from radius_policy.store.interface import Store, StoreError

POLL_S = 0.25
_LOG_EVERY_US = 60_000_000

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Listen:
    """One listener: its name, whose it is, and its two addresses (port 0 lets the system choose)."""

    authentication: Address
    accounting: Address
    name: str = "default"
    tenant: TenantId = DEFAULT_TENANT


def new_id() -> str:
    return secrets.token_hex(12)


class RadiusProcess:
    """`open_store` is called until it succeeds. `start` binds and returns; `close` ends everything in order;
    `on_rehearsed` is called when everything that the first move needs is ready."""

    def __init__(
        self,
        listeners: Iterable[Listen],
        open_store: Callable[[], Awaitable[Store]],
        data: Path,
        *,
        coa_source: str = "0.0.0.0",
        clock: Callable[[], Micros] = now_us,
        on_rehearsed: Callable[[], None] = lambda: None,
    ) -> None:
        self.listeners = tuple(listeners)
        self.data = data
        self.clock = clock
        self.store: Store | None = None
        self.snapshot = Snapshot()
        self.books = Books(self.snapshot, new_id)
        self.ports: dict[tuple[str, str], Port] = {}
        self.log = structlog.get_logger("radius")
        self.files = Files(data, self.snapshot, self._warn)
        self.server = RadiusServer(self.snapshot, class_key(data), self._warn)
        self.client = CoaClient(self._warn)
        self.shell = CoaShell(
            self.client,
            coa_source,
            clock=self.clock,
            on_answer=lambda answer: self.inbox.take(self.desk.replied(answer)),
            on_gave_up=lambda gone: self.inbox.take(self.desk.happened(gone.token, Happens.NO_ANSWER)),
            may_repeat=self._may_repeat,
            log=self._warn,
        )
        self.inbox = Inbox(
            self.books,
            self.server,
            run=lambda: self._run("book", self.inbox.book),
            on_booked=self._booked,
            on_trouble=self._store_trouble,
            clock=self.clock,
        )
        self._started = clock()
        self.desk = Desk(self.books, self.shell, self.server, self.inbox.take, clock=self.clock, started=self._started)
        self.follower = Follower(
            self.server,
            self.files,
            self.desk,
            {listen.tenant for listen in self.listeners},
            run=lambda: self._run("look", self.follower.look),
            on_trouble=self._store_trouble,
            warn=self._warn,
        )
        self._open_store = open_store
        self._on_rehearsed = on_rehearsed
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._doorbell = Doorbell()
        self._bell: Bell | None = None
        self._rehearsed = False
        self._said: dict[str, Micros] = {}
        self._counts: dict[str, int] = {"store_errors": 0, "defects": 0}
        self._every: list[asyncio.Task[None]] = []

    @property
    def ready(self) -> bool:
        """Whether it has seen the store since it started."""
        return self.follower.fresh

    async def start(self) -> None:
        """Bind everything, load the file, begin to answer. Raises OSError, DoorbellError."""
        known = self.files.load()
        self.log.info("started", answering_from="file" if known else "nothing yet", macs=len(self.snapshot))
        self.shell.open_lane()
        for listen in self.listeners:
            listener = Listener(listen.name, listen.tenant)
            self.ports[listen.name, "authentication"] = Port(
                *listen.authentication, partial(self._authentication, listener)
            )
            self.ports[listen.name, "accounting"] = Port(*listen.accounting, partial(self._accounting, listener))
        self._bell = Bell(self.data / BELL_FILE)
        asyncio.get_running_loop().add_reader(self._bell.fileno(), self._rung)
        self._every = [
            asyncio.create_task(self._poll(), name="poll"),
            asyncio.create_task(self._each_second(), name="each second"),
        ]

    async def close(self) -> None:
        """Stop taking, book what was taken, save the snapshot, let go."""
        for task in self._every:
            task.cancel()
        await asyncio.gather(*self._every, return_exceptions=True)
        loop = asyncio.get_running_loop()
        if self._bell is not None:
            loop.remove_reader(self._bell.fileno())
            self._bell.close()
        await self._settle()
        for port in self.ports.values():
            port.close()
        self.shell.close()
        self.files.to_disk(self.stats(), self.files.each_second())
        self.files.close()
        if self.store is not None:
            await self.store.close()
        self._doorbell.close()

    # Datagrams

    def _authentication(self, listener: Listener, octets: bytes, source: Source, port: Port) -> bytes | None:
        reply, answered = self.server.authentication(octets, source, listener, self.clock())
        self.inbox.take(answered)
        return reply

    def _accounting(self, listener: Listener, octets: bytes, source: Source, port: Port) -> bytes | None:
        reply, accounted = self.server.accounting(octets, source, listener, self.clock())
        if accounted is not None:
            self.inbox.take_accounting(accounted, port)
        return reply

    def _may_repeat(self, token: str) -> bool:
        return self.desk.may_repeat(token)

    # The store

    def _rung(self) -> None:
        if self._bell is not None:
            self._bell.drain()
        try:
            self.follower.begin()
        except Exception as error:  # the next ring looks again
            self._defect("look", error)

    def _booked(self, booked: Booked) -> None:
        self.desk.booked(booked)
        if booked.orders or booked.events:
            self._doorbell.ring(self.data / API_BELL_FILE)

    async def _poll(self) -> None:
        """The slow poll behind the bell; it also opens the store until there is one."""
        while True:
            try:
                await self._turn()
            except Exception as error:  # whatever it was, the next turn comes
                self._defect("poll", error)
            await asyncio.sleep(POLL_S)

    async def _turn(self) -> None:
        if self.store is None:
            await self._try_open()
        self.follower.begin()
        self.inbox.begin()
        self.desk.tick()
        if not self._rehearsed and self.ready and not self.inbox:
            await self._rehearse()

    async def _try_open(self) -> None:
        try:
            self.store = await self._open_store()
        except StoreError as error:
            self._store_trouble(error)
        else:
            self.inbox.store = self.store
            self.follower.open(self.store)
            self.log.info("store open", macs=len(self.snapshot), answering_from="store")

    async def _rehearse(self) -> None:
        """Have everything that the first move needs ready: once, when the store was seen and nothing waits."""
        self._rehearsed = True
        read_profiles(self.snapshot)
        tenant, now = self.listeners[0].tenant, self.clock()
        try:
            if self.store is not None:
                await self.store.write(lambda tx: rehearse(tx, tenant, now=now))
        except Undone:  # how a rehearsal that went well ends
            self._on_rehearsed()
        except StoreError as error:
            self._store_trouble(error)
        except Exception as error:  # it must not keep the real ones from happening
            self._defect("rehearsal", error)

    def _store_trouble(self, error: StoreError) -> None:
        self._counts["store_errors"] += 1
        self._warn(f"the store does not answer: {error}. Authentication goes on from the snapshot; accounting waits.")

    # Files

    async def _each_second(self) -> None:
        while True:
            await asyncio.to_thread(self.files.to_disk, self.stats(), self.files.each_second())
            await asyncio.sleep(1)

    def stats(self) -> dict[str, Any]:
        """The figures that `/metrics` shows: what was answered, dropped and why, sent, booked, and where things stand."""
        ports: dict[str, int] = {}
        for port in self.ports.values():
            for name, count in port.counts.items():
                ports[name] = ports.get(name, 0) + count
        return {
            "up_seconds": (self.clock() - self._started) // 1_000_000,
            "store_open": int(self.store is not None),
            "snapshot": {
                "macs": len(self.snapshot),
                "switches": self.snapshot.switches,
                "sequence": self.snapshot.sequence,
            },
            "sockets": ports,
            "requests": dict(self.server.counts),
            "dropped": dict(self.server.complaints.counts),
            "coa": dict(self.client.counts),
            "coa_dropped": dict(self.client.complaints.counts),
            "booked": {name.replace(".", "_"): count for name, count in self.inbox.booked.items()},
            "orders": self.desk.states(),
            "process": {
                **self._counts,
                **self.inbox.counts,
                "defects": self._counts["defects"] + self.inbox.counts["defects"],
                "looks": self.follower.looks,
                "slow_looks": self.follower.slow,
                "inbox": len(self.inbox),
            },
        }

    # Odds

    def _run(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work` unless it runs already (it then finds what was added by itself)."""
        running = self._tasks.get(name)
        if running is None or running.done():
            task = self._tasks[name] = asyncio.create_task(work(), name=name)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._defect(task.get_name(), error)

    def _defect(self, where: str, error: BaseException) -> None:
        self._counts["defects"] += 1
        self.log.error("a defect: please report it", task=where, exc_info=error)

    async def _settle(self) -> None:
        """Book what is left, at most for two seconds."""
        with contextlib.suppress(TimeoutError):  # the store is away: what is left goes on after the next start
            async with asyncio.timeout(2):
                while self.inbox and self.inbox.store is not None:
                    self.inbox.begin()
                    await self._tasks["book"]
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _warn(self, text: str) -> None:
        """Log a sentence, the same one once a minute."""
        now = self.clock()
        if now - self._said.get(text, 0) >= _LOG_EVERY_US:
            if len(self._said) > 1000:
                self._said.clear()
            self._said[text] = now
            self.log.warning(text)


async def run(
    listeners: Iterable[Listen],
    open_store: Callable[[], Awaitable[Store]],
    data: Path,
    *,
    coa_source: str = "0.0.0.0",
    stop: asyncio.Event,
    on_rehearsed: Callable[[], None] = lambda: None,
) -> None:
    """Serve until `stop` is set. Raises OSError or DoorbellError with a sentence where something cannot be bound."""
    process = RadiusProcess(listeners, open_store, data, coa_source=coa_source, on_rehearsed=on_rehearsed)
    try:
        await process.start()
        await stop.wait()
    finally:
        await process.close()


async def serve(config: Config) -> None:
    """Serve by the configuration until SIGTERM or SIGINT. Raises CannotStart or DoorbellError."""
    from radius_policy.store import open_store

    authentication, accounting = config.radius.authentication, config.radius.accounting
    listen = Listen(
        (authentication.host, authentication.port),
        (accounting.host, accounting.port),
        tenant=TenantId(config.service.tenant),
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await run(
            [listen],
            partial(open_store, config.database),
            config.service.data,
            coa_source=config.radius.coa_source,
            stop=stop,
            on_rehearsed=_settle_memory,
        )
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, "")
        raise CannotStart(f"the RADIUS process cannot start: {error.strerror or error}{hint}") from error


def _settle_memory() -> None:
    """What is there now stays: the collector need not look at it again, which would cost a move some milliseconds."""
    gc.collect()
    gc.freeze()


_HINTS: Final = {
    errno.EADDRINUSE: "; is another RADIUS server running? `ss -lunp` shows by whom it is used, radius.authentication and "
    "radius.accounting choose other ports",
    errno.EADDRNOTAVAIL: "; radius.authentication, radius.accounting and radius.coa_source name addresses of this machine",
    errno.EACCES: "; ports below 1024 need more rights: start as a service unit that may, or choose others",
}

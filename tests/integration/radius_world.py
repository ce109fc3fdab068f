"""A RADIUS process with a memory store on loopback, and a small switch that speaks through scapy's codec, not ours."""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from api.radius_process.process import Listen, RadiusProcess, new_id
from lab.switch import codec
from radius_policy.enforcement import planning
from radius_policy.model import (
    Access,
    Event,
    Host,
    HostId,
    Mac,
    MacAccess,
    Nas,
    Order,
    OrderState,
    Session,
    Setting,
    TenantId,
)
from radius_policy.store.doorbell import Doorbell
from radius_policy.store.interface import Store, StoreUnavailable
from radius_policy.store.memory import MemoryStore

SECRET = b"a-secret-of-the-switch"
TENANT = TenantId(1)
MAC = Mac("02:00:00:00:00:10")
HOST = HostId("host-0010")
_CODES = {43: 44, 40: 41}


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, Any], None]) -> None:
        self.take = take

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.take(data, addr)


@dataclass
class Switch:
    """One port with one MAC. `obeys` says whether it acts on what it acknowledges, `silent` whether it answers at all."""

    address: str
    auth: tuple[str, int]
    acct: tuple[str, int]
    mac: str = MAC
    secret: bytes = SECRET
    obeys: bool = True
    silent: bool = False
    nak: int | None = None
    say_class: bool = True
    session: bytes = b""
    class_: bytes | None = None
    vlan: bytes = b""
    asked: list[codec.Message] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    numbers: count = field(default_factory=lambda: count(1))
    waiting: dict[tuple[str, int], asyncio.Future] = field(default_factory=dict)
    tasks: set[asyncio.Task] = field(default_factory=set)

    async def open(self, das_port: int = 0) -> "Switch":
        loop = asyncio.get_running_loop()
        self.das, _ = await loop.create_datagram_endpoint(lambda: _Receiver(self._coa), (self.address, das_port))
        self.das_port = self.das.get_extra_info("sockname")[1]
        self.client, _ = await loop.create_datagram_endpoint(lambda: _Receiver(self._answer), (self.address, 0))
        return self

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.das.close()
        self.client.close()

    def _answer(self, data: bytes, source: Any) -> None:
        message = codec.decode(data)
        future = self.waiting.get((source[1], message.identifier))
        if future is not None and not future.done():
            future.set_result((data, message))

    async def ask(self, data: bytes, to: tuple[str, int], seconds: float = 2.0) -> codec.Message | None:
        future = asyncio.get_running_loop().create_future()
        self.waiting[to[1], data[1]] = future
        self.client.sendto(data, to)
        try:
            raw, message = await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return None
        codec.verify_response(raw, data, self.secret, demand=data[0] == codec.ACCESS_REQUEST)
        return message

    async def authenticate(self, seconds: float = 2.0) -> codec.Message | None:
        name = self.mac.replace(":", "").encode()
        session = b"%08X" % next(self.numbers)
        data = codec.request(
            codec.ACCESS_REQUEST,
            next(self.numbers) & 255,
            [
                (1, name),
                (31, self.mac.replace(":", "-").upper().encode()),
                (6, 10),
                (5, 7),
                (87, b"eth7"),
                (44, session),
            ],
            self.secret,
            os.urandom(16),
        )
        answer = await self.ask(data, self.auth, seconds)
        if answer is None:
            return None
        old = self.session
        if old:
            await self.account(2)
        self.session = b""
        if answer.code == codec.ACCESS_ACCEPT:
            self.session, self.class_ = session, answer.first(25)
            self.vlan = (answer.first(81) or b"").lstrip(b"\0")
            await self.account(1)
        return answer

    async def account(self, status: int, seconds: float = 2.0, session: bytes | None = None) -> codec.Message | None:
        attributes: list[tuple[int, Any]] = [
            (40, status),
            (44, session or self.session or b"none"),
            (31, self.mac.replace(":", "-").upper().encode()),
            (5, 7),
            (87, b"eth7"),
        ]
        if self.class_ and self.say_class:
            attributes.append((25, self.class_))
        data = codec.request(codec.ACCOUNTING_REQUEST, next(self.numbers) & 255, attributes, self.secret)
        return await self.ask(data, self.acct, seconds)

    def _coa(self, data: bytes, source: Any) -> None:
        message = codec.decode(data)
        self.asked.append(message)
        self.raw.append(data)
        if self.silent:
            return
        if self.nak is not None:
            answer = codec.response(
                _CODES[message.code] + 1, message, [(101, self.nak.to_bytes(4, "big"))], self.secret
            )
            self.das.sendto(answer, source)
            return
        if message.first(44) not in (None, self.session):
            self.das.sendto(
                codec.response(_CODES[message.code] + 1, message, [(101, (503).to_bytes(4, "big"))], self.secret),
                source,
            )
            return
        self.das.sendto(codec.response(_CODES[message.code], message, [], self.secret), source)
        if self.obeys:
            task = asyncio.get_running_loop().create_task(self.authenticate())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)


@dataclass
class World:
    process: RadiusProcess
    store: "Shared"
    data: Path
    open_store: Callable[[], Any]
    switches: list[Switch] = field(default_factory=list)
    bell: Doorbell = field(default_factory=Doorbell)

    def address(self, what: str, listener: str = "default") -> tuple[str, int]:
        return self.process.ports[listener, what].address

    async def switch(
        self, address: str = "127.0.0.2", *, nas_id: str = "sw1", tenant: TenantId = TENANT, **more: Any
    ) -> Switch:
        listener = more.pop("listener", "default")
        switch = await Switch(
            address, self.address("authentication", listener), self.address("accounting", listener), **more
        ).open()
        self.switches.append(switch)
        nas = Nas(tenant, nas_id, address, switch.secret, listener, "the switch", "lab", coa_port=switch.das_port)
        await self.put("nas", nas_id, nas)
        return switch

    async def put(self, kind: str, key: str, *records: Any) -> None:
        def work(tx: Any) -> None:
            tx.put(*records)
            tx.note(records[0].tenant, kind, key)

        await self.store.write(work)
        await self.seen()

    async def ready(self) -> None:
        """Wait until the process has seen the store."""
        for _ in range(500):
            if self.process.ready:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the process did not come to its store")

    async def seen(self) -> None:
        """Ring, and wait until the process has looked at all that is in the store."""
        last = await self.store.read(lambda reading: reading.last_change())
        self.ring()
        for _ in range(500):
            if self.process.snapshot.sequence >= last:
                return
            await asyncio.sleep(0.005)
        raise AssertionError("the process did not look")

    def ring(self) -> None:
        self.bell.ring(self.data / "radius.bell")

    async def decide(
        self, access: Access, *, tenant: TenantId = TENANT, mac: Mac = MAC, host: HostId = HOST, by: str = "policy"
    ) -> int:
        """What judgement does: a new generation for the MAC, and its orders."""

        def work(tx: Any) -> int:
            generation = tx.next_generation(tenant)
            before = tx.get(MacAccess, tenant, mac)
            tx.put(MacAccess(tenant, mac, host, access, generation))
            tx.note(tenant, "access", mac)
            orders = planning.plan(
                tenant=tenant,
                host_id=host,
                macs=[mac],
                sessions=tx.find(Session, tenant=tenant, mac=mac),
                open_orders=tx.find(Order, tenant=tenant, mac=mac),
                access=access,
                generation=generation,
                tightens=before is None or access.strictness > before.access.strictness,
                by=by,
                now=self.process.clock(),
                new_id=new_id,
            )
            for order in orders:
                tx.put(order)
                tx.note(tenant, "order", order.id)
            return generation

        generation = await self.store.inner.write(work)
        await self.seen()
        return generation

    async def orders(self, tenant: TenantId = TENANT) -> list[Order]:
        return await self.store.read(lambda r: r.find(Order, tenant=tenant, order="created"))

    async def sessions(self, tenant: TenantId = TENANT) -> list[Session]:
        return await self.store.read(lambda r: r.find(Session, tenant=tenant))

    async def sessions_or_none(self) -> list[Session] | None:
        """None while the store is away."""
        try:
            return await self.sessions()
        except StoreUnavailable:
            return None

    async def events(self, tenant: TenantId = TENANT) -> list[Event]:
        return await self.store.read(lambda r: r.find(Event, tenant=tenant, order="at"))

    async def until(self, state: OrderState, *, tenant: TenantId = TENANT, seconds: float = 5.0) -> Order:
        """Wait until the newest order is in `state`."""
        end = asyncio.get_running_loop().time() + seconds
        while True:
            orders = await self.orders(tenant)
            if orders and orders[-1].state is state:
                return orders[-1]
            if asyncio.get_running_loop().time() > end:
                raise AssertionError(f"not {state} but {[(o.generation, str(o.state), o.note) for o in orders]}")
            await asyncio.sleep(0.005)

    async def soon(self, check: Callable[[], bool]) -> None:
        """Wait until `check` says so."""
        for _ in range(400):
            if check():
                return
            await asyncio.sleep(0.005)
        raise AssertionError("that did not come about")

    async def restart(self, *, killed: bool = False, **more: Any) -> None:
        """End the process (its store stays) and start another on the same ports. `killed`: it could do nothing more, its
        files are as they were at that moment and what it had not booked is lost."""
        listeners = [
            replace(
                listen,
                authentication=self.address("authentication", listen.name),
                accounting=self.address("accounting", listen.name),
            )
            for listen in self.process.listeners
        ]
        kept = {path: path.read_bytes() for path in self.data.iterdir() if path.is_file()}
        if killed:
            self.process.inbox.store = None
        await self.process.close()
        if killed:
            for path, octets in kept.items():
                path.write_bytes(octets)
        self.process = RadiusProcess(listeners, self.open_store, self.data, coa_source="127.0.0.1", **more)
        await self.process.start()


class Shared:
    """A store that outlives a process: its `close` closes nothing. `away`: it does not answer the process; `deaf`: it
    takes nothing from it. `inner` is the store as others have it."""

    def __init__(self, store: Store) -> None:
        self.inner = store
        self.away = self.deaf = False

    async def write(self, work: Any) -> Any:
        self._check()
        if self.deaf:
            raise StoreUnavailable("the database is locked")
        return await self.inner.write(work)

    async def read(self, work: Any) -> Any:
        self._check()
        return await self.inner.read(work)

    def glance(self, work: Any) -> Any:
        self._check()
        return self.inner.glance(work)

    async def close(self) -> None:
        return None

    def _check(self) -> None:
        if self.away:
            raise StoreUnavailable("the database does not answer")


@asynccontextmanager
async def world(listeners: list[Listen] | None = None, store: Store | None = None) -> AsyncIterator[World]:
    """A process in `enforce`, with one host."""
    data = Path(tempfile.mkdtemp(prefix="ptq-"))
    shared = Shared(store or MemoryStore())

    async def open_store() -> Any:
        shared._check()
        return shared

    process = RadiusProcess(
        listeners or [Listen(("127.0.0.1", 0), ("127.0.0.1", 0))], open_store, data, coa_source="127.0.0.1"
    )
    await process.start()
    made = World(process, shared, data, open_store)
    for listen in process.listeners:
        setting = Setting(listen.tenant, "mode", {"default": "enforce"}, 1, "test", 0)
        host = Host(listen.tenant, HOST, "pc10")

        def work(tx: Any, records: tuple[Any, ...] = (setting, host)) -> None:
            tx.put(*records)
            tx.note(records[0].tenant, "settings", "mode")

        await shared.write(work)
    await made.ready()
    await made.seen()
    try:
        yield made
    finally:
        for switch in made.switches:
            switch.close()
        made.bell.close()
        await made.process.close()
        shutil.rmtree(data)


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]

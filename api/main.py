"""The API process: the one place that wires sockets, store, clock and background work together.

Guarantees: the port is bound before anything else is promised, and what stands in the way is said in one sentence; TLS
1.3 with the service's own certificate, which is renewed while it runs; every background task that fails is logged,
counted and begun again. Ends on SIGTERM or SIGINT: answers what was begun, then closes the store.

`build` makes the app alone (for tests); `serve` is the process.
"""

import asyncio
import contextlib
import errno
import functools
import importlib
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import TYPE_CHECKING, Final

from api.config import Address, Config
from api.front import Front, equip, front
from api.logs import logger
from api.start import CannotStart, Undone, now_us
from radius_policy.model import Micros, TenantId
from radius_policy.store.interface import Change, Store

if TYPE_CHECKING:
    import ssl

    import uvicorn

    from api.service import Service
    from api.tls import Material

RENEWAL_EVERY_S: Final = 3600.0
_POLICY_EVERY_S: Final = 5.0
_GOODBYE_S: Final = 0.2
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _HEALTHY_S = 0.25, 30.0, 60.0
"""Between failures of background work: the pause doubles until a run was healthy for so long."""
_HEADERS: Final = [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")]


def build(config: Config, store: Store, material: "Material", clock: Callable[[], Micros] = now_us) -> Front:
    """The app with its parts at `app.state.service`; no task runs and no socket is open yet."""
    app = front()
    equip(app, wire(config, store, material, clock))
    return app


def wire(config: Config, store: Store, material: "Material", clock: Callable[[], Micros] = now_us) -> "Service":
    """The parts of a process: store, clock, caches, counters, wired together."""
    from api.auth.logins import Logins
    from api.feed import Feed
    from api.metrics import Metrics
    from api.references import References
    from api.service import Service
    from radius_policy.judgement.policy import PolicyCache
    from radius_policy.store.doorbell import Doorbell

    tenant = TenantId(config.service.tenant)
    metrics = Metrics(config.service.data)
    metrics.certificate.set(material.ends.timestamp())
    policies = PolicyCache()
    feed = Feed(store)
    return Service(
        config=config,
        store=store,
        clock=clock,
        metrics=metrics,
        policies=policies,
        feed=feed,
        logins=Logins(store, tenant, clock, lambda outcome: metrics.logins.labels(outcome).inc()),
        references=References(store, tenant, policies, config.service.data),
        doorbell=Doorbell(),
        bells=config.bells[1:],
        ca_pem=material.ca_file.read_bytes(),
        fingerprint=material.fingerprint,
        started=clock(),
    )


async def serve(config: Config, *, ready: Callable[[], None] | None = None) -> None:
    """Run the API process until it is told to end. Raises CannotStart, TlsError or StoreError."""
    import uvicorn

    from api import tls
    from radius_policy.store import open_store

    listening = bind(config.api.listen)
    material = tls.prepare(config.service.data, config.api.names)
    context = tls.context(material)
    store = await open_store(config.database)
    try:
        app = build(config, store, material)
        service: Service = app.state.service
        await note_authority(service, material)
        await service.feed.start()
        await service.references.follow()
        await rehearse(service)
        server = _server(
            uvicorn.Config(
                app,
                http="httptools",
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                headers=_HEADERS,
                proxy_headers=False,
                timeout_keep_alive=600,
                timeout_graceful_shutdown=2,
                ssl_context_factory=lambda _config, _default: context,
            ),
            app.state.live.close,  # an open page must not delay the end
        )
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_kept(service, name, work)) for name, work in _background(service, context).items()
            ]
            logger(__name__).info("listening", address=str(config.api.listen), url=config.url, ca=material.fingerprint)
            if ready:
                ready()
            tasks.append(group.create_task(_load(app)))
            await server.serve(sockets=[listening])
            for task in tasks:
                task.cancel()
    finally:
        await store.close()
        listening.close()


async def _load(app: Front) -> None:
    """Have the part for people ready before somebody asks for it."""
    await app.people()


def _server(config: "uvicorn.Config", ending: Callable[[], None]) -> "uvicorn.Server":
    """uvicorn raises the signal again when it has ended, which would end us before the store is closed: so we listen.
    `ending` is called when it is told to end. Then a kept connection on which nothing is asked has a moment to say
    goodbye: TLS waits for the peer's, and an agent that has nothing to send does not look."""
    import uvicorn
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Quiet(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            cut = asyncio.get_running_loop().call_later(_GOODBYE_S, self._cut_idle)
            try:
                await super().shutdown(sockets)
            finally:
                cut.cancel()

        def _cut_idle(self) -> None:
            for connection in list(self.server_state.connections):
                if not isinstance(connection, HttpToolsProtocol):
                    continue
                if connection.cycle is None or connection.cycle.response_complete:
                    connection.transport.abort()

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            loop = asyncio.get_running_loop()
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._end)
            try:
                yield
            finally:
                for number in (signal.SIGTERM, signal.SIGINT):
                    loop.remove_signal_handler(number)

        def _end(self) -> None:
            ending()
            self.should_exit = True

    return Quiet(config)


def bind(address: Address) -> socket.socket:
    """A listening socket. Raises CannotStart with a sentence."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # With protocol 0 asyncio sets no TCP_NODELAY, and a kept-alive answer over TLS waits 40 ms for a delayed ACK.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((address.host, address.port))
        made.listen(2048)
    except OSError as error:
        made.close()
        raise CannotStart(_why_not(address, error)) from error
    made.setblocking(False)
    return made


def _why_not(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {address.port} on {address.host} is in use: is the service running already? "
            f"`ss -ltnp sport = :{address.port}` shows by whom; api.listen chooses another"
        )
    if error.errno == errno.EACCES:
        return f"port {address.port} needs more rights; take one above 1023 in api.listen, or start as a service unit that may"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address.host} is no address of this machine; api.listen names one, or 0.0.0.0 for all"
    return f"cannot listen on {address}: {error.strerror or error}"


def _background(service: "Service", context: "ssl.SSLContext") -> dict[str, Callable[[], Awaitable[None]]]:
    """The work beside requests, by name."""
    from api import retention as keeping
    from api.ingest import due, retention, silence
    from radius_policy.lists.attached import SETTING

    stop, wake, scripts_wake = asyncio.Event(), asyncio.Event(), asyncio.Event()
    for each in (wake, scripts_wake):
        service.feed.listen(functools.partial(_wake_for_events, each))

    async def alerts() -> None:
        worker = await _loaded("api.alerts.worker")
        await worker.run(
            service.store, service.config, service.clock, stop, registry=service.metrics.fresh("alerts"), wake=wake
        )

    async def scripts() -> None:
        script_worker = await _loaded("api.alerts.script_worker")
        await script_worker.run(
            service.store,
            service.config,
            service.policies,
            service.clock,
            stop,
            registry=service.metrics.fresh("scripts"),
            wake=scripts_wake,
        )

    changed, sets = asyncio.Event(), asyncio.Event()
    service.feed.listen(lambda changes: changed.set() if any(one.kind == "settings" for one in changes) else None)
    service.feed.listen(lambda changes: sets.set() if any(one.key == SETTING for one in changes) else None)
    return {
        "feed": service.feed.run,
        "policy": lambda: _read_policy(service, changed),
        "references": lambda: service.references.watch(sets),
        "bell": lambda: _hear(service),
        "silence": lambda: silence.watch(service),
        "due": lambda: due.watch(service),
        "retention": lambda: retention.watch(service),
        "keeping": lambda: keeping.watch(service),
        "certificate": lambda: _renew(service, context),
        "alerts": alerts,
        "scripts": scripts,
    }


async def _loaded(name: str) -> ModuleType:
    """A module that many others come with: agents are answered while it is loaded."""
    return await asyncio.to_thread(importlib.import_module, name)


def _wake_for_events(wake: asyncio.Event, changes: Iterable[Change]) -> None:
    if any(change.kind == "event" for change in changes):
        wake.set()


async def _kept(service: "Service", name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` for ever: a failure is logged, counted, and the work begun again after a pause."""
    pause = _FIRST_PAUSE_S
    while True:
        began = time.monotonic()
        try:
            await work()
        except Exception as error:  # whatever it was, the service goes on and says so
            service.metrics.failures.labels(name).inc()
            logger(__name__).error("background_failed", task=name, exc_info=error)
        pause = _FIRST_PAUSE_S if time.monotonic() - began > _HEALTHY_S else min(_LONGEST_PAUSE_S, pause * 2)
        await asyncio.sleep(pause)


async def read_policy(service: "Service") -> None:
    """Read the policy into the cache, in the writer's thread, where it is used."""
    now = service.clock()
    await service.store.write(lambda tx: service.policies.current(tx, service.tenant, now))


async def rehearse(service: "Service") -> None:
    """Do a report and undo it, so that the first real one finds everything ready."""
    from api.rehearsal import rehearse as act

    now = service.clock()
    with contextlib.suppress(Undone):  # how a rehearsal always ends
        await service.store.write(
            lambda tx: act(tx, service.tenant, now=now, policy=service.policies.current(tx, service.tenant, now))
        )


async def _read_policy(service: "Service", changed: asyncio.Event) -> None:
    """After a change of settings or lists the policy is read by us, so that no report has to wait for it."""
    while True:
        with contextlib.suppress(TimeoutError):  # endpoints are counted anew now and then, by us too
            await asyncio.wait_for(changed.wait(), _POLICY_EVERY_S)
        changed.clear()
        await read_policy(service)


async def _hear(service: "Service") -> None:
    """The command line and the RADIUS process ring here when they wrote something."""
    from radius_policy.store.doorbell import Bell

    bell = Bell(service.config.bells[0])
    with contextlib.closing(bell):
        while True:
            if await bell.wait(60.0):
                service.feed.wake()


async def _renew(service: "Service", context: "ssl.SSLContext") -> None:
    """New connections get the renewed certificate; the CA, and so every endpoint's trust, stays."""
    from api import tls

    while True:
        await asyncio.sleep(RENEWAL_EVERY_S)
        material = await asyncio.to_thread(
            tls.prepare, service.config.service.data, service.config.api.names, datetime.now(UTC)
        )
        if material.renewed:
            context.load_cert_chain(material.certificate_file, material.key_file)
            service.metrics.certificate.set(material.ends.timestamp())
            logger(__name__).info("certificate_renewed", ends=material.ends.isoformat())


async def note_authority(service: "Service", material: "Material") -> None:
    """Tell it loudly when the CA is not the one that endpoints were enrolled with: none of them will talk to us."""
    from api.authority import note

    now = service.clock()
    lost = await service.store.write(lambda tx: note(tx, service.tenant, material.fingerprint, now=now))
    if lost:
        logger(__name__).error("authority_changed", now=material.fingerprint, endpoints=lost)

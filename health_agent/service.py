"""The one shell of the running agent: it wires sensor → core → spool → sender, and holds clock, files and threads.

Threads: the sensor's (kernel events, hashes), the sender's (the only one that waits for HTTP), the network watcher's, the
listener's for LLDP and CDP, and the main one (time, status, the end). Whoever has an event takes its turn with the core and carries out what comes of
it, so that a start goes from the kernel to the disk without waking a second thread (each costs 0.1 ms and more).

Guarantees: what the core wants told is on disk before it is on the wire; an unexpected failure in any thread ends the
process with exit code 1 (its supervisor starts it anew, the spool has everything) rather than leaving a deaf agent;
SIGTERM and SIGINT end it cleanly, sending what is there for at most two seconds.
"""

import contextlib
import gc
import logging
import os
import queue
import random
import resource
import signal
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from health_agent import baseline, identity, locking, network, sensors, status
from health_agent.clock import ServiceClock
from health_agent.contract import Heartbeat, Operation
from health_agent.core import Core
from health_agent.dialogue import (
    Answered,
    BaselineRead,
    Beat,
    Command,
    Event,
    Failed,
    Forget,
    Located,
    Log,
    OrderDone,
    Remember,
    RenewDhcp,
    Send,
    TakeBack,
    Tick,
    Unwatch,
)
from health_agent.identity import Identity
from health_agent.known import Known
from health_agent.location import Listener
from health_agent.outbox import Item, Outbox
from health_agent.processes import boot_id
from health_agent.running import Running
from health_agent.sender import Backoff, Envelope, Sender
from health_agent.spool import Spool
from health_agent.uplink import Uplink

FLUSH_S: Final = 2.0
STATUS_S: Final = 1.0
IDLE_S: Final = 1.0
DHCP_S: Final = 30.0
log = logging.getLogger("pratique.agent")


class ServiceError(Exception):
    """The agent cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    state: Path
    version: str
    watch: tuple[str, ...] = ()
    sensor: str = "auto"
    poll_interval_s: float = 1.0
    dhcp_renew: tuple[str, ...] = ()
    spool_limit: int = 64 << 20


def now_us() -> int:
    return time.time_ns() // 1000


def new_id() -> str:
    return uuid.uuid4().hex


class Agent:
    """One run of the agent. Raises ServiceError, IdentityError, SpoolError, SensorError when it cannot start."""

    def __init__(self, options: Options) -> None:
        self._options = options
        state = options.state
        self._identity: Identity = identity.load(state)
        held = locking.hold(state)
        if held is None:
            raise ServiceError(f"another agent is running with {state}")
        self._lock = held
        _raise_file_limit()
        self._counts: Counter[str] = Counter()
        self._turn = threading.Lock()
        self._end: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._running = Running(state / "running", boot_id())
        self._baseline = state / "baseline"
        self._baseline_stamp = _stamp(self._baseline)
        self._clock = ServiceClock(self._identity.endpoint.offset_us)
        self._core = Core(
            new_id=new_id,
            known=Known(baseline.read(self._baseline)),
            restored=self._running.restored,
            clock=self._clock,
            heartbeat_s=self._identity.endpoint.heartbeat_s,
        )
        self._spool = Spool(state / "spool", limit=options.spool_limit)
        self._outbox = Outbox(self._spool, state / "refused", self._counts)
        self._choice = sensors.choose(
            list(options.watch),
            options.sensor,
            sensors.Surroundings(self._tell, self._is_known, now_us, self._counts),
            options.poll_interval_s,
        )
        self._sender = Sender(
            Uplink(self._identity),
            self._outbox,
            Envelope(self._identity.host_id, new_id, now_us, self._clock, self._heartbeat),
            lambda event: self._tell([event]),
            Backoff(random.random),
        )
        self._location = Listener(lambda: self._tell([Located()]), self._counts)
        self._started_us = now_us()
        self._reported = 0
        self._problem = ""
        self._last_answer_us = 0
        self._said = ""
        self._status: status.Status | None = None
        self._failed: str | None = None

    def run(self) -> int:
        """Until SIGTERM or SIGINT; the exit code."""
        threading.excepthook = self._thread_failed
        signal.signal(signal.SIGTERM, lambda *_: self._end.put(None))
        signal.signal(signal.SIGINT, lambda *_: self._end.put(None))
        watcher = network.Watcher(self._sender.network_changed)
        sensing = threading.Thread(target=self._choice.sensor.run, name="sensor", daemon=True)
        log.info("watching with %s", self._choice.reason)
        log.info("%s", self._location.reason)
        if not self._core.known.size:
            log.warning("there is no baseline, so every program will be reported; make one with: pratique agent learn")
        gc.collect()
        gc.freeze()
        self._sender.start()
        watcher.start()
        self._location.start()
        sensing.start()
        try:
            self._loop()
        finally:
            self._choice.sensor.stop()
            sensing.join(2)
            watcher.stop()
            self._location.stop()
            self._sender.stop(FLUSH_S)
            self._write_status(running=False)
            self._running.close()
            self._spool.close()
            self._lock.close()
        return 1 if self._failed else 0

    # -- the loop ----------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        """Look after time until asked to end."""
        written = 0.0
        while True:
            wait = min(max((self._core.next_wake() - now_us()) / 1e6, 0), IDLE_S)
            with contextlib.suppress(queue.Empty):
                self._end.get(timeout=wait)
                return
            self._tell([Tick()])
            if time.monotonic() - written >= STATUS_S:
                written = time.monotonic()
                self._write_status()

    def _tell(self, events: Sequence[Event]) -> None:
        """Let the core hear of something, and do what it says. From any thread, one at a time."""
        with self._turn:
            now = now_us()
            commands = [command for event in events for command in self._heard(event, now)]
            if now >= self._core.next_wake():
                commands += self._core.handle(Tick(), now)
            self._carry_out(commands)

    def _heard(self, event: Event, now: int) -> list[Command]:
        match event:
            case Answered():
                self._problem, self._last_answer_us = "", now
            case Failed(reason):
                self._problem = reason
            case Tick():
                return [*self._new_baseline(now), *self._core.handle(event, now)]
            case _:
                pass
        return self._core.handle(event, now)

    def _carry_out(self, commands: Sequence[Command]) -> None:
        self._put(tuple(item for command in commands if isinstance(command, Send) for item in command.items))
        for command in commands:
            match command:
                case Send():
                    continue
                case Beat(done, refused):
                    self._sender.beat(done, refused)
                case Unwatch(token):
                    self._choice.sensor.unwatch(token)
                case Remember(start):
                    self._running.remember(start)
                case Forget(execution):
                    self._running.forget(execution)
                case RenewDhcp(order):
                    self._renew(order)
                case TakeBack(sha256):
                    baseline.take_back(self._baseline, sha256)
                    self._baseline_stamp = _stamp(self._baseline)
                case Log(level, text):
                    log.log(logging.getLevelName(level.upper()), "%s", text)

    def _put(self, items: tuple[Item, ...]) -> None:
        if not items:
            return
        self._reported += len(items)
        reason = self._outbox.put(items, now_us())
        if reason and reason != self._said:
            log.error("%s; what is new is sent without it", reason)
        self._said = reason or ""

    # -- parts -------------------------------------------------------------------------------------------------------

    def _is_known(self, sha256: str) -> bool:
        return self._core.known.covers(sha256, now_us() + self._clock.offset_us)

    def _heartbeat(
        self, message: str, clock_us: int, offset_us: int, done: tuple[str, ...], refused: tuple[tuple[str, str], ...]
    ) -> Heartbeat:
        return Heartbeat(
            host_id=self._identity.host_id,
            id=message,
            clock_us=clock_us,
            offset_us=offset_us,
            agent_version=self._options.version,
            sensor=self._choice.sensor.kind,
            operation=Operation.NOTIFY,
            macs=self._identity.endpoint.macs or network.macs(),
            addresses=network.addresses(),
            spooled=len(self._outbox),
            lost=self._lost(),
            ack_orders=done,
            refused_orders=dict(refused),
            neighbours=self._location.told(),
        )

    def _lost(self) -> dict[str, int]:
        counts = {**self._counts, "spool_torn": self._spool.torn, "spool_damaged": self._spool.damaged}
        return {name: count for name, count in counts.items() if count}

    def _new_baseline(self, now: int) -> list[Command]:
        """Take up what `pratique agent learn` wrote meanwhile."""
        stamp = _stamp(self._baseline)
        if stamp == self._baseline_stamp:
            return []
        self._baseline_stamp = stamp
        return self._core.handle(BaselineRead(baseline.read(self._baseline)), now)

    def _renew(self, order: str) -> None:
        threading.Thread(target=self._run_dhcp, args=(order,), name="dhcp", daemon=True).start()

    def _run_dhcp(self, order: str) -> None:
        """With no command set there is nothing to do: the DHCP client follows the carrier by itself."""
        refused = None
        if command := self._options.dhcp_renew:
            try:
                done = subprocess.run(command, check=False, capture_output=True, timeout=DHCP_S)
                refused = f"{command[0]} ended with {done.returncode}" if done.returncode else None
            except (OSError, subprocess.TimeoutExpired) as error:
                refused = f"{command[0]} could not be run: {error}"
        if refused:
            log.warning("DHCP was not renewed: %s", refused)
        self._tell([OrderDone(order, refused)])

    def _write_status(self, *, running: bool = True) -> None:
        endpoint = self._identity.endpoint
        now = status.Status(
            pid=os.getpid(),
            version=self._options.version,
            host_id=endpoint.host_id,
            site=endpoint.site,
            url=endpoint.url,
            sensor=self._choice.sensor.kind,
            sensor_reason=self._choice.reason,
            watch=self._options.watch,
            started_us=self._started_us,
            connected=self._core.connected,
            problem=self._problem,
            last_answer_us=self._last_answer_us,
            offset_us=self._clock.offset_us,
            reported=self._reported,
            alive=self._core.alive,
            spooled=len(self._outbox),
            baseline=self._core.known.size,
            lost=self._lost(),
            running=running,
            location=self._location.summary(),
        )
        if now == self._status:
            return
        self._status = now
        try:
            status.write(self._options.state / "status.json", now)
        except OSError as error:
            self._counts["status_unwritten"] += 1
            log.debug("the status cannot be written: %s", error.strerror)

    def _thread_failed(self, args: threading.ExceptHookArgs) -> None:
        self._failed = args.thread.name if args.thread else "a thread"
        log.critical(
            "the agent ends because its part '%s' failed",
            self._failed,
            exc_info=(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback),
        )
        self._end.put(None)


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _raise_file_limit() -> None:
    """Each watched start holds a descriptor."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def start(options: Options) -> int:
    """Run an agent; the exit code."""
    return Agent(options).run()

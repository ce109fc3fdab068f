"""The shell that runs scripts: looks at the store, starts what may begin, a few at a time, writes how each ended.

Guarantees: a run counts as begun before it is started and as ended after that is on disk, so one that a crash interrupted
is begun again (at least once; `attempt` in what it is told says the how manyth). While automatic moves are paused,
runs for events that tighten are skipped and say so: lifting the pause decides anew.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge

from api.alerts import script_book, script_process
from api.alerts.script_book import KEPT, Look, Ready, Taken
from api.alerts.script_payload import payload
from api.alerts.scripts import BadScripts, ScriptSettings, command, parse
from api.config import Scripts, Service
from api.logs import logger
from radius_policy.judgement.policy import PolicyCache
from radius_policy.model import Cursor, Micros, ScriptRun, Setting, TenantId
from radius_policy.store.interface import Store, StoreError, Tx

POLL_S: Final = 0.5
_log = logger("scripts")


class ScriptConfig(Protocol):
    """What the worker reads of the configuration (api/config.py)."""

    @property
    def service(self) -> Service: ...
    @property
    def scripts(self) -> Scripts: ...


class Figures:
    """Counters of the script worker."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self.runs = Counter("pratique_script_runs", "Runs of scripts by how they ended", ["state"], registry=registry)
        self.errors = Counter("pratique_script_store_errors", "Rounds that the store ended", registry=registry)
        self.running = Gauge("pratique_scripts_running", "Scripts that run now", registry=registry)


async def run(
    store: Store,
    config: ScriptConfig,
    policies: PolicyCache,
    clock: Callable[[], Micros],
    stop: asyncio.Event,
    *,
    registry: CollectorRegistry | None = None,
    wake: asyncio.Event | None = None,
) -> None:
    """Until `stop` is set. `wake`, if given, is set by whoever knows that there is something new."""
    worker = Worker(store, config, policies, clock, Figures(registry), wake or asyncio.Event())
    try:
        while not stop.is_set():
            try:
                more = await worker.round()
            except StoreError as error:
                worker.figures.errors.inc()
                _log.error("scripts_wait_for_the_store", reason=str(error))
                more = False
            if not more:
                await worker.pause(stop)
    finally:
        await worker.close()


class Worker:
    """One tenant's scripts. `round` is one look at the store; everything that must survive stands there, not here."""

    def __init__(
        self,
        store: Store,
        config: ScriptConfig,
        policies: PolicyCache,
        clock: Callable[[], Micros],
        figures: Figures,
        wake: asyncio.Event,
    ) -> None:
        self.figures = figures
        self._store, self._config, self._policies, self._clock, self._wake = store, config, policies, clock, wake
        self._tenant = TenantId(config.service.tenant)
        self._looked = 0
        self._begun = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._hosts: set[str] = set()

    async def round(self) -> bool:
        """Make runs of what is new, begin what may begin. True when there is more to do at once."""
        if not self._begun:
            running = frozenset(self._tasks)
            await self._store.write(lambda tx: script_book.again(tx, self._tenant, running))
            self._begun = True
        now, busy = self._clock(), frozenset(self._hosts)
        seen = await self._store.read(
            lambda r: script_book.look(r, self._tenant, self._looked, self._settings, busy, now)
        )
        self._looked = seen.looked
        more = False
        if seen.new:
            more = await self._store.write(lambda tx: self._plan(tx, seen))
        elif seen.stale:
            await self._store.write(lambda tx: tx.delete(Cursor, tenant=self._tenant, name=script_book.CURSOR))
        room = seen.settings.concurrency - len(self._tasks)
        if room > 0 and (seen.new or seen.waiting):
            taken = await self._store.write(lambda tx: self._take(tx, seen, room, busy))
            for ready in taken.begun:
                self._start(ready)
            self.figures.runs.labels("skipped").inc(taken.skipped)
            more = more or taken.skipped > 0  # what waited behind these may begin
        return more

    async def pause(self, stop: asyncio.Event) -> None:
        """Until something is new, a script ended, or a while has passed."""
        waits = [asyncio.ensure_future(event.wait()) for event in (stop, self._wake)]
        try:
            await asyncio.wait(waits, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._wake.clear()

    async def close(self) -> None:
        """End what runs; it is begun again by the next worker."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def idle(self) -> None:
        """Wait for the scripts that run now."""
        await asyncio.gather(*self._tasks.values())

    # The policy cache belongs to the writer's thread, so it is asked in works that write.

    def _plan(self, tx: Tx, seen: Look) -> bool:
        now = self._clock()
        return script_book.plan(tx, self._tenant, seen, self._policies.current(tx, self._tenant, now).rules, now)

    def _take(self, tx: Tx, seen: Look, room: int, busy: frozenset[str]) -> Taken:
        now = self._clock()
        paused = self._policies.current(tx, self._tenant, now).paused
        return script_book.take(tx, self._tenant, seen.settings, room=room, busy=busy, paused=paused, now=now)

    def _settings(self, stored: Setting | None) -> ScriptSettings:
        try:
            return parse(stored.value if stored else None)
        except BadScripts as error:  # written past the check: nothing runs, and that is told
            _log.error("no_scripts_run", reason=str(error))
            return ScriptSettings()

    def _start(self, ready: Ready) -> None:
        one = ready.run
        if one.host_id:
            self._hosts.add(one.host_id)
        task = asyncio.create_task(self._run(ready), name=f"script {one.id}")
        self._tasks[one.id] = task
        self.figures.running.set(len(self._tasks))
        task.add_done_callback(lambda _: self._over(one))

    def _over(self, one: ScriptRun) -> None:
        self._tasks.pop(one.id, None)
        self._hosts.discard(one.host_id)
        self.figures.running.set(len(self._tasks))
        self._wake.set()

    async def _run(self, ready: Ready) -> None:
        try:
            state = await self._run_and_write(ready)
        except StoreError as error:  # it stays `running` in the store, and is begun again as an interrupted one
            self.figures.errors.inc()
            self._begun = False
            _log.error("a_run_could_not_be_written", run=ready.run.id, reason=str(error))
        except Exception as error:  # a defect of ours in one run must not leave it running for ever
            self.figures.runs.labels("failed").inc()
            _log.exception("a_script_could_not_be_run", run=ready.run.id)
            failed = replace(ready.run, note=f"defect: {type(error).__name__}: {error}")
            await self._store.write(lambda tx: self._write_end(tx, failed, "failed"))
        else:
            self.figures.runs.labels(state).inc()
            _log.info("script", run=ready.run.id, script=ready.script.name, state=state)

    async def _run_and_write(self, ready: Ready) -> str:
        """Run it; how it ended, as the store has it now."""
        one, script = ready.run, ready.script
        told = await self._store.read(
            lambda r: payload(
                r, ready.event, script=script.name, attempt=one.tries, dry_run=script.dry_run, now=self._clock()
            )
        )
        try:
            what = command(script, self._config.scripts.folder, self._config.scripts.user)
            if script.dry_run:
                said = msgspec.json.encode({"argv": what.argv, "stdin": told}).decode()
                state, one = "dry_run", replace(one, note="nothing was started", output=said[:KEPT])
            else:
                ended = await script_process.run(what, msgspec.json.encode(told))
                state, one = script_book.after(one, script, ended)
        except BadScripts as error:
            state, one = "failed", replace(one, note=str(error))
        await self._store.write(lambda tx: self._write_end(tx, one, state))
        return state

    def _write_end(self, tx: Tx, one: ScriptRun, state: str) -> None:
        if state == "waiting":
            script_book.later(tx, one, self._clock())
        else:
            script_book.end(tx, one, state, self._clock())

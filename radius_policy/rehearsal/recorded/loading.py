"""Recorded starts taken into a store for good, by the same judgement as live ones, with simulated time.

Guarantees: a start is recorded once however often it is loaded, because its id is its key; its verdict is that of its
own time (a late line is placed by its own time and judged when it stands in the file); recorded clocks are exact; a
start without a recorded end counts as a moment; a recorded start ran. Works are short, so a running service is not held up.

What it does not do: it tells nobody. Events are stored for the console and the reports, but not put on the change
sequence, so no old alert is ever mailed.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final, Protocol

from radius_policy import judgement
from radius_policy.judgement.policy import Modes, Policy
from radius_policy.model import (
    DEFAULT_TENANT,
    Host,
    HostId,
    Mac,
    MacBinding,
    Micros,
    Mode,
    Session,
    Setting,
    TenantId,
    Tool,
)
from radius_policy.rehearsal.history import Start
from radius_policy.rehearsal.recorded.buffer import Buffered
from radius_policy.store.interface import Store, Tx

CHUNK: Final = 96
"""Starts to one work: a few tens of milliseconds."""
PROGRESS_EVERY: Final = 2_000
AUTHOR: Final = "history"
Progress = Callable[[int], None]


class NotHere(Exception):
    """This history cannot be loaded into this database. The message says why and what to do."""


class Source(Protocol):
    """What is loaded (`history.Folder`, `recorded.reading.Recording`)."""

    def steps(self) -> Iterator[Callable[[Tx], list[Tool]]]: ...
    def starts(self) -> Iterator[Start]: ...
    def newcomer(self, name: str) -> Host: ...


@dataclass(slots=True)
class Loaded:
    """What came of it: lines read, starts of them recorded now, those known before, and the verdicts on the new ones."""

    starts: int = 0
    recorded: int = 0
    known: int = 0
    hosts: int = 0
    seconds: float = 0.0
    verdicts: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


async def load(
    store: Store,
    source: Source,
    *,
    zone: str,
    received: Micros,
    mode: Mode = Mode.MONITOR,
    tenant: TenantId = DEFAULT_TENANT,
    progress: Progress | None = None,
) -> Loaded:
    """Take `source` in. `received` is now, by the real clock: from then on retention counts. `zone` becomes the site's zone where the database has none yet, `mode` its mode likewise.

    Raises NotHere in mode `enforce` where real machines are on the network, HistoryError for a file that cannot be read.
    """
    began = time.perf_counter()
    await store.write(lambda tx: _prepare(tx, tenant, zone, mode))
    for step in source.steps():
        await store.write(step)
    policy = await store.read(lambda tx: Policy.load(tx, tenant))
    loading = _Loading(source, replace(policy, modes=Modes(mode), paused=False, loading=True), received)
    starts = source.starts()
    while chunk := list(islice(starts, CHUNK)):
        before = loading.result.starts
        await store.write(lambda tx, chunk=chunk: loading.take(tx, chunk))  # type: ignore[misc]
        loading.done(len(chunk))
        if progress is not None and before // PROGRESS_EVERY != loading.result.starts // PROGRESS_EVERY:
            progress(loading.result.starts)
    await store.write(lambda tx: tx.note(tenant, "settings", "lists"))
    loading.result.seconds = round(time.perf_counter() - began, 3)
    return loading.result


def _prepare(tx: Tx, tenant: TenantId, zone: str, mode: Mode) -> None:
    if mode is Mode.ENFORCE and tx.count(Session, tenant=tenant):
        raise NotHere(
            "mode enforce would move machines that are on the network now for what ran in the past; load with --mode monitor, "
            "or into a database of its own"
        )
    for name, value in (("timezone", {"name": zone}), ("mode", {"default": str(mode)})):
        if tx.get(Setting, tenant, name) is None:
            tx.put(Setting(tenant, name, dict[str, object](value), 1, AUTHOR, 0))


class _Loading:
    """One run: simulated time goes on with the starts and never back."""

    def __init__(self, source: Source, policy: Policy, received: Micros) -> None:
        self._source, self._policy, self._received = source, policy, received
        self.result = Loaded()
        self._now: Micros = 0
        self._met: set[str] = set()
        self._pending = Loaded()

    def take(self, tx: Tx, chunk: list[Start]) -> None:
        """One work; it may be run again, so it changes nothing here but `_pending` and what is true anyway."""
        buffered = Buffered(tx)
        self._pending = Loaded()
        now = self._now
        for start in chunk:
            now = max(now, start.at)
            self._one(buffered, start, now)
        buffered.flush()

    def done(self, number: int) -> None:
        """The work is durable."""
        self.result.starts += number
        self.result.recorded += self._pending.recorded
        self.result.known += self._pending.known
        for word, count in self._pending.verdicts.items():
            self.result.verdicts[word] = self.result.verdicts.get(word, 0) + count
        self.result.hosts = len(self._met)

    def _one(self, tx: Tx, start: Start, now: Micros) -> None:
        self._now = now
        if start.host_id not in self._met:
            self._meet(tx, start)
        execution = start.execution
        execution = replace(
            execution,
            tenant=self._policy.tenant,
            received=self._received,
            ended=execution.ended if execution.ended is not None else execution.started,
            uncertainty_us=0,
            held=False,
            ran=True,
        )
        decision = judgement.record(tx, execution, now=now, policy=self._policy)
        if decision.repeated:
            self._pending.known += 1
            return
        self._pending.recorded += 1
        word = str(decision.verdict.word)
        self._pending.verdicts[word] = self._pending.verdicts.get(word, 0) + 1

    def _meet(self, tx: Tx, start: Start) -> None:
        """The first start of a host; one that is in no list of hosts was enrolled with it."""
        tenant, host_id, at = self._policy.tenant, start.host_id, start.at
        host = tx.get(Host, tenant, host_id)
        if host is None:
            host = replace(self._source.newcomer(HostId(host_id)), tenant=tenant)
            if start.mac:
                tx.add(MacBinding(tenant, Mac(start.mac), HostId(host_id), at, at))
        if not host.enrolled_at:
            tx.put(replace(host, enrolled_at=at))
        self._met.add(host_id)

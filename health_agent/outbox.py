"""What is to be told to the service: on disk where possible, else in memory, never silently gone.

Guarantees: what `put` returned for is durable; a batch taken meanwhile must pass `settled_on_disk` before it is sent. Where the spool refuses them (full disk, limit) they
wait in memory, are counted in `spool_full` and sent all the same; only when memory has its limit too is the newest
item dropped, counted in `dropped`. `take` gives the oldest first, in batches that one report can carry.

Shared by two threads: the core's puts, the sender's takes and settles.
"""

import threading
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from health_agent.contract import End, Execution
from health_agent.files import write_whole
from health_agent.spool import Spool, SpoolError, SpoolFull

BATCH: Final = 500
IN_MEMORY: Final = 10_000

Item = Execution | End

_execution = msgspec.json.Decoder(Execution)
_end = msgspec.json.Decoder(End)
_encode = msgspec.json.Encoder().encode


def encode(item: Item) -> bytes:
    """One record of the spool: a letter for its type, then the JSON of the contract."""
    return (b"E" if isinstance(item, Execution) else b"X") + _encode(item)


def decode(data: bytes) -> Item:
    """Raises msgspec.MsgspecError where the octets are no record (of this release)."""
    return _execution.decode(data[1:]) if data[:1] == b"E" else _end.decode(data[1:])


@dataclass(frozen=True, slots=True)
class Batch:
    """Items for one report. `number` is the last spooled one, `in_memory` those that are on no disk."""

    items: tuple[Item, ...]
    oldest_us: int
    number: int = 0
    in_memory: tuple[Item, ...] = ()


class Outbox:
    """`refused` is the folder for records that the service will not take, `counts` where losses are counted by name."""

    def __init__(self, spool: Spool, refused: Path, counts: Counter[str], memory: int = IN_MEMORY) -> None:
        self._spool = spool
        self._refused = refused
        self._counts = counts
        self._memory: deque[tuple[int, Item]] = deque()
        self._limit = memory
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self.filled = threading.Event()

    def __len__(self) -> int:
        return len(self._spool) + len(self._memory)

    def put(self, items: tuple[Item, ...], now: int) -> str | None:
        """Keep items until settled. Returns why they are not on disk, as a sentence, or None when they are."""
        with self._writing:
            try:
                self._spool.append([encode(item) for item in items], now)
                self.filled.set()  # the report can be made while the disk works
                self._spool.sync()
            except SpoolError as error:
                self._counts["spool_full" if isinstance(error, SpoolFull) else "spool_broken"] += len(items)
                self._keep(items, now)
                return str(error)
        return None

    def _keep(self, items: tuple[Item, ...], now: int) -> None:
        with self._lock:
            room = max(self._limit - len(self._memory), 0)
            self._memory.extend((now, item) for item in items[:room])
            if len(items) > room:
                self._counts["dropped"] += len(items) - room
        self.filled.set()

    def settled_on_disk(self, batch: Batch) -> bool:
        """Wait for the disk; whether all of the batch is still there (a disk that is full takes records out again)."""
        with self._writing:
            return self._spool.durable(batch.number)

    def take(self, limit: int = BATCH) -> Batch | None:
        """The oldest items, or None. They stay inside until `settle`. Raises SpoolError."""
        records = self._spool.peek(limit)
        items: list[Item] = []
        for record in records:
            try:
                items.append(decode(record.data))
            except msgspec.MsgspecError as error:
                self._set_aside(record.data, f"not readable: {error}")
        with self._lock:
            waiting = list(self._memory)[: limit - len(records)]
        in_memory = tuple(item for _, item in waiting)
        oldest = min([record.at_us for record in records[:1]] + [at for at, _ in waiting[:1]], default=0)
        number = records[-1].number if records else 0
        if not items and not in_memory:
            if records:
                self._spool.acknowledge(number)
            return None
        return Batch((*items, *in_memory), oldest, number, in_memory)

    def settle(self, batch: Batch) -> None:
        """The service has it on its disk. Raises SpoolError."""
        if batch.number:
            self._spool.acknowledge(batch.number)
        self._forget(batch)

    def refuse(self, batch: Batch, reason: str) -> None:
        """The service will never take it: set aside, with the reason, and counted. Raises SpoolError."""
        for item in batch.items:
            self._set_aside(encode(item), reason)
        self.settle(batch)

    def _forget(self, batch: Batch) -> None:
        with self._lock:
            for item in batch.in_memory:
                if self._memory and self._memory[0][1] is item:
                    self._memory.popleft()

    def _set_aside(self, data: bytes, reason: str) -> None:
        self._counts["refused_records"] += 1
        name = f"{self._counts['refused_records']:08d}-{len(data)}"
        try:
            self._refused.mkdir(mode=0o700, exist_ok=True)
            write_whole(self._refused / name, data + b"\n" + reason.encode() + b"\n")
        except OSError as error:
            raise SpoolError(f"a refused record cannot be kept in {self._refused}: {error.strerror}") from error

"""The store in memory: the twin of the SQL store for tests, and the engine of the backtest.

It keeps every promise of `interface.py` but durability. Everything happens in the caller's thread: `write` and `read`
do not wait for anything, and a work that raises is undone from its log. Indexes are made when a `find` first asks for
their combination, so that a `put` pays only for those that are used.

Records are kept as they are, not copied: the content of a dict field must not be changed after `put`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, TypeVar

from radius_policy.model import TenantId
from radius_policy.store.interface import Change, Reading, StoreUnavailable, Tx
from radius_policy.store.memory_tables import Key, Table, Tables

R = TypeVar("R")
T = TypeVar("T")

_sequence_of = attrgetter("sequence")


class _MemoryReading:
    """`Reading` on the tables of a store."""

    __slots__ = ("_store", "_tables")

    def __init__(self, store: "MemoryStore") -> None:
        self._store = store
        self._tables = store._tables

    def get(self, kind: type[R], *key: Any) -> R | None:
        table = self._tables[kind]
        found = table.rows.get(key)
        if found is None and len(key) != table.width:
            raise TypeError(f"the key of {kind.__name__} is {', '.join(table.type.key)}")
        return found

    def find(
        self,
        kind: type[R],
        /,
        *,
        order: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        after: Any = None,
        before: Any = None,
        **equals: Any,
    ) -> list[R]:
        table = self._tables[kind]
        if order is None:
            if after is not None or before is not None:
                raise TypeError("after and before need the order they are about")
            found: list[R] = []
            for bucket in table.buckets(equals):
                found.extend(bucket.values())
            return found if limit is None else found[:limit]
        entries = table.ordered(equals, order, after, before)
        if limit is not None:
            entries = entries[max(len(entries) - limit, 0) :] if descending else entries[:limit]
        rows = table.rows
        return [rows[key] for _, key in (reversed(entries) if descending else entries)]

    def pick(self, kind: type[Any], fields: tuple[str, ...], /, **question: Any) -> list[tuple[Any, ...]]:
        self._tables[kind].type.check_findable(fields)
        values = attrgetter(*fields)
        if len(fields) == 1:
            return [(values(record),) for record in self.find(kind, **question)]
        return [values(record) for record in self.find(kind, **question)]

    def count(self, kind: type[Any], /, **equals: Any) -> int:
        return sum(map(len, self._tables[kind].buckets(equals)))

    def changes_since(self, sequence: int, limit: int = 1000) -> list[Change]:
        changes = self._store._changes
        start = bisect_right(changes, sequence, key=_sequence_of)
        return changes[start : start + limit]

    def first_change(self) -> int:
        changes = self._store._changes
        return changes[0].sequence if changes else 0

    def last_change(self) -> int:
        return self._store._last_change


class _MemoryTx(_MemoryReading):
    """`Tx` with a log of what to put back when the work raises."""

    __slots__ = ("_notes", "_undo")

    def __init__(self, store: "MemoryStore") -> None:
        super().__init__(store)
        self._undo: list[tuple[Table, Key, Any]] = []
        self._notes: dict[tuple[TenantId, str, str], None] = {}

    def put(self, *records: Any) -> None:
        for record in records:
            table = self._tables[type(record)]
            key = table.key_of(record)
            old = table.rows.get(key)
            self._undo.append((table, key, old))
            table.replace(key, old, record)

    def add(self, record: Any) -> bool:
        table = self._tables[type(record)]
        key = table.key_of(record)
        if key in table.rows:
            return False
        self._undo.append((table, key, None))
        table.replace(key, None, record)
        return True

    def delete(self, kind: type[Any], /, **equals: Any) -> int:
        table = self._tables[kind]
        return self._remove(table, [key for bucket in table.buckets(equals) for key in bucket])

    def prune(self, kind: type[Any], field: str, before: Any, *, limit: int = 1000, **equals: Any) -> int:
        table = self._tables[kind]
        return self._remove(table, [key for _, key in table.ordered(equals, field, None, before)[:limit]])

    def forget_changes(self, before: int) -> int:
        kept = self._store._changes
        number = max(min(bisect_left(kept, before, key=_sequence_of), len(kept) - 1), 0)
        self._store._changes = kept[number:]
        return number

    def _remove(self, table: Table, keys: list[Key]) -> int:
        for key in keys:
            old = table.rows[key]
            self._undo.append((table, key, old))
            table.replace(key, old, None)
        return len(keys)

    def note(self, tenant: TenantId, kind: str, key: str) -> None:
        self._notes[tenant, kind, key] = None

    def next_generation(self, tenant: TenantId) -> int:
        generation = self._store._generations.get(tenant, 0) + 1
        self.raise_generation(tenant, generation)
        return generation

    def raise_generation(self, tenant: TenantId, at_least: int) -> None:
        generations = self._store._generations
        generations[tenant] = max(generations.get(tenant, 0), at_least)

    def serialize(self, tenant: TenantId) -> None:
        """Nothing runs beside a work in memory."""

    def _commit(self) -> None:
        self._store._append(self._notes)

    def _rollback(self) -> None:
        for table, key, old in reversed(self._undo):
            table.replace(key, table.rows.get(key), old)


class MemoryStore:
    """`Store` in this process. `keep_changes` bounds the change sequence that is kept."""

    def __init__(self, *, keep_changes: int = 100_000) -> None:
        self._tables = Tables()
        self._changes: list[Change] = []
        self._last_change = 0
        self._keep_changes = keep_changes
        self._generations: dict[TenantId, int] = {}
        self._writing = False
        self._closed = False

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """A read-write transaction without a loop, for the backtest; an exception undoes it."""
        self._check_open()
        if self._writing:
            raise RuntimeError("a work must not begin another transaction")
        self._writing = True
        generations, changes = self._generations.copy(), self._changes
        tx = _MemoryTx(self)
        try:
            yield tx
            tx._commit()
        except BaseException:
            tx._rollback()
            self._generations, self._changes = generations, changes
            raise
        finally:
            self._writing = False

    def reading(self) -> Reading:
        """The store as it is now, without a loop."""
        self._check_open()
        return _MemoryReading(self)

    async def write(self, work: Callable[[Tx], T]) -> T:
        with self.transaction() as tx:
            return work(tx)

    async def read(self, work: Callable[[Reading], T]) -> T:
        return work(self.reading())

    def glance(self, work: Callable[[Reading], T]) -> T:
        """See `Glancing`."""
        return work(self.reading())

    async def close(self) -> None:
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store was closed")

    def _append(self, notes: dict[tuple[TenantId, str, str], None]) -> None:
        for note in notes:
            self._last_change += 1
            self._changes.append(Change(self._last_change, *note))
        if len(self._changes) > 2 * self._keep_changes:
            del self._changes[: -self._keep_changes]

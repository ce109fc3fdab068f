"""What every store promises; `memory` and `sql` implement it and pass one contract suite (tests/contract).

A store keeps *records*: the frozen dataclasses of `model/`, each with a key. `schema.py` names
every record kind once, with its key and the fields it can be found by. Work on them is a plain function that takes
a transaction and returns a value:

    verdict = await store.write(lambda tx: judgement.record(tx, execution, now=now))

Guarantees: `write` returns only after the work is durable; all of it or nothing of it. Writers are serial (SQLite:
BEGIN IMMEDIATE in one thread, several works to one commit, each in its own savepoint; PostgreSQL: an advisory lock
for each tenant that asks for it by `serialize`). A work may be run again after a conflict, so it touches nothing but
its transaction. Works are short: a long recompute is cut into batches by its caller.

The store does not decide, does not know the time and rings no bell: `doorbell.py` does that after the answer is out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from radius_policy.model import TenantId

R = TypeVar("R")
T = TypeVar("T")


class StoreError(Exception):
    """The store could not do it. The message names the cause and what to do; nothing was written."""


class StoreBusy(StoreError):
    """Another writer held the database longer than the busy timeout. Try again."""


class StoreFull(StoreError):
    """No space left for the database. Free some; nothing acknowledged was lost."""


class StoreUnavailable(StoreError):
    """The database cannot be reached or opened."""


class SchemaMismatch(StoreError):
    """The database is of another release than this program; the message names the command that migrates it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change sequence: what another process looks at after the doorbell rang."""

    sequence: int
    tenant: TenantId
    kind: str
    key: str


class Reading(Protocol):
    """A consistent view of the store."""

    def get(self, kind: type[R], *key: Any) -> R | None:
        """The record with exactly this key (tenant first), or None."""
        ...

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
        """Records whose fields equal the given values (a tuple, list or set of values means any of them).

        `order` is a field; then `after` keeps values greater than it, `before` values less than it (both exclusive).
        Equal values come in the order of their keys, None before all values. Without `order` no order is promised.
        TypeError: a field that is unknown or kept as JSON (`schema.py`).
        Every combination that is used stands as an index in `schema.py`.
        """
        ...

    def pick(
        self,
        kind: type[Any],
        fields: tuple[str, ...],
        /,
        *,
        order: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        after: Any = None,
        before: Any = None,
        **equals: Any,
    ) -> list[tuple[Any, ...]]:
        """What `find` would give, but of each record some plain fields alone: for reports over very many.

        An index that holds all of them besides what it is asked by is answered from the index alone.
        """
        ...

    def count(self, kind: type[Any], /, **equals: Any) -> int:
        """How many records `find` would give."""
        ...

    def changes_since(self, sequence: int, limit: int = 1000) -> list[Change]:
        """Changes after `sequence`, oldest first.

        Whoever follows them loads everything anew, instead of asking this, where `last_change` is less than the
        number it knows (the database was restored) or `first_change` is more than one greater (it slept too long).
        """
        ...

    def first_change(self) -> int:
        """The sequence of the oldest change that is kept, 0 where there is none."""
        ...

    def last_change(self) -> int:
        """The sequence of the newest change, 0 where there is none."""
        ...


class Tx(Reading, Protocol):
    """A read-write transaction."""

    def put(self, *records: Any) -> None:
        """Insert or replace by key."""
        ...

    def add(self, record: Any) -> bool:
        """Insert unless the key is there already; whether it was inserted. What makes retries harmless."""
        ...

    def delete(self, kind: type[Any], /, **equals: Any) -> int:
        """Delete the records that `find` would give; how many."""
        ...

    def prune(self, kind: type[Any], field: str, before: Any, *, limit: int = 1000, **equals: Any) -> int:
        """Delete up to `limit` of the records that `find` would give whose `field` is less than `before`, least first;
        how many. For retention: call it in one work after another until it gives 0."""
        ...

    def forget_changes(self, before: int) -> int:
        """Delete the changes whose sequence is less than `before`, but never the newest; how many."""
        ...

    def note(self, tenant: TenantId, kind: str, key: str) -> None:
        """Append to the change sequence, once for each (kind, key) of a transaction.

        Kinds: `access` (key = MAC), `order` (order id), `nas` (nas_id), `settings` (name), `host` (host_id),
        `executable` (sha256), `event` (event id).
        """
        ...

    def next_generation(self, tenant: TenantId) -> int:
        """A number greater than every one given for this tenant before, restores included (tables.md, Access)."""
        ...

    def raise_generation(self, tenant: TenantId, at_least: int) -> None:
        """Make every later `next_generation` of this tenant greater than `at_least`; never lowers it.

        A restored database remembers too small a number, and the store knows no clock. So the process that starts
        the service raises it to the wall clock in microseconds, which no counter of one per decision overtakes.
        """
        ...

    def serialize(self, tenant: TenantId) -> None:
        """From here to the commit no other transaction of this tenant that asks the same runs beside this one."""
        ...


class Store(Protocol):
    """One database, shared by the processes of a service. All methods may raise `StoreError`."""

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a read-write transaction. Durable when this returns; an exception of `work` undoes it."""
        ...

    async def read(self, work: Callable[[Reading], T]) -> T:
        """Run `work` on a consistent view. Never waits for writers."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        ...


@runtime_checkable
class Glancing(Protocol):
    """A store that can be asked something small without going through a thread or a network."""

    def glance(self, work: Callable[[Reading], T]) -> T:
        """`Store.read` at once, in the caller's thread: for a work of some tens of microseconds, by one thread alone.

        Raises `StoreBusy` where it would have to wait for somebody, and what `read` raises.
        """
        ...


def first(records: Iterable[R]) -> R | None:
    """The first of some records, or None."""
    return next(iter(records), None)

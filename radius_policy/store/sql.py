"""`Reading` and `Tx` over any connection that runs SQL text: what SQLite and PostgreSQL have in common.

The shells around it (`sqlite.py`, `postgresql.py`) begin, commit and roll back, and turn the drivers' errors into
`StoreError`; here a driver's error passes through.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final, Protocol, TypeVar

from radius_policy.model import TenantId
from radius_policy.store.interface import Change
from radius_policy.store.statements import Bound, Statements

R = TypeVar("R")
T = TypeVar("T")
View = TypeVar("View")

Row = Sequence[Any]


CHANGES_LOCK: Final = -1
"""The lock of the change sequence, beside those of the tenants (positive numbers)."""


class Runner(Protocol):
    """One connection inside a transaction."""

    def rows(self, sql: str, values: Row) -> Sequence[Row]:
        """Run a statement that gives rows."""
        ...

    def change(self, sql: str, values: Row) -> int:
        """Run one that changes rows; how many."""
        ...

    def change_many(self, sql: str, rows: Sequence[Row]) -> None:
        """Run one that changes rows for each of `rows`."""
        ...

    def lock(self, number: int) -> None:
        """Wait for the transactions that hold this lock; hold it until the commit. Nothing where writers are serial."""
        ...


class WorkRaised(Exception):
    """Carries what a work raised past the code that explains the drivers' errors."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def run(work: Callable[[View], T], view: View, drivers: type[Exception]) -> T:
    """Run a work. Raises what it raised as WorkRaised, but a driver's error as it is."""
    try:
        return work(view)
    except drivers:
        raise
    except StopIteration as error:  # neither a future nor a coroutine can carry this one (PEP 479)
        wrapped = RuntimeError("a work raised StopIteration")
        wrapped.__cause__ = error
        raise WorkRaised(wrapped) from None
    except Exception as error:
        raise WorkRaised(error) from None


class SqlReading:
    """`Reading` on one connection."""

    def __init__(self, statements: Statements, runner: Runner) -> None:
        self._statements = statements
        self._runner = runner

    def get(self, kind: type[R], *key: Any) -> R | None:
        statements = self._statements.of(kind)
        found = self._rows(statements.get(key))
        return statements.codec.record(found[0]) if found else None

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
        statements = self._statements.of(kind)
        record = statements.codec.record
        bound = statements.find(equals, order=order, descending=descending, limit=limit, after=after, before=before)
        return [record(row) for row in self._rows(bound)]

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
        statements = self._statements.of(kind)
        bound = statements.find(
            equals, order=order, descending=descending, limit=limit, after=after, before=before, only=fields
        )
        return statements.codec.some(fields, self._rows(bound))

    def count(self, kind: type[Any], /, **equals: Any) -> int:
        rows = self._rows(self._statements.of(kind).count(equals))
        return rows[0][0] if rows else 0

    def changes_since(self, sequence: int, limit: int = 1000) -> list[Change]:
        return [Change(*row) for row in self._rows(self._statements.changes_since(sequence, limit))]

    def first_change(self) -> int:
        return self._number(self._statements.first_change)

    def last_change(self) -> int:
        return self._number(self._statements.last_change)

    def _number(self, sql: str, *values: Any) -> int:
        number: int = self._runner.rows(sql, values)[0][0]
        return number

    def _rows(self, bound: Bound | None) -> Sequence[Row]:
        return () if bound is None else self._runner.rows(bound.sql, bound.values)


class SqlTx(SqlReading):
    """`Tx` on one connection. `finish` belongs to the shell: it writes down the notes, last thing before the commit."""

    def __init__(self, statements: Statements, runner: Runner) -> None:
        super().__init__(statements, runner)
        self._notes: dict[tuple[TenantId, str, str], None] = {}

    def put(self, *records: Any) -> None:
        if len(records) == 1:
            statements = self._statements.of(type(records[0]))
            self._runner.change(statements.put, statements.codec.row(records[0]))
            return
        for kind, same in groupby(records, type):
            statements = self._statements.of(kind)
            self._runner.change_many(statements.put, [statements.codec.row(record) for record in same])

    def add(self, record: Any) -> bool:
        statements = self._statements.of(type(record))
        return self._runner.change(statements.add, statements.codec.row(record)) == 1

    def delete(self, kind: type[Any], /, **equals: Any) -> int:
        bound = self._statements.of(kind).delete(equals)
        return 0 if bound is None else self._runner.change(bound.sql, bound.values)

    def prune(self, kind: type[Any], field: str, before: Any, *, limit: int = 1000, **equals: Any) -> int:
        statements = self._statements.of(kind)
        keys = self._rows(
            statements.find(
                equals, order=field, descending=False, limit=limit, after=None, before=before, only=statements.type.key
            )
        )
        if keys:
            self._runner.change_many(statements.remove, keys)
        return len(keys)

    def forget_changes(self, before: int) -> int:
        return self._runner.change(self._statements.forget_changes, (before,))

    def note(self, tenant: TenantId, kind: str, key: str) -> None:
        self._notes[tenant, kind, key] = None

    def next_generation(self, tenant: TenantId) -> int:
        return self._number(self._statements.next_generation, tenant, 1)

    def raise_generation(self, tenant: TenantId, at_least: int) -> None:
        self._runner.change(self._statements.raise_generation, (tenant, at_least))

    def serialize(self, tenant: TenantId) -> None:
        self._runner.lock(tenant)

    def finish(self) -> None:
        """The change sequence is a queue: what commits later has the greater number, so its writers are serial from
        here on. Otherwise a reader could pass a number that is not visible yet and never come back for it."""
        if self._notes:
            self._runner.lock(CHANGES_LOCK)
            self._runner.change_many(self._statements.note, list(self._notes))
            self._notes = {}

"""All SQL of the store: built with SQLAlchemy Core, compiled once for a dialect, kept as text.

Running compiled text spares the cost of building a statement each time (more than that of running it on SQLite).
The values go in the order in which the text asks for them; no value ever becomes part of the text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from radius_policy.store.codec import Codec, encoder
from radius_policy.store.columns import CHANGES, GENERATIONS, INTEGER, TABLES
from radius_policy.store.schema import record_type

_SEVERAL = frozenset({tuple, list, set, frozenset})
_MOST_VALUES = 16_384
"""Values of one collection in one statement: both databases stop at about 32,000."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement with its values, ready to run."""

    sql: str
    values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """`constants` are values that the dialect adds after ours (SQLite: OFFSET 0)."""

    sql: str
    constants: tuple[Any, ...]


def _upsert(dialect: Dialect, table: sa.Table) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT."""
    return sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)


class KindStatements:
    """What one dialect says for one kind of record."""

    def __init__(self, dialect: Dialect, kind: type[Any]) -> None:
        self.type = record_type(kind)
        self.codec = Codec(self.type)
        self._dialect = dialect
        self._table = table = TABLES[kind]
        self._encoders = {name: encoder(field) for name, field in self.type.findable.items()}
        self._shapes: dict[Any, _Compiled] = {}
        key = [table.c[name] for name in self.type.key]
        where = [column == sa.bindparam(None, type_=column.type, unique=True) for column in key]
        others = [column.name for column in table.c if column.name not in self.type.key]
        upsert = _upsert(dialect, table)
        if others:
            upsert = upsert.on_conflict_do_update(
                index_elements=key, set_={name: upsert.excluded[name] for name in others}
            )
        else:
            upsert = upsert.on_conflict_do_nothing(index_elements=key)
        self._get = self._compile(sa.select(table).where(*where)).sql
        self.remove = self._compile(sa.delete(table).where(*where)).sql
        self.put = self._compile(upsert).sql
        self.add = self._compile(_upsert(dialect, table).on_conflict_do_nothing(index_elements=key)).sql

    def get(self, key: tuple[Any, ...]) -> Bound:
        if len(key) != len(self.type.key):
            raise TypeError(f"the key of {self.type.kind.__name__} is {', '.join(self.type.key)}")
        return Bound(self._get, [self._plain(name, value) for name, value in zip(self.type.key, key, strict=True)])

    def find(
        self,
        equals: Mapping[str, Any],
        *,
        order: str | None,
        descending: bool,
        limit: int | None,
        after: Any,
        before: Any,
        only: tuple[str, ...] = (),
    ) -> Bound | None:
        """Gives whole records, or the fields `only`. None where nothing can match (an empty collection)."""
        if order is None and not (after is None and before is None):
            raise TypeError("after and before need the order they are about")
        shape, values = self._shape(equals)
        if shape is None:
            return None
        if order is not None:
            self.type.check_findable((order,))
        bounds = [self._plain(order, value) for value in (after, before) if order and value is not None]
        whole = (only, shape, order, descending, after is not None, before is not None, limit is not None)
        compiled = self._shapes.get(whole)
        if compiled is None:
            self.type.check_findable(only)
            chosen = [self._table.c[name] for name in only] if only else self._table.c
            query = sa.select(*chosen).where(*self._conditions(shape))
            if order is not None:
                query = self._bounded(query, self._table.c[order], after is not None, before is not None)
                query = query.order_by(*self._order(shape, order, descending, len(bounds) > 0))
            if limit is not None:
                query = query.limit(sa.bindparam("limit", 0, type_=sa.Integer()))
            compiled = self._shapes[whole] = self._compile(query, len(values) + len(bounds) + (limit is not None))
        return Bound(compiled.sql, [*values, *bounds, *(() if limit is None else (limit,)), *compiled.constants])

    def count(self, equals: Mapping[str, Any]) -> Bound | None:
        return self._plainly("count", sa.select(sa.func.count()).select_from(self._table), equals)

    def delete(self, equals: Mapping[str, Any]) -> Bound | None:
        return self._plainly("delete", sa.delete(self._table), equals)

    def _plainly(self, what: str, statement: Any, equals: Mapping[str, Any]) -> Bound | None:
        shape, values = self._shape(equals)
        if shape is None:
            return None
        compiled = self._shapes.get((what, shape))
        if compiled is None:
            compiled = self._compile(statement.where(*self._conditions(shape)), len(values))
            self._shapes[what, shape] = compiled
        return Bound(compiled.sql, values)

    def _plain(self, name: str | None, value: Any) -> Any:
        """A value as the driver takes it."""
        self.type.check_findable((str(name),))
        encode = self._encoders[str(name)]
        return encode(value) if encode and value is not None else value

    def _shape(self, equals: Mapping[str, Any]) -> tuple[tuple[Any, ...] | None, list[Any]]:
        """What the text depends on, as (field, number of values, None among them), and the values.

        Collections are filled up to the next power of two, so that few texts serve all lengths.
        """
        shape: list[tuple[str, int, bool]] = []
        values: list[Any] = []
        for name, value in equals.items():
            if type(value) not in _SEVERAL:
                shape.append((name, 0 if value is None else 1, value is None))
                if value is not None:
                    values.append(self._plain(name, value))
                continue
            some = [self._plain(name, one) for one in dict.fromkeys(value)]
            none = None in some
            if none:
                some.remove(None)
            elif not some:
                self.type.check_findable((name,))
                return None, []
            if len(some) > _MOST_VALUES:
                raise ValueError(f"{len(some)} values for {name} are too many for one find; ask in parts")
            padding = (1 << (len(some) - 1).bit_length()) - len(some) if some else 0
            shape.append((name, len(some) + padding, none))
            values += [*some, *some[:1] * padding]
        return tuple(shape), values

    def _conditions(self, shape: tuple[tuple[str, int, bool], ...]) -> list[Any]:
        self.type.check_findable(tuple(name for name, _, _ in shape))
        conditions = []
        for name, number, none in shape:
            column = self._table.c[name]
            binds = [sa.bindparam(None, type_=column.type, unique=True) for _ in range(number)]
            equal = [column == binds[0]] if number == 1 else [column.in_(binds)] if binds else []
            conditions.append(sa.or_(*equal, column.is_(None)) if none else equal[0])
        return conditions

    @staticmethod
    def _bounded(query: Any, column: sa.Column[Any], after: bool, before: bool) -> Any:
        if after:
            query = query.where(column > sa.bindparam(None, type_=column.type, unique=True))
        if before:
            query = query.where(column < sa.bindparam(None, type_=column.type, unique=True))
        return query

    def _order(self, shape: Any, order: str, descending: bool, bounded: bool) -> list[Any]:
        """By the field, then by what the conditions leave open of the key."""
        fixed = {name for name, number, none in shape if number + none == 1} | {order}
        column = self._table.c[order]
        rest = [self._table.c[name] for name in self.type.key if name not in fixed]
        if not column.nullable or bounded:  # a bound leaves no None to place
            return [one.desc() if descending else one for one in (column, *rest)]
        if descending:
            return [column.desc().nulls_last(), *(one.desc() for one in rest)]
        return [column.asc().nulls_first(), *rest]

    def _compile(self, statement: Any, ours: int | None = None) -> _Compiled:
        return _compile(self._dialect, statement, ours)


def _compile(dialect: Dialect, statement: Any, ours: int | None = None) -> _Compiled:
    """`ours` is how many values we bind; what the dialect binds besides must be constants behind them."""
    compiled = statement.compile(dialect=dialect)
    names = compiled.positiontup or []
    constants = () if ours is None else tuple(compiled.params[name] for name in names[ours:])
    return _Compiled(str(compiled), constants)


class Statements:
    """All statements in one dialect; those of a kind of record are made when it is first used."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._kinds: dict[type[Any], KindStatements] = {}
        tenant, value = GENERATIONS.c.tenant, GENERATIONS.c.value
        self.note = self._text(sa.insert(CHANGES).values(tenant=0, kind="", key="").inline())
        self._changes = _compile(
            dialect,
            sa.select(CHANGES)
            .where(CHANGES.c.sequence > sa.bindparam("since", 0, type_=INTEGER))
            .order_by(CHANGES.c.sequence)
            .limit(sa.bindparam("limit", 0, type_=sa.Integer())),
            2,
        )
        self.first_change = self._text(
            sa.select(sa.func.coalesce(sa.func.min(CHANGES.c.sequence), sa.literal_column("0")))
        )
        newest = sa.select(sa.func.max(CHANGES.c.sequence)).scalar_subquery()
        self.forget_changes = self._text(
            sa.delete(CHANGES).where(
                CHANGES.c.sequence < sa.bindparam("before", 0, type_=INTEGER), CHANGES.c.sequence < newest
            )
        )
        self.last_change = self._text(
            sa.select(sa.func.coalesce(sa.func.max(CHANGES.c.sequence), sa.literal_column("0")))
        )
        first = _upsert(dialect, GENERATIONS).values(tenant=0, value=0)
        self.next_generation = self._text(
            first.on_conflict_do_update(
                index_elements=[tenant], set_={"value": value + sa.literal_column("1")}
            ).returning(value)
        )
        self.raise_generation = self._text(
            first.on_conflict_do_update(
                index_elements=[tenant], set_={"value": first.excluded.value}, where=value < first.excluded.value
            )
        )

    def changes_since(self, sequence: int, limit: int) -> Bound:
        """Sequence, tenant, kind and key of at most `limit` changes after `sequence`."""
        return Bound(self._changes.sql, [sequence, limit, *self._changes.constants])

    def of(self, kind: type[Any]) -> KindStatements:
        """The statements of one kind of record."""
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = KindStatements(self._dialect, kind)
        return found

    def _text(self, statement: Any) -> str:
        return _compile(self._dialect, statement).sql

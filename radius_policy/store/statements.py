"""All SQL of the store: built as text for each shape of question, once, and kept.

The values go in the order in which the text asks for them; no value ever becomes part of the text, and the only names
in it are those of `schema.py`. One text serves both databases but for the marks of its values. It is built by hand
because the few statements are regular, and a command that only looks one record up would wait longer for a library
that builds them than for the database (docs/decisions/0005).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Final, NamedTuple

from radius_policy.store.codec import Codec, encoder
from radius_policy.store.schema import record_type

Mark = Callable[[int], str]
"""How a database writes the n-th value of a statement, counted from 1."""

SQLITE: Final[Mark] = lambda _: "?"  # noqa: E731
POSTGRESQL: Final[Mark] = lambda number: f"${number}"  # noqa: E731

_SEVERAL = frozenset({tuple, list, set, frozenset})
_MOST_VALUES = 16_384
"""Values of one collection in one statement: both databases stop at about 32,000."""
_Shape = tuple[tuple[str, int, bool], ...]
"""What a text depends on: for each field the number of values, and whether None is among them."""


class Bound(NamedTuple):
    """A statement with its values, ready to run."""

    sql: str
    values: Sequence[Any]


def _names(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


class KindStatements:
    """What one database is told for one kind of record."""

    def __init__(self, mark: Mark, kind: type[Any]) -> None:
        self.type = record_type(kind)
        self.codec = Codec(self.type)
        self._mark = mark
        self._table = f'"{self.type.table}"'
        self._columns = [field.name for field in self.type.fields]
        self._nullable = {field.name for field in self.type.fields if field.nullable}
        self._encoders = {name: encoder(field) for name, field in self.type.findable.items()}
        self._texts: dict[Any, str] = {}
        key = self.type.key
        self._key_encoders = [self._encoders[name] for name in key]
        marks = ", ".join(mark(number) for number in range(1, len(self._columns) + 1))
        insert = f"INSERT INTO {self._table} ({_names(self._columns)}) VALUES ({marks}) ON CONFLICT"  # noqa: S608
        replaced = ", ".join(f'"{name}" = excluded."{name}"' for name in self._columns if name not in key)
        where = " AND ".join(f'"{name}" = {mark(number)}' for number, name in enumerate(key, 1))
        self.add = f"{insert} ({_names(key)}) DO NOTHING"
        self.put = f"{insert} ({_names(key)}) DO UPDATE SET {replaced}" if replaced else self.add
        self.remove = f"DELETE FROM {self._table} WHERE {where}"  # noqa: S608
        self._get = f"SELECT {_names(self._columns)} FROM {self._table} WHERE {where}"  # noqa: S608

    def get(self, key: tuple[Any, ...]) -> Bound:
        if len(key) != len(self._key_encoders):
            raise TypeError(f"the key of {self.type.kind.__name__} is {', '.join(self.type.key)}")
        pairs = zip(self._key_encoders, key, strict=True)
        return Bound(self._get, [encode(value) if encode and value is not None else value for encode, value in pairs])

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
        text = self._texts.get(whole)
        if text is None:
            self.type.check_findable(only)
            numbers = count(1)
            conditions = self._conditions(shape, numbers)
            if order is not None:
                signs = [sign for sign, value in ((">", after), ("<", before)) if value is not None]
                conditions += [f'"{order}" {sign} {self._mark(next(numbers))}' for sign in signs]
            text = f"SELECT {_names(only or self._columns)} FROM {self._table}{_where(conditions)}"  # noqa: S608
            if order is not None:
                text += " ORDER BY " + ", ".join(self._order(shape, order, descending, bool(bounds)))
            if limit is not None:
                text += f" LIMIT {self._mark(next(numbers))}"
            self._texts[whole] = text
        return Bound(text, [*values, *bounds, *(() if limit is None else (limit,))])

    def count(self, equals: Mapping[str, Any]) -> Bound | None:
        return self._plainly("SELECT count(*)", equals)

    def delete(self, equals: Mapping[str, Any]) -> Bound | None:
        return self._plainly("DELETE", equals)

    def _plainly(self, what: str, equals: Mapping[str, Any]) -> Bound | None:
        shape, values = self._shape(equals)
        if shape is None:
            return None
        text = self._texts.get((what, shape))
        if text is None:
            text = f"{what} FROM {self._table}{_where(self._conditions(shape, count(1)))}"
            self._texts[what, shape] = text
        return Bound(text, values)

    def _plain(self, name: str | None, value: Any) -> Any:
        """A value as the driver takes it."""
        if name not in self._encoders:
            self.type.check_findable((str(name),))
        encode = self._encoders[str(name)]
        return encode(value) if encode and value is not None else value

    def _shape(self, equals: Mapping[str, Any]) -> tuple[_Shape | None, list[Any]]:
        """What the text depends on, and the values; None where nothing can match.

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

    def _conditions(self, shape: _Shape, numbers: Iterable[int]) -> list[str]:
        self.type.check_findable(tuple(name for name, _, _ in shape))
        marks = map(self._mark, numbers)
        conditions = []
        for name, number, none in shape:
            some = [next(marks) for _ in range(number)]
            either = [f'"{name}" = {some[0]}' if number == 1 else f'"{name}" IN ({", ".join(some)})'] if some else []
            if none:
                either.append(f'"{name}" IS NULL')
            conditions.append(either[0] if len(either) == 1 else f"({' OR '.join(either)})")
        return conditions

    def _order(self, shape: _Shape, order: str, descending: bool, bounded: bool) -> Iterable[str]:
        """By the field, then by what the conditions leave open of the key. None comes before all values."""
        fixed = {name for name, number, none in shape if number + none == 1} | {order}
        way = " DESC" if descending else ""
        nulls = "" if order not in self._nullable or bounded else " NULLS LAST" if descending else " NULLS FIRST"
        yield f'"{order}"{way}{nulls}'  # a bound leaves no None to place
        yield from (f'"{name}"{way}' for name in self.type.key if name not in fixed)


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


class Statements:
    """All statements for one database; those of a kind of record are made when it is first used."""

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self._kinds: dict[type[Any], KindStatements] = {}
        one, two, three = mark(1), mark(2), mark(3)
        self.note = f"INSERT INTO changes (tenant, kind, key) VALUES ({one}, {two}, {three})"  # noqa: S608
        self._changes = (
            f"SELECT sequence, tenant, kind, key FROM changes WHERE sequence > {one} ORDER BY sequence LIMIT {two}"  # noqa: S608
        )
        self.first_change = "SELECT coalesce(min(sequence), 0) FROM changes"
        self.last_change = "SELECT coalesce(max(sequence), 0) FROM changes"
        self.forget_changes = (
            f"DELETE FROM changes WHERE sequence < {one} AND sequence < (SELECT max(sequence) FROM changes)"  # noqa: S608
        )
        raised = f"INSERT INTO generations (tenant, value) VALUES ({one}, {two}) ON CONFLICT (tenant) DO UPDATE"  # noqa: S608
        self.next_generation = f"{raised} SET value = generations.value + 1 RETURNING value"
        self.raise_generation = f"{raised} SET value = excluded.value WHERE generations.value < excluded.value"

    def changes_since(self, sequence: int, limit: int) -> Bound:
        """Sequence, tenant, kind and key of at most `limit` changes after `sequence`."""
        return Bound(self._changes, (sequence, limit))

    def of(self, kind: type[Any]) -> KindStatements:
        """The statements of one kind of record."""
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = KindStatements(self._mark, kind)
        return found

"""Records in dictionaries, with indexes that are made when a question first needs them (`memory.py` keeps the promises).

An index costs its part of every later `put`, so only combinations that are really asked for have one.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from itertools import product
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from radius_policy.store.schema import record_type

AnyIndex = TypeVar("AnyIndex", bound="Bucketed | Ordered")

Key = tuple[Any, ...]
_SEVERAL = frozenset({tuple, list, set, frozenset})
_value_of = itemgetter(0)


class _Least:
    """Stands for None in an ordered index: less than everything, as in the SQL store."""

    def __lt__(self, other: object) -> bool:
        return other is not self

    def __gt__(self, other: object) -> bool:
        return False


_LEAST = _Least()


def _values_of(names: tuple[str, ...]) -> Callable[[Any], Key]:
    """A function from a record to the tuple of these fields."""
    if not names:
        return lambda record: ()
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda record: (get(record),)


def _wanted(names: tuple[str, ...], equals: dict[str, Any]) -> list[Key]:
    """The index values that satisfy `equals`: one, or all combinations where a collection means any of it."""
    values = [equals[name] for name in names]
    for value in values:
        if type(value) in _SEVERAL:
            break
    else:
        return [tuple(values)]
    return list(product(*(dict.fromkeys(value) if type(value) in _SEVERAL else (value,) for value in values)))


class Bucketed:
    """An index for equality: values of some fields to the records that have them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.order: tuple[str, ...] = ()
        self.of = _values_of(names)
        self.buckets: dict[Key, dict[Key, Any]] = {}

    def replace(self, key: Key, old: Any, new: Any) -> None:
        was = None if old is None else self.of(old)
        if new is not None:
            now = self.of(new)
            if was is not None and was != now:
                self._drop(was, key)
            bucket = self.buckets.get(now)
            if bucket is None:
                self.buckets[now] = {key: new}
            else:
                bucket[key] = new
        elif was is not None:
            self._drop(was, key)

    def _drop(self, values: Key, key: Key) -> None:
        bucket = self.buckets[values]
        del bucket[key]
        if not bucket:
            del self.buckets[values]


class Ordered:
    """An index for equality and order: values of some fields to sorted (order value, key)."""

    def __init__(self, names: tuple[str, ...], order: str) -> None:
        self.names = names
        self.order = (order,)
        self.of = _values_of(names)
        self.order_of = attrgetter(order)
        self.buckets: dict[Key, list[tuple[Any, Key]]] = {}

    def replace(self, key: Key, old: Any, new: Any) -> None:
        was = None if old is None else (self.of(old), self._entry(key, old))
        now = None if new is None else (self.of(new), self._entry(key, new))
        if was == now:
            return
        if was is not None:
            bucket = self.buckets[was[0]]
            del bucket[bisect_left(bucket, was[1])]
            if not bucket:
                del self.buckets[was[0]]
        if now is not None:
            insort(self.buckets.setdefault(now[0], []), now[1])

    def _entry(self, key: Key, record: Any) -> tuple[Any, Key]:
        value = self.order_of(record)
        return (_LEAST if value is None else value), key

    def between(self, values: Key, after: Any, before: Any) -> list[tuple[Any, Key]]:
        bucket = self.buckets.get(values, [])
        if after is None and before is None:
            return bucket
        start = bisect_right(bucket, _LEAST if after is None else after, key=_value_of)
        end = len(bucket) if before is None else bisect_left(bucket, before, key=_value_of)
        return bucket[start:end]


class Table:
    """The records of one kind."""

    def __init__(self, kind: type[Any]) -> None:
        self.type = record_type(kind)
        self.key_of = _values_of(self.type.key)
        self.width = len(self.type.key)
        self.rows: dict[Key, Any] = {}
        self._indexes: list[Bucketed | Ordered] = []
        self._bucketed: dict[Any, Bucketed] = {}
        self._ordered: dict[Any, Ordered] = {}

    def replace(self, key: Key, old: Any, new: Any) -> None:
        """Put `new`, or with None remove the record of `key`; `old` is what stands there now."""
        if new is None:
            del self.rows[key]
        else:
            self.rows[key] = new
        for index in self._indexes:
            index.replace(key, old, new)

    def buckets(self, equals: dict[str, Any]) -> Iterator[dict[Key, Any]]:
        """The groups of records that satisfy `equals`."""
        if not equals:
            yield self.rows
            return
        names = tuple(equals)
        index = self._bucketed.get(names)
        if index is None:
            index = self._made(self._bucketed, names, tuple(sorted(names)), lambda: Bucketed(tuple(sorted(names))))
        for values in _wanted(index.names, equals):
            bucket = index.buckets.get(values)
            if bucket:
                yield bucket

    def ordered(self, equals: dict[str, Any], order: str, after: Any, before: Any) -> list[tuple[Any, Key]]:
        """Ascending (order value, key) of the records that satisfy `equals`."""
        asked = tuple(equals), order
        index = self._ordered.get(asked)
        if index is None:
            names = tuple(sorted(equals))
            index = self._made(self._ordered, asked, (names, order), lambda: Ordered(names, order))
        parts = [index.between(values, after, before) for values in _wanted(index.names, equals)]
        return parts[0] if len(parts) == 1 else sorted(entry for part in parts for entry in part)

    def _made(self, known: dict[Any, AnyIndex], asked: Any, canonical: Any, make: Callable[[], AnyIndex]) -> AnyIndex:
        """A filled index, kept under the order in which the fields were named and under their sorted names."""
        if canonical not in known:
            index = make()
            self.type.check_findable((*index.names, *index.order))
            for key, record in self.rows.items():
                index.replace(key, None, record)
            self._indexes.append(index)
            known[canonical] = index
        known[asked] = known[canonical]
        return known[asked]


class Tables(dict[type[Any], Table]):
    """Tables by kind, made on first use."""

    def __missing__(self, kind: type[Any]) -> Table:
        table = self[kind] = Table(kind)
        return table

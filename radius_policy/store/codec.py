"""Records to rows and back. What a field needs is found out once for each kind of record, never for each row."""

from collections.abc import Callable, Sequence
from enum import IntEnum, StrEnum
from operator import attrgetter
from typing import Any

import msgspec

from radius_policy.quick import maker, quick
from radius_policy.store.schema import Field, RecordType

Convert = Callable[[Any], Any]
_JSON = msgspec.json.Encoder()


def _json(value: Any) -> str:
    return _JSON.encode(value).decode()


def encoder(field: Field) -> Convert | None:
    """What makes a field's value one that a database driver takes as it is; None where it does already."""
    if field.json:
        return _json
    if issubclass(field.type, StrEnum):
        return str.__str__
    return int if issubclass(field.type, IntEnum) else None


def decoder(field: Field) -> Convert | None:
    """The other way; a stored value that the field's type does not know raises ValueError or KeyError."""
    if field.json:
        return msgspec.json.Decoder(field.type).decode
    if issubclass(field.type, StrEnum | IntEnum):
        return {member.value: member for member in field.type}.__getitem__
    return bool if field.type is bool else None


class Codec:
    """Converts the records of one kind."""

    def __init__(self, record: RecordType) -> None:
        self._made = maker(record.kind) if quick(record.kind) else record.kind  # type: ignore[arg-type] # a class is hashable
        self._by_name = {field.name: decoder(field) for field in record.fields}
        self._values = attrgetter(*(field.name for field in record.fields))
        both = [(encoder(field), decoder(field)) for field in record.fields]
        self._encoders = [(place, encode) for place, (encode, _) in enumerate(both) if encode]
        self._decoders = [(place, decode) for place, (_, decode) in enumerate(both) if decode]

    def row(self, record: Any) -> list[Any]:
        """The values of a record's columns."""
        values = list(self._values(record))
        for place, encode in self._encoders:
            value = values[place]
            if value is not None:
                values[place] = encode(value)
        return values

    def record(self, row: Sequence[Any]) -> Any:
        """The record of a row that has all columns in order."""
        values = list(row)
        for place, decode in self._decoders:
            value = values[place]
            if value is not None:
                values[place] = decode(value)
        return self._made(*values)

    def some(self, fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """The values of rows that have these columns only."""
        decoders = [(place, decode) for place, name in enumerate(fields) if (decode := self._by_name[name])]
        if not decoders:
            return [tuple(row) for row in rows]
        found = []
        for row in rows:
            values = list(row)
            for place, decode in decoders:
                if values[place] is not None:
                    values[place] = decode(values[place])
            found.append(tuple(values))
        return found

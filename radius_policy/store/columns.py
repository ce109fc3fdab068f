"""The tables as SQLAlchemy Core sees them, derived from `schema.py`: what migrations are drafted from and checked with.

On SQLite all tables are STRICT, so that a value of the wrong type is refused there as PostgreSQL refuses it. Text is
compared and ordered by code point (collation "C") on both, as Python does.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

import sqlalchemy as sa

from radius_policy.store.schema import RECORDS, Field, RecordType

METADATA: Final = sa.MetaData()

TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INTEGER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG: Final = sa.Boolean().with_variant(sa.Integer(), "sqlite")
NUMBER: Final[Any] = sa.Double().with_variant(sa.REAL(), "sqlite")
OCTETS: Final = sa.LargeBinary()

TYPES: Final[Mapping[str, Any]] = {
    "TEXT": TEXT,
    "INTEGER": INTEGER,
    "FLAG": FLAG,
    "NUMBER": NUMBER,
    "OCTETS": OCTETS,
}
"""By the names under which migrations know them."""


def _type(field: Field) -> Any:
    if field.json:
        return TEXT
    if field.type is bool:
        return FLAG
    if field.type is int or issubclass(field.type, IntEnum):
        return INTEGER
    if field.type is float:
        return NUMBER
    return OCTETS if field.type is bytes else TEXT


def _table(record: RecordType) -> sa.Table:
    columns = [sa.Column(field.name, _type(field), nullable=field.nullable) for field in record.fields]
    return sa.Table(
        record.table,
        METADATA,
        *columns,
        sa.PrimaryKeyConstraint(*record.key, name=f"{record.table}_pkey"),
        *(sa.Index("_".join((record.table, "by", *index[1:])), *index) for index in record.indexes),
        sqlite_strict=True,
    )


TABLES: Final[Mapping[type[Any], sa.Table]] = {kind: _table(record) for kind, record in RECORDS.items()}

CHANGES: Final = sa.Table(
    "changes",
    METADATA,
    sa.Column("sequence", INTEGER, primary_key=True, autoincrement=True),
    sa.Column("tenant", INTEGER, nullable=False),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("key", TEXT, nullable=False),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)
"""The change sequence; AUTOINCREMENT, so that the number of a removed line is never given again."""

GENERATIONS: Final = sa.Table(
    "generations",
    METADATA,
    sa.Column("tenant", INTEGER, nullable=False),
    sa.Column("value", INTEGER, nullable=False),
    sa.PrimaryKeyConstraint("tenant", name="generations_pkey"),
    sqlite_strict=True,
)

"""What databases report becomes a sentence that names the cause and what to do."""

import sqlite3

import pytest

from radius_policy.store.errors import mismatch, postgresql_error, sqlite_error
from radius_policy.store.interface import SchemaMismatch, StoreBusy, StoreError, StoreFull, StoreUnavailable


def from_sqlite(code: int, text: str = "x") -> StoreError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_X"
    return sqlite_error(error, "/data/pratique.db", 5)


def from_postgresql(state: str | None, text: str = "no such luck\nDETAIL: more") -> StoreError:
    error = OSError(text)
    error.sqlstate = state  # type: ignore[attr-defined]
    return postgresql_error(error, "postgresql://host/name", 5)


@pytest.mark.parametrize(
    ("code", "family", "said"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusy, "for more than 5 s"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreBusy, "another process"),
        (sqlite3.SQLITE_FULL, StoreFull, "free some"),
        (sqlite3.SQLITE_IOERR_WRITE, StoreFull, "look at the disk's health"),
        (sqlite3.SQLITE_CANTOPEN, StoreUnavailable, "does its directory exist"),
        (sqlite3.SQLITE_READONLY_DBMOVED, StoreUnavailable, "no right to write"),
        (sqlite3.SQLITE_CORRUPT, StoreUnavailable, "restore it from a backup"),
        (sqlite3.SQLITE_NOTADB, StoreUnavailable, "no SQLite database"),
        (sqlite3.SQLITE_CONSTRAINT, StoreError, "refused a statement"),
        (sqlite3.SQLITE_ERROR, StoreError, "refused a statement"),
    ],
)
def test_sqlite(code: int, family: type[StoreError], said: str) -> None:
    explained = from_sqlite(code)
    assert type(explained) is family
    assert said in str(explained)
    assert "/data/pratique.db" in str(explained)


def test_sqlite_without_a_table_or_column_is_a_mismatch() -> None:
    for text in ("no such table: hosts", "no such column: hosts.colour"):
        explained = from_sqlite(sqlite3.SQLITE_ERROR, text)
        assert type(explained) is SchemaMismatch
        assert "pratique database migrate" in str(explained)
        assert text in str(explained)


def test_a_programming_error_of_the_driver_is_told_as_it_is() -> None:
    assert "Cannot operate" in str(
        sqlite_error(sqlite3.ProgrammingError("Cannot operate on a closed database"), "x", 5)
    )


@pytest.mark.parametrize(
    ("state", "family", "said"),
    [
        ("55P03", StoreBusy, "for more than 5 s"),
        ("40P01", StoreBusy, "other transactions"),
        ("53100", StoreFull, "free some"),
        ("28P01", StoreUnavailable, "does not let us in"),
        ("3D000", StoreUnavailable, "does not let us in"),
        ("42P01", SchemaMismatch, "pratique database migrate"),
        ("57P01", StoreUnavailable, "cannot be reached"),
        ("08006", StoreUnavailable, "cannot be reached"),
        ("53300", StoreUnavailable, "cannot be reached"),
        (None, StoreUnavailable, "cannot be reached"),
        ("22021", StoreError, "SQLSTATE 22021"),
    ],
)
def test_postgresql(state: str | None, family: type[StoreError], said: str) -> None:
    explained = from_postgresql(state)
    assert type(explained) is family
    assert said in str(explained)
    assert "no such luck" in str(explained)
    assert "DETAIL" not in str(explained)


def test_a_mismatch_says_which_way_to_go() -> None:
    assert "is empty" in str(mismatch(None, "0002", True, "x"))
    assert "run: pratique database migrate" in str(mismatch("0001", "0002", True, "x"))
    assert "newer release" in str(mismatch("0009", "0002", False, "x"))

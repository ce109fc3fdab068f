"""What a database driver reports, said for people: the sentence names the cause and what to do."""

import sqlite3
from typing import Final

from radius_policy.store.interface import SchemaMismatch, StoreBusy, StoreError, StoreFull, StoreUnavailable

MIGRATE: Final = "pratique database migrate"

_FULL_SQLSTATES = frozenset({"53100", "53200"})
_BUSY_SQLSTATES = frozenset({"55P03", "57014"})
CONFLICT_SQLSTATES: Final = frozenset({"40001", "40P01"})
"""The database undid the transaction in favour of another one: run the work again."""


def sqlite_error(error: sqlite3.Error, database: str, busy_timeout: float) -> StoreError:
    """By SQLite's primary result code (sqlite.org/rescode.html)."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(
            f"another process has held the database {database} for more than {busy_timeout:g} s; "
            "try again, or find the process that keeps it (a backup, a sqlite3 shell)"
        )
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_TOOBIG):
        return StoreFull(f"no space left for the database {database}: free some; nothing acknowledged was lost")
    if code == sqlite3.SQLITE_IOERR:
        return StoreFull(
            f"the disk under the database {database} does not take what is written ({_name(error)}): "
            "free some space, and look at the disk's health; nothing acknowledged was lost"
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreUnavailable(f"cannot open the database {database}: does its directory exist, and may we write it?")
    if code == sqlite3.SQLITE_READONLY:
        return StoreUnavailable(f"we have no right to write the database {database}: look at its owner and mode")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return StoreUnavailable(f"{database} is damaged or no SQLite database ({error}): restore it from a backup")
    if code == sqlite3.SQLITE_ERROR and str(error).startswith("no such"):
        return SchemaMismatch(f"the database {database} lacks what this release needs ({error}); run: {MIGRATE}")
    return StoreError(f"the database {database} refused a statement: {error} ({_name(error)})")


def postgresql_error(error: BaseException, database: str, busy_timeout: float) -> StoreError:
    """By SQLSTATE (PostgreSQL manual, appendix A); errors without one never reached the server."""
    origin = getattr(error, "orig", None) or error
    state = str(getattr(origin, "sqlstate", None) or "")
    said = str(origin).partition("\n")[0].removeprefix(f"{type(origin)}: ")
    if state in _BUSY_SQLSTATES or state in CONFLICT_SQLSTATES:
        return StoreBusy(
            f"other transactions have held the database {database} for more than {busy_timeout:g} s: {said}"
        )
    if state in _FULL_SQLSTATES:
        return StoreFull(
            f"no space left for the database {database}: free some; nothing acknowledged was lost ({said})"
        )
    if state.startswith("28") or state == "3D000":
        return StoreUnavailable(f"the database {database} does not let us in: {said}")
    if state in ("42P01", "42703"):
        return SchemaMismatch(f"the database {database} lacks what this release needs ({said}); run: {MIGRATE}")
    if not state or state.startswith(("08", "57P", "53")):
        return StoreUnavailable(f"the database {database} cannot be reached: {said or type(origin).__name__}")
    return StoreError(f"the database {database} refused a statement: {said} (SQLSTATE {state})")


def mismatch(found: str | None, wanted: str, known: bool, database: str) -> SchemaMismatch:
    """`found` is the database's schema, None where it has none; `known` whether this program has heard of it."""
    if found is None:
        return SchemaMismatch(f"the database {database} is empty; make its tables with: {MIGRATE}")
    if known:
        return SchemaMismatch(
            f"the database {database} has schema {found}, this program needs {wanted}; run: {MIGRATE}"
        )
    return SchemaMismatch(
        f"the database {database} has schema {found}, which this program does not know (it needs {wanted}): "
        "it was made by a newer release; install that one, or restore the backup taken before its migration"
    )


def _name(error: sqlite3.Error) -> str:
    return str(getattr(error, "sqlite_errorname", type(error).__name__))

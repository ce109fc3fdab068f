"""The store in one SQLite file: WAL, `synchronous=FULL`, one writer thread, a few readers beside it.

Durable means: `write` returns after the commit was synced to the disk, so neither kill -9 nor a power cut loses it.
Several processes may use the file on one machine (not over a network file system: SQLite's locks need a local one);
their writers take turns, each waits at most `busy_timeout`. Readers see a consistent view and never wait for writers.

The statements come from `statements.py`, and the connections are the driver's own: SQLite needs less time to run a
statement than any layer above it to pass it on.
"""

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from radius_policy.store import migrations
from radius_policy.store.checkpoints import LONGEST_PAGES, Checkpointer
from radius_policy.store.errors import mismatch, sqlite_error
from radius_policy.store.interface import Reading, StoreError, StoreUnavailable, Tx
from radius_policy.store.sql import Row, SqlReading, WorkRaised, run
from radius_policy.store.statements import SQLITE, Statements
from radius_policy.store.writer import Writer

T = TypeVar("T")

_READERS = 3


class _Connection:
    """`Runner` on the driver's connection."""

    __slots__ = ("_execute", "_execute_many")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._execute_many = connection.executemany

    def rows(self, sql: str, values: Row) -> list[Row]:
        return self._execute(sql, values).fetchall()

    def change(self, sql: str, values: Row) -> int:
        return self._execute(sql, values).rowcount

    def change_many(self, sql: str, rows: Sequence[Row]) -> None:
        self._execute_many(sql, rows)

    def lock(self, number: int) -> None:
        """BEGIN IMMEDIATE has made the writers of all processes serial already."""


def sqlite_path(url: str) -> str:
    """The absolute path in a `sqlite:///` URL. StoreUnavailable where there is none."""
    scheme, slashes, rest = url.partition("://")
    path = rest.removeprefix("/")
    if not slashes or scheme != "sqlite" or (rest and path == rest):
        raise StoreUnavailable(f"{url!r} is no database URL; write sqlite:///PATH")
    if not path or path == ":memory:":
        raise StoreUnavailable(f"{url!r} names no file; write sqlite:///PATH (or memory: for a store that forgets)")
    return os.path.abspath(path)


def connect(path: str, busy_timeout: float) -> sqlite3.Connection:
    """A connection in autocommit mode, durable as the module says; usable from one thread at a time."""
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LONGEST_PAGES}")
        connection.execute("PRAGMA cache_size = -32768")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class SqliteStore:
    """`Store` in a file. Make it with `open`."""

    def __init__(self, path: str, busy_timeout: float) -> None:
        """The schema must be right already; sqlite3.Error where the file cannot be opened."""
        self._path = path
        self._busy_timeout = busy_timeout
        self._statements = Statements(SQLITE)
        self._closed = False
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._glance: sqlite3.Connection | None = None
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        connection = self._connect()
        self._checkpoints = Checkpointer(lambda: connect(path, busy_timeout))
        self._writer = Writer(
            connection, self._statements, _Connection(connection), self._explain, self._checkpoints.committed
        )

    @classmethod
    def open(cls, url: str, *, migrate: bool = False, busy_timeout: float = 5.0) -> "SqliteStore":
        """See `open_store`."""
        path = sqlite_path(url)
        try:
            if not os.path.exists(path):
                if not migrate:
                    raise mismatch(None, migrations.head(), False, path)
                _create(path)
            with contextlib.closing(connect(path, busy_timeout)) as connection:
                version = _version(connection)
            if version != migrations.head():
                if not migrate:
                    raise mismatch(version, migrations.head(), migrations.knows(version), path)
                migrations.migrate_sqlite(path, busy_timeout)
            return cls(path, busy_timeout)
        except sqlite3.Error as error:
            raise sqlite_error(error, path, busy_timeout) from error

    async def write(self, work: Callable[[Tx], T]) -> T:
        self._check_open()
        result: T = await self._writer.submit(work)
        return result

    async def read(self, work: Callable[[Reading], T]) -> T:
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work, self._local_connection)

    def glance(self, work: Callable[[Reading], T]) -> T:
        """See `Glancing`."""
        self._check_open()
        return self._read(work, self._glance_connection)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._finish)

    def _finish(self) -> None:
        self._writer.stop()
        self._checkpoints.stop()
        self._readers.shutdown()
        for connection in self._connections:
            connection.close()

    def _read(self, work: Callable[[Reading], T], its_connection: Callable[[], sqlite3.Connection]) -> T:
        try:
            connection = its_connection()
            connection.execute("BEGIN")
            try:
                return run(work, SqlReading(self._statements, _Connection(connection)), sqlite3.Error)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise self._explain(error) from error
        except WorkRaised as raised:
            raise raised.error from None

    def _local_connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
        return connection

    def _glance_connection(self) -> sqlite3.Connection:
        if self._glance is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA busy_timeout = 0")
            self._glance = connection
        return self._glance

    def _connect(self) -> sqlite3.Connection:
        connection = connect(self._path, self._busy_timeout)
        self._connections.append(connection)
        return connection

    def _explain(self, error: sqlite3.Error) -> StoreError:
        return sqlite_error(error, self._path, self._busy_timeout)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(f"the store {self._path} was closed")


def _create(path: str) -> None:
    """An empty file that only we may read, for it will hold the secrets of switches. StoreUnavailable: not there."""
    try:
        Path(path).touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"cannot make the database {path}: {error.strerror}; its directory must exist and be ours to write"
        ) from error


def _version(connection: sqlite3.Connection) -> str | None:
    """The schema that the database says it has; None for an empty one."""
    tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'alembic_version'"
    if not connection.execute(tables).fetchone()[0]:
        return None
    row: Any = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])

"""The store in PostgreSQL, for more endpoints than one file serves and for more than one machine.

Works run beside each other at READ COMMITTED; those of a tenant that must not ask for `serialize`, and see whatever
the one before them committed. Reads have one snapshot (REPEATABLE READ, read only). A work that the database undid in
favour of another one is run again, a few times. Durable as the server is: its `synchronous_commit` must stay on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import asyncpg
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from radius_policy.store import migrations
from radius_policy.store.errors import CONFLICT_SQLSTATES, mismatch, postgresql_error
from radius_policy.store.interface import Reading, StoreUnavailable, Tx
from radius_policy.store.sql import Row, SqlReading, SqlTx, WorkRaised, run
from radius_policy.store.statements import POSTGRESQL, Statements

T = TypeVar("T")

_LOCKS: Final = 0x5054_5121_0000_0000
"""Our advisory locks begin here, so that other programs' in the same database are not ours."""

_MIGRATION_LOCK: Final = -2
_TRIES: Final = 5
_DRIVER_ERRORS: Final = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class _Connection:
    """`Runner` on SQLAlchemy's connection."""

    __slots__ = ("_execute",)

    def __init__(self, connection: Connection) -> None:
        self._execute = connection.exec_driver_sql

    def rows(self, sql: str, values: Row) -> Sequence[Row]:
        return self._execute(sql, tuple(values)).fetchall()

    def change(self, sql: str, values: Row) -> int:
        return self._execute(sql, tuple(values)).rowcount

    def change_many(self, sql: str, rows: Sequence[Row]) -> None:
        self._execute(sql, [tuple(row) for row in rows])

    def lock(self, number: int) -> None:
        self._execute("SELECT pg_advisory_xact_lock($1)", (_LOCKS + number,))


class PostgresqlStore:
    """`Store` in a PostgreSQL database. Make it with `open`, in the loop that uses it."""

    def __init__(self, engine: AsyncEngine, busy_timeout: float) -> None:
        self._engine = engine
        self._reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._busy_timeout = busy_timeout
        self._statements = Statements(POSTGRESQL)
        self._database = engine.url.set(drivername="postgresql").render_as_string(hide_password=True)
        self._closed = False
        self._running = 0
        self._idle = asyncio.Event()

    @classmethod
    async def open(cls, url: str, *, migrate: bool = False, busy_timeout: float = 5.0) -> "PostgresqlStore":
        """See `open_store`."""
        try:
            address = make_url(url).set(drivername="postgresql+asyncpg")
        except (ArgumentError, ValueError) as error:
            raise StoreUnavailable("this is no database URL; write postgresql://USER:PASSWORD@HOST/NAME") from error
        settings = {"application_name": "pratique", "lock_timeout": str(int(busy_timeout * 1000))}
        arguments = {"server_settings": settings, "timeout": 10, "prepared_statement_cache_size": 512}
        engine = create_async_engine(address, connect_args=arguments, pool_pre_ping=True)
        store = cls(engine, busy_timeout)
        try:
            await store._checked(lambda: store._check_schema(migrate))
        except BaseException:
            await store.close()
            raise
        return store

    async def write(self, work: Callable[[Tx], T]) -> T:
        def both(connection: Connection) -> T:
            tx = SqlTx(self._statements, _Connection(connection))
            result = run(work, tx, DBAPIError)
            tx.finish()
            return result

        async def once() -> T:
            async with self._engine.begin() as connection:
                return await connection.run_sync(both)

        return await self._checked(once)

    async def read(self, work: Callable[[Reading], T]) -> T:
        def view(connection: Connection) -> T:
            return run(work, SqlReading(self._statements, _Connection(connection)), DBAPIError)

        async def once() -> T:
            async with self._reading.connect() as connection:
                return await connection.run_sync(view)

        return await self._checked(once)

    async def close(self) -> None:
        self._closed = True
        while self._running:
            self._idle.clear()
            await self._idle.wait()
        await self._engine.dispose()

    async def _checked(self, once: Callable[[], Awaitable[T]]) -> T:
        """Run it, and say a driver's error as ours; what a work raises passes as it is."""
        if self._closed:
            raise StoreUnavailable(f"the store {self._database} was closed")
        self._running += 1
        try:
            return await self._tried(once)
        except WorkRaised as raised:
            raise raised.error from None
        except _DRIVER_ERRORS as error:
            raise postgresql_error(error, self._database, self._busy_timeout) from error
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    @staticmethod
    async def _tried(once: Callable[[], Awaitable[T]]) -> T:
        """Run it, again after a conflict."""
        for attempt in range(_TRIES - 1):
            try:
                return await once()
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in CONFLICT_SQLSTATES:
                    raise
            await asyncio.sleep(0.01 * 2**attempt)
        return await once()

    async def _check_schema(self, migrate: bool) -> None:
        async with self._engine.begin() as connection:
            version = await connection.run_sync(_version)
            if version != migrations.head():
                if not migrate:
                    raise mismatch(version, migrations.head(), migrations.knows(version), self._database)
                await connection.run_sync(_migrate)


def _version(connection: Connection) -> str | None:
    """The schema that the database says it has; None for an empty one."""
    if connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar() is None:
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found


def _migrate(connection: Connection) -> None:
    _Connection(connection).lock(_MIGRATION_LOCK)
    if _version(connection) != migrations.head():
        migrations.upgrade(connection)

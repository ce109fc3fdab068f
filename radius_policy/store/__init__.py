"""What the service remembers: one interface, kept in memory, in SQLite or in PostgreSQL.

`open_store` is the door. The rooms above see `interface.py` only; no SQL stands anywhere else. Each kind of store is
imported when it is asked for.
"""

from radius_policy.store.interface import Store, StoreUnavailable


async def open_store(url: str, *, migrate: bool = False, busy_timeout: float = 5.0) -> Store:
    """Open the database at `url` and check that its schema is this program's.

    `url`: `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://user:password@host/name` or `memory:`.
    `migrate` makes or migrates the schema where it is missing or old; without it that is an error.
    `busy_timeout` (seconds) is how long a transaction waits for another process's.

    Raises SchemaMismatch (of another release), StoreUnavailable (cannot be opened, or no such kind of database).
    """
    scheme = url.partition(":")[0].partition("+")[0]
    if scheme == "memory":
        from radius_policy.store.memory import MemoryStore

        return MemoryStore()
    if scheme == "sqlite":
        from radius_policy.store.sqlite import SqliteStore

        return SqliteStore.open(url, migrate=migrate, busy_timeout=busy_timeout)
    if scheme in ("postgresql", "postgres"):
        from radius_policy.store.postgresql import PostgresqlStore

        return await PostgresqlStore.open(url, migrate=migrate, busy_timeout=busy_timeout)
    raise StoreUnavailable(f"no database of the kind {scheme!r}: use sqlite:///PATH or postgresql://USER@HOST/NAME")

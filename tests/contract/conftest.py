"""The stores under contract, each empty: memory, SQLite, and a real PostgreSQL that only these tests have.

The PostgreSQL server runs as the ordinary user `postgres` in a directory of its own, on a UNIX socket and no port. Its
databases sort text by English rules (ICU), so that a store which relies on the server's collation is found out.
"""

import asyncio
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from radius_policy.store import open_store
from radius_policy.store.columns import METADATA
from radius_policy.store.interface import Store

_numbers = count(1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Path]:
    """The directory of a running server's socket."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    directory = Path(tempfile.mkdtemp(prefix="pratique-pg-"))
    shutil.chown(directory, "postgres", "postgres")
    as_postgres = {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": directory}
    data = directory / "data"
    initdb = [programs / "initdb", "-D", data, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run(
        [*initdb, "--locale-provider=icu", "--icu-locale=en-US"], check=True, stdout=subprocess.DEVNULL, **as_postgres
    )
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", directory, "-h", "", "-F"], stderr=log, **as_postgres
        )
    try:
        _wait_until_up(directory, server)
        yield directory
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
        shutil.rmtree(directory)


def _wait_until_up(directory: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            psycopg.connect(host=str(directory), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"PostgreSQL did not start:\n{(directory / 'log').read_text()}")


def _address(server: Path, name: str) -> str:
    return f"postgresql://postgres@/{name}?host={server}"


@contextmanager
def _database(server: Path) -> Iterator[str]:
    """The name of a new database, dropped afterwards."""
    name = f"pratique_{next(_numbers)}"
    with psycopg.connect(host=str(server), user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield name
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: Path) -> Iterator[str]:
    """The address of a database that has all tables, one for all tests."""
    with _database(postgresql_server) as name:

        async def migrate() -> None:
            await (await open_store(_address(postgresql_server, name), migrate=True)).close()

        asyncio.run(migrate())
        yield _address(postgresql_server, name)


@pytest.fixture
def empty_postgresql(postgresql_server: Path) -> Iterator[str]:
    """The address of a database without tables."""
    with _database(postgresql_server) as name:
        yield _address(postgresql_server, name)


@pytest.fixture
def postgresql(migrated_postgresql: str) -> str:
    """The address of a database with all tables, emptied for this test: much quicker than to make one."""
    with psycopg.connect(migrated_postgresql) as admin:
        for table in METADATA.tables:
            admin.execute(f'DELETE FROM "{table}"')
    return migrated_postgresql


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.peer("postgresql"))])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store of each kind can be opened."""
    if request.param == "memory":
        return "memory:"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/pratique.db"
    return str(request.getfixturevalue("postgresql"))


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    opened = await open_store(store_url, migrate=True)
    yield opened
    await opened.close()

"""Opening a database: made where it is missing, refused in words where it is not ours to use."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from radius_policy.model import Host, HostId, TenantId
from radius_policy.store import open_store
from radius_policy.store.columns import METADATA
from radius_policy.store.interface import SchemaMismatch, StoreBusy, StoreError, StoreUnavailable
from radius_policy.store.migrations import head

pytestmark = pytest.mark.anyio

REPOSITORY = Path(__file__).resolve().parents[2]
peer = pytest.mark.peer("postgresql")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=peer)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where nothing is yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/pratique.db"
    return str(request.getfixturevalue("empty_postgresql"))


def execute(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            connection.execute(statement)
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)


async def test_an_empty_database_is_made_only_when_asked_for(empty_url: str) -> None:
    with pytest.raises(SchemaMismatch, match=r"is empty.*pratique database migrate"):
        await open_store(empty_url)
    store = await open_store(empty_url, migrate=True)
    await store.write(lambda tx: tx.put(Host(TenantId(1), HostId("h"), "anna")))
    await store.close()
    store = await open_store(empty_url)
    assert await store.read(lambda tx: tx.count(Host)) == 1
    await store.close()


async def test_a_missing_file_is_not_made_by_looking_for_it(tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatch):
        await open_store(f"sqlite:///{tmp_path}/pratique.db")
    assert os.listdir(tmp_path) == []


async def test_a_database_of_a_newer_release_is_left_alone(empty_url: str) -> None:
    await (await open_store(empty_url, migrate=True)).close()
    execute(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    for migrate in (False, True):
        with pytest.raises(SchemaMismatch, match=r"9999.*newer release"):
            await open_store(empty_url, migrate=migrate)


async def test_a_table_that_is_missing_names_the_command(empty_url: str) -> None:
    store = await open_store(empty_url, migrate=True)
    execute(empty_url, "DROP TABLE hosts")
    with pytest.raises(SchemaMismatch, match="pratique database migrate"):
        await store.read(lambda tx: tx.count(Host))
    await store.close()


def opens_in_a_process_of_its_own(url: str) -> tuple[int, str]:
    program = (
        "import asyncio, sys\n"
        "from radius_policy.store import open_store\n"
        "async def main(): await (await open_store(sys.argv[1], migrate=True, busy_timeout=30)).close()\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, url]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


async def test_processes_that_start_together_make_one_schema(empty_url: str) -> None:
    together = (asyncio.to_thread(opens_in_a_process_of_its_own, empty_url) for _ in range(3))
    assert await asyncio.gather(*together) == [(0, "")] * 3
    store = await open_store(empty_url)
    assert await store.read(lambda tx: tx.count(Host)) == 0
    await store.close()


async def test_a_migrated_database_is_what_the_schema_says(empty_url: str) -> None:
    """Fails when a record was changed: run `python -m radius_policy.store.migrations`."""
    await (await open_store(empty_url, migrate=True)).close()
    engine = sa.create_engine(empty_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, METADATA)
    engine.dispose()
    assert differences == []


async def test_a_new_file_is_ready_soon(tmp_path: Path) -> None:
    await (await open_store(f"sqlite:///{tmp_path}/first.db", migrate=True)).close()  # the imports
    begun = time.process_time()
    store = await open_store(f"sqlite:///{tmp_path}/second.db", migrate=True)
    assert time.process_time() - begun < 0.3
    await store.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("oracle://x/y", "no database of the kind 'oracle'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("pratique.db", "no database of the kind"),
        ("sqlite:/x", "no database URL"),
        ("sqlite:////nowhere/at/all/pratique.db", "its directory must exist"),
        ("postgresql://postgres@127.0.0.1:1/none", "cannot be reached"),
        ("postgresql://host:port/name", "no database URL"),
    ],
)
async def test_a_url_that_leads_nowhere_is_explained(url: str, said: str) -> None:
    with pytest.raises(StoreUnavailable, match=said):
        await open_store(url, migrate=True)


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    letter = tmp_path / "pratique.db"
    letter.write_bytes(b"Dear Sirs, " * 1000)
    with pytest.raises(StoreUnavailable, match="no SQLite database"):
        await open_store(f"sqlite:///{letter}", migrate=True)
    assert letter.read_bytes() == b"Dear Sirs, " * 1000


async def test_a_directory_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot open"):
        await open_store(f"sqlite:///{tmp_path}", migrate=True)


async def test_a_database_that_is_locked_while_we_migrate_is_busy(tmp_path: Path) -> None:
    file = tmp_path / "pratique.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as shell:
        shell.execute("PRAGMA journal_mode = WAL")
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="another process"):
            await open_store(f"sqlite:///{file}", migrate=True, busy_timeout=0.1)


@peer
async def test_a_database_that_does_not_exist_is_explained(empty_postgresql: str) -> None:
    nowhere = empty_postgresql.replace("/pratique_", "/no_such_", 1)
    with pytest.raises(StoreUnavailable, match="does not let us in"):
        await open_store(nowhere, migrate=True)


@peer
async def test_a_lock_held_too_long_is_busy(postgresql: str) -> None:
    store = await open_store(postgresql, busy_timeout=0.2)
    with psycopg.connect(postgresql) as shell:
        shell.execute("LOCK TABLE hosts IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreBusy, match=r"0\.2 s"):
            await store.write(lambda tx: tx.put(Host(TenantId(1), HostId("h"), "anna")))
    await store.write(lambda tx: tx.put(Host(TenantId(1), HostId("h"), "anna")))
    await store.close()


@peer
async def test_a_server_that_was_restarted_is_used_again(postgresql: str) -> None:
    store = await open_store(postgresql)
    await store.read(lambda tx: tx.count(Host))
    with psycopg.connect(postgresql, autocommit=True) as shell:
        shell.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pratique'")
    assert await store.read(lambda tx: tx.count(Host)) == 0
    await store.close()


@peer
async def test_a_connection_that_dies_under_a_work_is_unavailable(postgresql: str) -> None:
    store = await open_store(postgresql)

    def cut_off(tx: object) -> None:
        with psycopg.connect(postgresql, autocommit=True) as shell:
            shell.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pratique'")
        tx.put(Host(TenantId(1), HostId("h"), "anna"))  # type: ignore[attr-defined]

    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        await store.write(cut_off)
    assert await store.read(lambda tx: tx.count(Host)) == 0
    await store.close()


@peer
async def test_two_works_that_lock_each_other_out_are_both_done(postgresql: str) -> None:
    store = await open_store(postgresql)
    hosts = [Host(TenantId(1), HostId(name), name) for name in ("a", "b")]
    await store.write(lambda tx: tx.put(*hosts))
    tries: list[str] = []

    def both(first: Host, second: Host) -> None:
        def work(tx: object) -> None:
            tries.append(first.name)
            tx.put(first)  # type: ignore[attr-defined]
            tx._runner.rows("SELECT pg_sleep(0.3)::text", ())  # type: ignore[attr-defined]
            tx.put(second)  # type: ignore[attr-defined]

        return store.write(work)  # type: ignore[return-value]

    await asyncio.gather(both(*hosts), both(*reversed(hosts)))  # type: ignore[func-returns-value]
    assert len(tries) == 3, "the server undid one of them, and it was run again"
    await store.close()


@peer
async def test_text_that_the_server_cannot_keep_is_refused_in_words(postgresql: str) -> None:
    store = await open_store(postgresql)
    with pytest.raises(StoreError, match="refused"):
        await store.write(lambda tx: tx.put(Host(TenantId(1), HostId("h"), "nul \x00")))
    await store.close()


def test_the_program_knows_its_own_schema() -> None:
    assert head().isdigit()

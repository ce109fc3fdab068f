"""What a SQLite store says it has, it has: after kill -9, on a full disk, and while somebody else holds the lock."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from radius_policy.model import Evidence, Execution, Host, HostId, TenantId
from radius_policy.store import open_store
from radius_policy.store.interface import Reading, StoreBusy, StoreError, StoreFull, Tx

pytestmark = pytest.mark.anyio

SITE = TenantId(1)
ANNA = HostId("host-anna")
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/pratique.db"


def program(text: str, *arguments: str, before: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*before, sys.executable, "-c", text, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )


WRITES_FOR_EVER = """
import asyncio, os, sys
from radius_policy.model import Evidence
from radius_policy.store import open_store

async def endpoint(store, name):
    for number in range(1_000_000):
        await store.write(lambda tx: (tx.add(Evidence(1, name, str(number), number)), tx.note(1, "host", f"{name} {number}")))
        os.write(1, f"{name} {number}\\n".encode())

async def main():
    store = await open_store(sys.argv[1], migrate=True)
    await asyncio.gather(*(endpoint(store, f"host-{number}") for number in range(5)))

asyncio.run(main())
"""


async def test_nothing_acknowledged_is_lost_by_kill_9(url: str) -> None:
    acknowledged: list[str] = []
    for wanted in (40, 150, 400):
        writer = program(WRITES_FOR_EVER.replace("range(1_000_000)", f"range({wanted * 1000}, 10**9)"), url)
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged.append(line.strip())
            if len(acknowledged) >= wanted:
                break
        writer.send_signal(signal.SIGKILL)
        rest, problems = writer.communicate(timeout=20)
        assert writer.returncode == -signal.SIGKILL, problems
        acknowledged += [line for line in rest.splitlines(keepends=False) if line]

    store = await open_store(url)
    stored = await store.read(lambda tx: {f"{one.host_id} {one.message_id}" for one in tx.find(Evidence)})
    told = await store.read(lambda tx: {change.key for change in tx.changes_since(0, limit=10**6)})
    await store.close()
    assert len(acknowledged) >= 400
    assert set(acknowledged) <= stored
    assert told == stored, "the change sequence and the records are of the same transactions"
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_commit_is_synced_to_the_disk_before_it_is_acknowledged(url: str) -> None:
    store = await open_store(url, migrate=True)
    asked = [("PRAGMA synchronous", 2), ("PRAGMA journal_mode", "wal")]
    for question, answer in asked:  # FULL: NORMAL would lose acknowledged commits at a power cut
        found = await store.write(lambda tx, question=question: tx._runner.rows(question, ()))  # type: ignore[attr-defined]
        assert found == [(answer,)]
    await store.close()


async def test_after_a_restart_all_goes_on_where_it_was(url: str) -> None:
    store = await open_store(url, migrate=True)
    generation = await store.write(lambda tx: tx.next_generation(SITE))
    await store.write(lambda tx: (tx.put(Host(SITE, ANNA, "anna")), tx.note(SITE, "host", ANNA)))
    last = await store.read(lambda tx: tx.last_change())
    await store.close()

    store = await open_store(url)
    assert await store.read(lambda tx: tx.get(Host, SITE, ANNA)) == Host(SITE, ANNA, "anna")
    assert await store.write(lambda tx: tx.next_generation(SITE)) == generation + 1
    await store.write(lambda tx: tx.note(SITE, "host", ANNA))
    assert await store.read(lambda tx: tx.last_change()) == last + 1
    await store.close()


FILLS_THE_DISK = """
import asyncio, os, resource, sys
from radius_policy.model import Evidence, Executable
from radius_policy.store import open_store
from radius_policy.store.interface import StoreFull

directory, limit = sys.argv[1], sys.argv[2]
ballast = os.path.join(directory, "ballast")

def narrow():
    if limit == "file size":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
    else:
        open(ballast, "wb").write(bytes(1_500_000))

def widen():
    if limit == "file size":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:
        os.unlink(ballast)

async def main():
    store = await open_store(f"sqlite:///{directory}/pratique.db", migrate=True)
    narrow()
    acknowledged, refused = [], []
    for group in range(200):
        numbers = range(group * 5, group * 5 + 5)
        works = [store.write(lambda tx, n=n: tx.put(Executable(1, str(n), name="x" * 4000))) for n in numbers]
        for number, answer in zip(numbers, await asyncio.gather(*works, return_exceptions=True)):
            if answer is None:
                acknowledged.append(str(number))
            elif isinstance(answer, StoreFull):
                refused.append(str(answer))
            else:
                raise answer
        if refused:
            break
    assert refused and "free some" in refused[0] and "pratique.db" in refused[0], refused
    found = await store.read(lambda tx: {one.sha256 for one in tx.find(Executable)})
    assert found == set(acknowledged), (found ^ set(acknowledged))
    widen()
    await store.write(lambda tx: tx.put(Executable(1, "afterwards")))
    await store.close()
    store = await open_store(f"sqlite:///{directory}/pratique.db")
    found = await store.read(lambda tx: {one.sha256 for one in tx.find(Executable)})
    assert found == {*acknowledged, "afterwards"}
    await store.close()
    print(len(acknowledged), "kept")

asyncio.run(main())
"""


def test_a_file_that_may_not_grow_is_a_full_disk_and_loses_nothing(tmp_path: Path) -> None:
    filled = program(FILLS_THE_DISK, str(tmp_path), "file size")
    said, problems = filled.communicate(timeout=60)
    assert filled.returncode == 0, problems
    assert said.endswith("kept\n")


@pytest.mark.peer("root")
def test_a_full_disk_refuses_in_words_and_loses_nothing(tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o size=5m none "$0" && exec "$@"'
    alone = ("unshare", "-m", "sh", "-c", mount, str(tmp_path))  # a mount that only this process sees
    filled = program(FILLS_THE_DISK, str(tmp_path), "disk", before=alone)
    said, problems = filled.communicate(timeout=60)
    assert filled.returncode == 0, problems
    assert said.endswith("kept\n")


async def test_a_database_held_by_another_process_is_busy_and_only_for_writers(url: str) -> None:
    store = await open_store(url, migrate=True, busy_timeout=0.3)
    await store.write(lambda tx: tx.put(Host(SITE, ANNA, "anna")))
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        works = [store.write(lambda tx: tx.put(Host(SITE, ANNA, "renamed"))) for _ in range(8)]
        answers = await asyncio.gather(*works, return_exceptions=True)
        assert all(isinstance(answer, StoreBusy) for answer in answers), answers
        assert "0.3 s" in str(answers[0])
        assert time.monotonic() - begun < 1.5, "those that wait together wait once"
        assert (await store.read(lambda tx: tx.find(Host)))[0].name == "anna"
        shell.execute("ROLLBACK")
    await store.write(lambda tx: tx.put(Host(SITE, ANNA, "renamed")))
    assert (await store.read(lambda tx: tx.find(Host)))[0].name == "renamed"
    await store.close()


async def test_a_writer_waits_for_another_process_that_ends_in_time(url: str) -> None:
    store = await open_store(url, migrate=True, busy_timeout=5)
    shell = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    shell.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.2, lambda: shell.execute("ROLLBACK"))
    timer.start()
    await store.write(lambda tx: tx.put(Host(SITE, ANNA, "anna")))
    timer.join()
    shell.close()
    await store.close()


async def test_a_reader_has_one_view_while_writers_go_on(url: str) -> None:
    store = await open_store(url, migrate=True)
    await store.write(lambda tx: tx.put(Host(SITE, ANNA, "before")))
    looked, written = threading.Event(), threading.Event()

    def look_twice(tx: Reading) -> list[str]:
        first = [host.name for host in tx.find(Host)]
        looked.set()
        assert written.wait(10)
        return first + [host.name for host in tx.find(Host)]

    reading = asyncio.ensure_future(store.read(look_twice))
    await asyncio.to_thread(looked.wait, 10)
    await store.write(lambda tx: tx.put(Host(SITE, ANNA, "after")))
    written.set()
    assert await reading == ["before", "before"]
    assert [host.name for host in await store.read(lambda tx: tx.find(Host))] == ["after"]
    await store.close()


async def test_a_read_cannot_write(url: str) -> None:
    store = await open_store(url, migrate=True)

    def cheat(tx: Reading) -> None:
        tx._runner.change("DELETE FROM hosts", ())  # type: ignore[attr-defined] - on purpose behind the interface

    with pytest.raises(StoreError, match="right to write"):
        await store.read(cheat)
    await store.close()


async def test_two_processes_share_one_database(url: str) -> None:
    here = await open_store(url, migrate=True)
    there = await open_store(url)

    def judge(tx: Tx, by: str, number: int) -> None:
        tx.serialize(SITE)
        seen = tx.count(Execution, tenant=SITE)
        tx.put(Execution(SITE, f"{by}-{number}", ANNA, None, "/x", seen, seen, seen))
        tx.note(SITE, "host", f"{by}-{number}")

    works = [
        store.write(lambda tx, by=by, n=n: judge(tx, by, n))
        for n in range(40)
        for store, by in ((here, "api"), (there, "radius"))
    ]
    await asyncio.gather(*works)
    pids = await here.read(lambda tx: [one.pid for one in tx.find(Execution, order="pid")])
    assert pids == list(range(80)), "every work saw all before it"
    assert len(await there.read(lambda tx: tx.changes_since(0))) == 80
    await here.close()
    await there.close()


async def test_an_asker_who_gave_up_does_not_disturb_the_others(url: str) -> None:
    store = await open_store(url, migrate=True)
    impatient = asyncio.ensure_future(store.write(lambda tx: time.sleep(0.1)))
    patient = asyncio.ensure_future(store.write(lambda tx: tx.put(Host(SITE, ANNA, "anna"))))
    await asyncio.sleep(0.01)
    impatient.cancel()
    await patient
    assert await store.read(lambda tx: tx.count(Host)) == 1
    await store.close()


async def test_one_work_too_large_for_the_disk_does_not_take_its_group_with_it(url: str) -> None:
    store = await open_store(url, migrate=True)
    pages = await store.read(lambda tx: tx._runner.rows("PRAGMA page_count", ())[0][0])  # type: ignore[attr-defined]
    await store.write(lambda tx: tx._runner.rows(f"PRAGMA max_page_count = {pages + 20}", ()))  # type: ignore[attr-defined]
    blocker = asyncio.ensure_future(store.write(lambda tx: time.sleep(0.05)))  # so that the rest is one group
    await asyncio.sleep(0.01)
    works = [
        store.write(lambda tx, n=n: tx.put(Host(SITE, HostId(f"h{n}"), "x" * (10**6 if n == 3 else 1))))
        for n in range(8)
    ]
    answers = await asyncio.gather(*works, return_exceptions=True)
    await blocker
    assert [type(answer) for answer in answers].count(StoreFull) == 1
    assert isinstance(answers[3], StoreFull)
    assert await store.read(lambda tx: tx.count(Host)) == 7
    await store.close()


async def test_the_file_is_for_our_eyes_only(tmp_path: Path, url: str) -> None:
    before = os.umask(0o022)
    try:
        store = await open_store(url, migrate=True)
        await store.write(lambda tx: tx.put(Host(SITE, ANNA, "anna")))
    finally:
        os.umask(before)
    modes = {entry.name: oct(entry.stat().st_mode & 0o077) for entry in os.scandir(tmp_path)}
    assert modes == {"pratique.db": "0o0", "pratique.db-wal": "0o0", "pratique.db-shm": "0o0"}
    await store.close()

"""The log of the database: carried over beside the commits, in a quiet moment, and never inside one."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from radius_policy.store.checkpoints import LONGEST_PAGES, Checkpointer
from radius_policy.store.sqlite import connect


def within(seconds: float, check: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


class Book:
    """A database with one table, its one writer, and a checkpointer beside it."""

    def __init__(self, path: Path, *, after: int = 3, quiet_s: float = 0.05, patience_s: float = 30.0) -> None:
        self.path = str(path)
        self.connection = connect(self.path, 0.1)
        self.connection.execute("CREATE TABLE lines (text TEXT)")
        self.checkpoints = Checkpointer(self._open, after=after, quiet_s=quiet_s, patience_s=patience_s)

    def _open(self) -> sqlite3.Connection:
        return connect(self.path, 0.1)

    def write(self, text: str) -> None:
        self.connection.execute("INSERT INTO lines VALUES (?)", (text,))
        self.checkpoints.committed()

    def in_its_file(self, text: str) -> bool:
        return text.encode() in Path(self.path).read_bytes()

    def close(self) -> None:
        self.checkpoints.stop()
        self.connection.close()


def test_a_few_commits_are_left_in_the_log(tmp_path: Path) -> None:
    with contextlib.closing(Book(tmp_path / "db", after=3, quiet_s=0.0)) as book:
        book.write("one")
        book.write("two")
        assert not within(0.1, lambda: book.checkpoints.done > 0)
        assert not book.in_its_file("two")
        assert "store-checkpoints" not in {thread.name for thread in threading.enumerate()}


def test_when_no_commit_comes_for_a_moment_all_of_it_is_carried_over(tmp_path: Path) -> None:
    with contextlib.closing(Book(tmp_path / "db")) as book:
        for number in range(4):
            book.write(f"line {number}")
        assert within(5, lambda: book.checkpoints.done == 1)
        assert book.in_its_file("line 3")


def test_while_commits_come_it_waits(tmp_path: Path) -> None:
    with contextlib.closing(Book(tmp_path / "db", quiet_s=3600.0, patience_s=3600.0)) as book:
        for number in range(10):
            book.write(f"line {number}")
        assert not within(0.2, lambda: book.checkpoints.done > 0)


def test_but_not_for_ever(tmp_path: Path) -> None:
    with contextlib.closing(Book(tmp_path / "db", quiet_s=3600.0, patience_s=0.05)) as book:
        for number in range(3):
            book.write(f"line {number}")
        assert within(5, lambda: book.checkpoints.done == 1)
        assert book.in_its_file("line 2")


def test_it_is_done_again_after_as_many_commits(tmp_path: Path) -> None:
    with contextlib.closing(Book(tmp_path / "db", after=2, quiet_s=0.0)) as book:
        for done in (1, 2, 3):
            book.write(f"a {done}")
            book.write(f"b {done}")
            assert within(5, lambda done=done: book.checkpoints.done == done)


def test_a_commit_carries_nothing_over_by_itself(tmp_path: Path) -> None:
    """SQLite's own limit is a backstop: 1,000 pages, its default, are written and stay in the log."""
    with contextlib.closing(Book(tmp_path / "db", after=10**9)) as book:
        (limit,) = book.connection.execute("PRAGMA wal_autocheckpoint").fetchone()
        assert limit == LONGEST_PAGES
        for _ in range(6):
            book.write("x" * 1_000_000)
        book.write("the last line")
        assert not book.in_its_file("the last line")


def test_what_a_reader_still_needs_stays_and_nobody_waits_for_it(tmp_path: Path) -> None:
    with contextlib.closing(Book(tmp_path / "db", after=1, quiet_s=0.0)) as book:
        with contextlib.closing(connect(book.path, 0.1)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM lines").fetchone() == (0,)
            book.write("one")
            assert within(5, lambda: book.checkpoints.done == 1)
            assert reader.execute("SELECT count(*) FROM lines").fetchone() == (0,)
            book.write("two")
        assert book.connection.execute("SELECT count(*) FROM lines").fetchone() == (2,)


def test_a_database_that_cannot_be_opened_is_told_and_the_writer_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    checkpoints = Checkpointer(refuse, after=1)
    checkpoints.committed()
    assert within(5, lambda: "unable to open" in caplog.text)
    checkpoints.committed()
    checkpoints.stop()


def test_a_disk_that_refuses_is_told_and_it_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Refusing(sqlite3.Connection):
        asked = 0

        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:  # type: ignore[override]
            if "wal_checkpoint" in sql:
                Refusing.asked += 1
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(sql)

    checkpoints = Checkpointer(
        lambda: sqlite3.connect(tmp_path / "db", check_same_thread=False, factory=Refusing), after=1, quiet_s=0.0
    )
    checkpoints.committed()
    assert within(5, lambda: Refusing.asked == 1)
    assert within(5, lambda: "disk I/O error" in caplog.text)
    checkpoints.committed()
    assert within(5, lambda: Refusing.asked == 2)
    assert checkpoints.done == 0
    checkpoints.stop()

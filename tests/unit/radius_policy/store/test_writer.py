"""The one writer: what waits together is committed together, and everybody gets their own answer."""

import asyncio
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radius_policy.store.errors import sqlite_error
from radius_policy.store.interface import StoreBusy, StoreError
from radius_policy.store.sqlite import connect
from radius_policy.store.statements import SQLITE, Statements
from radius_policy.store.writer import Writer

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Ledger:
    """A writer on a table of one column, and what it said to the database."""

    def __init__(self, path: Path) -> None:
        self.connection = connect(str(path), 0.1)
        self.connection.execute("CREATE TABLE IF NOT EXISTS lines (text TEXT UNIQUE)")
        self.said: list[str] = []
        self.connection.set_trace_callback(self.said.append)
        statements = Statements(SQLITE)
        self.writer = Writer(self.connection, statements, self, lambda error: sqlite_error(error, str(path), 0.1))

    def line(self, text: str) -> Any:
        return self.writer.submit(lambda tx: self.connection.execute("INSERT INTO lines VALUES (?)", (text,)).rowcount)

    def held(self, seconds: float = 0.1) -> Any:
        """A work during which the others gather."""
        return self.writer.submit(lambda tx: time.sleep(seconds))

    @property
    def lines(self) -> list[str]:
        return [row[0] for row in self.connection.execute("SELECT text FROM lines ORDER BY text")]

    @property
    def words(self) -> Counter[str]:
        return Counter(statement.split()[0] for statement in self.said)

    def rows(self, sql: str, values: Any) -> Any:
        return self.connection.execute(sql, values).fetchall()

    def change(self, sql: str, values: Any) -> int:
        return self.connection.execute(sql, values).rowcount

    def change_many(self, sql: str, rows: Any) -> None:
        self.connection.executemany(sql, rows)

    def lock(self, number: int) -> None:
        pass


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "ledger.db")
    yield made
    made.writer.stop()
    made.connection.close()


async def test_works_that_wait_together_share_one_commit(ledger: Ledger) -> None:
    held = ledger.held()
    await asyncio.sleep(0.01)
    works = [ledger.line(f"{number:02}") for number in range(30)]
    assert await asyncio.gather(*works) == [1] * 30
    await held
    assert ledger.words["COMMIT"] == 2
    assert ledger.words["SAVEPOINT"] == 30
    assert len(ledger.lines) == 30


async def test_a_work_alone_needs_no_savepoint(ledger: Ledger) -> None:
    await ledger.line("alone")
    assert [said.split()[0] for said in ledger.said] == ["BEGIN", "INSERT", "COMMIT"]


async def test_a_long_group_is_cut_so_that_the_first_is_answered_soon(ledger: Ledger) -> None:
    held = ledger.held()
    await asyncio.sleep(0.01)
    works = [ledger.held(0.03) for _ in range(4)]
    await asyncio.gather(held, *works)
    assert ledger.words["COMMIT"] == 5


async def test_the_order_of_works_is_the_order_in_which_they_came(ledger: Ledger) -> None:
    order: list[int] = []
    await asyncio.gather(*(ledger.writer.submit(lambda tx, n=n: order.append(n)) for n in range(200)))
    assert order == list(range(200))


async def test_one_that_the_database_refuses_is_undone_alone(ledger: Ledger) -> None:
    held = ledger.held()
    await asyncio.sleep(0.01)
    answers = await asyncio.gather(
        ledger.line("a"), ledger.line("b"), ledger.line("a"), ledger.line("c"), return_exceptions=True
    )
    await held
    assert [answers[0], answers[1], answers[3]] == [1, 1, 1]
    assert isinstance(answers[2], StoreError)
    assert isinstance(answers[2].__cause__, sqlite3.IntegrityError)
    assert ledger.lines == ["a", "b", "c"]


async def test_one_that_destroys_the_transaction_does_not_take_the_others_with_it(ledger: Ledger) -> None:
    held = ledger.held()
    await asyncio.sleep(0.01)
    destroyer = ledger.writer.submit(lambda tx: ledger.connection.execute("ROLLBACK"))
    answers = await asyncio.gather(
        ledger.line("a"), ledger.line("b"), destroyer, ledger.line("c"), return_exceptions=True
    )
    await held
    assert [answers[0], answers[1], answers[3]] == [1, 1, 1]
    assert isinstance(answers[2], StoreError)
    assert ledger.lines == ["a", "b", "c"]


async def test_a_commit_that_is_refused_is_told_to_all_and_the_writer_goes_on(ledger: Ledger, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers = await asyncio.gather(*(ledger.line(f"{number}") for number in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreBusy] * 5
    other.execute("ROLLBACK")
    other.close()
    assert await ledger.line("later") == 1
    assert ledger.lines == ["later"]


async def test_even_an_exit_within_a_work_leaves_the_writer_standing(ledger: Ledger) -> None:
    def leave(tx: object) -> None:
        raise SystemExit(3)

    outcome = ledger.writer.submit(leave)
    await asyncio.wait([outcome])
    assert isinstance(outcome.exception(), SystemExit)
    assert await ledger.line("still here") == 1


def test_a_loop_that_is_gone_is_counted_and_hurts_nobody(ledger: Ledger) -> None:
    begun, go = threading.Event(), threading.Event()

    async def ask_and_leave() -> None:
        def work(tx: object) -> None:
            begun.set()
            go.wait(10)

        ledger.writer.submit(work)
        await asyncio.to_thread(begun.wait, 10)

    asyncio.run(ask_and_leave())
    go.set()

    async def ask() -> int:
        return int(await ledger.line("next"))

    assert asyncio.run(ask()) == 1
    assert ledger.writer.lost_answers == 1


def test_stop_finishes_what_was_submitted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "other.db")

    async def submit() -> list[int]:
        works = [ledger.line(f"{number:03}") for number in range(150)]
        await asyncio.to_thread(ledger.writer.stop)
        return list(await asyncio.gather(*works))

    assert asyncio.run(submit()) == [1] * 150
    assert len(ledger.lines) == 150
    ledger.connection.close()

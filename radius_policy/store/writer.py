"""The one writer of a SQLite database: a thread that takes all works that wait into one commit.

A commit costs a write to the disk that everybody waits for, so works that wait together share it; each runs in a
savepoint of its own, so that one that raises is undone alone. A group ends after 20 ms of work, so that the commit of
the first is never far; the rest is the next group. Where the database itself fails a group (disk full, commit
refused), all is rolled back and each of its works runs again alone, so that everybody gets their own answer.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from radius_policy.store.interface import Tx
from radius_policy.store.sql import Runner, SqlTx, WorkRaised, run
from radius_policy.store.statements import Statements

_GROUP = 64
_GROUP_SECONDS = 0.02

_log = logging.getLogger(__name__)


class _Job(NamedTuple):
    work: Callable[[Tx], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class _Outcome(NamedTuple):
    job: _Job
    result: Any
    error: BaseException | None


class Writer:
    """`connection` is in autocommit mode and belongs to this thread until `stop`; `explain` makes a `StoreError` of a
    driver's error; `committed` is called after each commit. `lost_answers` counts outcomes whose asker's loop was gone."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        statements: Statements,
        runner: Runner,
        explain: Callable[[sqlite3.Error], Exception],
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._runner = runner
        self._explain = explain
        self._committed = committed
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._waiting: deque[_Job] = deque()
        self._stopping = False
        self.lost_answers = 0
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Tx], Any]) -> asyncio.Future[Any]:
        """Give it a work; the future is done when the work is durable, or undone."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._queue.put(_Job(work, loop, future))
        return future

    def stop(self) -> None:
        """Finish what was submitted; blocks until it is done."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while self._gather():
            self._answer(self._group())

    def _gather(self) -> bool:
        """Wait for work and take all there is. False when there is nothing left and nothing will come."""
        if not self._waiting:
            if self._stopping:
                return False
            self._take(self._queue.get())
        try:
            while len(self._waiting) < _GROUP:
                self._take(self._queue.get_nowait())
        except Empty:
            pass  # that was all for now
        return True

    def _take(self, job: _Job | None) -> None:
        if job is None:
            self._stopping = True
        else:
            self._waiting.append(job)

    def _group(self) -> list[_Outcome]:
        """Run the works that wait, up to the time limit, and commit them."""
        if len(self._waiting) < 2:
            return [self._alone(self._waiting.popleft())] if self._waiting else []
        jobs: list[_Job] = []
        outcomes: list[_Outcome] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            end = time.monotonic() + _GROUP_SECONDS
            while self._waiting and (not jobs or time.monotonic() < end):
                jobs.append(self._waiting.popleft())
                outcomes.append(self._saved(jobs[-1]))
            self._connection.execute("COMMIT")
            self._committed()
        except sqlite3.Error as error:
            self._roll_back()
            if not jobs:  # nobody can write now: waiting once more for each would only make it worse
                jobs, self._waiting = list(self._waiting), deque()
                return [self._refused(job, error) for job in jobs]
            _log.warning("a commit of %d works failed (%s); each runs again alone", len(jobs), error)
            return [self._alone(job) for job in jobs]
        return outcomes

    def _saved(self, job: _Job) -> _Outcome:
        """One work in a savepoint. sqlite3.Error: the whole transaction is gone or useless."""
        execute = self._connection.execute
        execute("SAVEPOINT work")
        outcome = self._worked(job)
        if outcome.error is not None:
            execute("ROLLBACK TO work")
        execute("RELEASE work")
        return outcome

    def _alone(self, job: _Job) -> _Outcome:
        """One work in a transaction of its own."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcome = self._worked(job)
            if outcome.error is None:
                self._connection.execute("COMMIT")
                self._committed()
        except sqlite3.Error as error:
            outcome = self._refused(job, error)
        self._roll_back()
        return outcome

    def _worked(self, job: _Job) -> _Outcome:
        try:
            tx = SqlTx(self._statements, self._runner)
            result = run(job.work, tx, sqlite3.Error)
            tx.finish()
        except sqlite3.Error as error:
            return self._refused(job, error)
        except WorkRaised as raised:
            return _Outcome(job, None, raised.error)
        except BaseException as error:  # SystemExit and the like belong to whoever asked, and the writer goes on
            return _Outcome(job, None, error)
        return _Outcome(job, result, None)

    def _refused(self, job: _Job, error: sqlite3.Error) -> _Outcome:
        explained = self._explain(error)
        explained.__cause__ = error
        return _Outcome(job, None, explained)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:  # the next BEGIN says so to whoever asks then
                _log.error("the database did not roll back: %s", error)

    def _answer(self, outcomes: list[_Outcome]) -> None:
        """Wake each loop once for all its outcomes."""
        by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = defaultdict(list)
        for outcome in outcomes:
            by_loop[outcome.job.loop].append(outcome)
        for loop, its in by_loop.items():
            try:
                loop.call_soon_threadsafe(_deliver, its)
            except RuntimeError:
                self.lost_answers += len(its)
                _log.warning("%d works are done, but the loop that asked is closed", len(its))


def _deliver(outcomes: list[_Outcome]) -> None:
    for job, result, error in outcomes:
        if job.future.done():
            continue  # cancelled by its asker; the work is done all the same
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)

"""What SQLite has written ahead is carried over into the database's file in a quiet moment, beside the commits.

SQLite itself would do it inside the commit that fills the log: that commit then takes 20 ms instead of 2, and whoever
waits for it waits with it. Here a thread of its own does it, once some commits were made and none came for a moment, or
after some seconds where there is no such moment. Nothing depends on it but the length of the log: a commit is durable
before, and where this thread cannot keep up SQLite still does it at `LONGEST_PAGES` by itself.
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Final

LONGEST_PAGES: Final = 16_384
"""For `PRAGMA wal_autocheckpoint`: 64 MiB of 4 KiB pages."""
AFTER: Final = 64
"""Commits of one process before it is worth the writing."""
QUIET_S: Final = 0.05
PATIENCE_S: Final = 5.0

_log = logging.getLogger(__name__)


class Checkpointer:
    """`connect` opens a connection for the thread, which is started when it is first needed. `done` counts checkpoints."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        *,
        after: int = AFTER,
        quiet_s: float = QUIET_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.done = 0
        self._connect = connect
        self._after = after
        self._quiet_s = quiet_s
        self._patience_s = patience_s
        self._commits = 0
        self._last = 0.0
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def committed(self) -> None:
        """A transaction was committed. Called by the writer's thread alone."""
        self._commits += 1
        self._last = time.monotonic()
        if self._commits < self._after or self._due.is_set():
            return
        self._due.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="store-checkpoints", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:  # no more threads: the commit is done all the same
                self._thread = None
                _log.warning("the database's log is not carried over beside the commits: %s", error)

    def stop(self) -> None:
        """Begin no other one; blocks until the present one is done."""
        self._stopping.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            with contextlib.closing(self._connect()) as connection:
                while True:
                    self._due.wait()
                    self._wait_for_quiet()
                    if self._stopping.is_set():
                        return
                    self._commits = 0
                    self._due.clear()
                    self._carry_over(connection)
        except sqlite3.Error as error:
            _log.warning("the database's log is not carried over beside the commits: %s", error)

    def _wait_for_quiet(self) -> None:
        end = time.monotonic() + self._patience_s
        while (now := time.monotonic()) < end:
            quiet_at = self._last + self._quiet_s
            if now >= quiet_at or self._stopping.wait(min(quiet_at, end) - now):
                return

    def _carry_over(self, connection: sqlite3.Connection) -> None:
        """As much as no reader still needs in the log; it never makes a writer wait, and another process may be at it."""
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self.done += 1
        except sqlite3.Error as error:  # a full disk, say: the commits tell it too, and the next time it is tried again
            _log.warning("the database's log could not be carried over into its file: %s", error)

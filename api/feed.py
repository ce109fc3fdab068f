"""The change sequence, looked at by one task for everybody in this process who keeps something in memory.

Guarantees: every change after `run` began reaches every listener once and in order, whichever process made it: `wake`
makes it look in a moment (`BEHIND_S`), and a slow poll stands behind it. A store that cannot be read is reported once until it can be
again, and nothing is skipped meanwhile. Listeners are plain functions and must be quick.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from api.logs import logger
from radius_policy.store.interface import Change, Store, StoreError

POLL_S: Final = 0.25
BEHIND_S: Final = 0.01
"""After a ring, so long the move that was decided has the processors and the disk for itself."""
_BATCH: Final = 1000

Listener = Callable[[list[Change]], None]


class Feed:
    """One reader of the change sequence."""

    def __init__(self, store: Store, poll_s: float = POLL_S) -> None:
        self._store = store
        self._poll_s = poll_s
        self._listeners: list[Listener] = []
        self._awake = asyncio.Event()
        self._sequence = 0
        self._failing = False

    def listen(self, listener: Listener) -> None:
        """Call `listener` with each batch of changes, in the event loop."""
        self._listeners.append(listener)

    def wake(self) -> None:
        """Something was written: look now."""
        self._awake.set()

    async def start(self) -> None:
        """Take the present end of the sequence: what is cached from now on is told when it changes."""
        self._sequence = await self._store.read(lambda tx: tx.last_change())

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):  # the poll behind the bell
                await asyncio.wait_for(self._awake.wait(), self._poll_s)
                await asyncio.sleep(BEHIND_S)
            self._awake.clear()
            try:
                await self.look()
                self._failing = False
            except StoreError as error:
                if not self._failing:
                    logger(__name__).error("changes_unreadable", error=str(error))
                self._failing = True

    async def look(self) -> None:
        """Hand out what is new."""
        while True:
            since = self._sequence
            changes = await self._store.read(lambda tx: tx.changes_since(since, _BATCH))  # noqa: B023 - awaited here
            if not changes:
                return
            self._sequence = changes[-1].sequence
            for listener in self._listeners:
                listener(changes)
            if len(changes) < _BATCH:
                return

"""The RADIUS process follows the store: what the API decided becomes what RADIUS answers, then the orders go out.

Guarantees, in this order for each look at the change sequence: the snapshot in memory answers what was decided, its file
does too (a process killed now still answers it after its restart), cached answers of the MACs concerned are gone, and
only then the orders that came with it may go out.

A few changes are looked at in the loop itself: asking a thread costs more than the look. So that authentication does not
wait for a slow disk, looks are left to a thread for a while after one that took too long: a thousand times as long, at most
a minute, so that the loop waits for a thousandth of the time.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import structlog

from api.radius_process.desk import Desk
from api.radius_process.files import Files
from radius_policy.enforcement.network_facts import Loaded
from radius_policy.model import TenantId
from radius_policy.radius.server import RadiusServer
from radius_policy.radius.snapshot import Delta, look, look_at_all
from radius_policy.store.interface import Glancing, Reading, Store, StoreError

FEW: Final = 16
"""So many changes are looked at in the loop."""
TOO_LONG_S: Final = 0.005
LEFT_TO_A_THREAD: Final = 1000
MOST_LEFT_S: Final = 60.0

Found = tuple[Delta, list[Loaded]]


class Follower:
    """`run` has `look` run unless it does. `fresh` says whether the store was seen since the start, `slow` how many looks
    in the loop took too long."""

    def __init__(
        self,
        server: RadiusServer,
        files: Files,
        desk: Desk,
        tenants: Iterable[TenantId],
        *,
        run: Callable[[], None],
        on_trouble: Callable[[StoreError], None],
        warn: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fresh = False
        self.looks = self.slow = 0
        self._store: Store | None = None
        self._glancing: Glancing | None = None
        self._not_before = 0.0
        self._monotonic = monotonic
        self._looking = False
        self._snapshot = server.snapshot
        self._server = server
        self._files = files
        self._desk = desk
        self._tenants = frozenset(tenants)
        self._run = run
        self._on_trouble = on_trouble
        self._warn = warn
        self._wanted = False

    def open(self, store: Store) -> None:
        """There is a store from now on."""
        self._store = store
        self._glancing = store if isinstance(store, Glancing) else None

    def begin(self) -> None:
        """Look at the change sequence: at once where that is possible, else as soon as the present look is done."""
        self._wanted = True
        if self._store is not None and not self._glance():
            self._run()

    async def look(self) -> None:
        """Look until nothing is left to see."""
        self._looking = True
        try:
            while self._wanted and self._store is not None:
                self._wanted = False
                since = self._snapshot.sequence if self.fresh else None
                try:
                    found = await self._store.read(partial(self._read, since=since))
                except StoreError as error:
                    self._on_trouble(error)
                    return
                self._arrived(found)
        finally:
            self._looking = False

    def _glance(self) -> bool:
        """Look in the loop. Whether there is nothing left for a thread."""
        began = self._monotonic()
        if self._glancing is None or not self.fresh or self._looking or began < self._not_before:
            return False
        try:
            found = self._glancing.glance(partial(self._read_few, since=self._snapshot.sequence))
        except StoreError:  # a thread may wait; if it meets the same, it tells
            return False
        ended = self._monotonic()
        if ended - began > TOO_LONG_S:
            self.slow += 1
            self._not_before = ended + min(MOST_LEFT_S, LEFT_TO_A_THREAD * (ended - began))
        if found is not None:
            self._wanted = False
            self._arrived(found)
        return not self._wanted and found is not None

    def _arrived(self, found: Found) -> None:
        delta, loaded = found
        self.looks += 1
        self._take(delta)
        self._wanted = self._wanted or delta.more
        if self.fresh:
            self._desk.loaded(loaded)
        else:
            self.fresh = True
            self._desk.restarted(loaded)
            structlog.get_logger("radius").info(
                "answering from the store", macs=len(self._snapshot), switches=self._snapshot.switches
            )

    def _take(self, delta: Delta) -> None:
        applied = self._snapshot.apply(delta)
        self._files.keep(delta)
        for complaint in applied.complaints:
            self._warn(complaint)
        for tenant, mac in applied.macs:
            self._server.forget(tenant, mac)

    def _read(self, reading: Reading, since: int | None) -> Found:
        """What changed after `since`; everything at start, and when the database was restored to an older state."""
        found = None if since is None else self._read_changes(reading, since, 1000)
        return found or (look_at_all(reading, self._tenants), self._desk.read_open(reading, self._tenants))

    def _read_few(self, reading: Reading, since: int) -> Found | None:
        return self._read_changes(reading, since, FEW)

    def _read_changes(self, reading: Reading, since: int, limit: int) -> Found | None:
        """Some of what changed, None where the database was restored."""
        delta = look(reading, since, limit=limit)
        if delta.sequence == since and reading.last_change() < since:
            return None
        return delta, self._desk.read(reading, delta.keys)

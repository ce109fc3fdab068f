"""The RADIUS process follows the store: what the API decided becomes what RADIUS answers, then the orders go out.

Guarantees, in this order for each look at the change sequence: the snapshot in memory answers what was decided, its file
does too (a process killed now still answers it after its restart), cached answers of the MACs concerned are gone, and
only then the orders that came with it may go out.
"""

from collections.abc import Callable, Iterable
from functools import partial

import structlog

from api.radius_desk import Desk
from api.radius_files import Files
from radius_policy.model import TenantId
from radius_policy.network_facts import Loaded
from radius_policy.radius.server import RadiusServer
from radius_policy.snapshot import Delta, look, look_at_all
from radius_policy.store.interface import Reading, Store, StoreError


class Follower:
    """`run` has `look` run unless it does. `fresh` says whether the store was seen since the start."""

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
    ) -> None:
        self.store: Store | None = None
        self.fresh = False
        self.looks = 0
        self._snapshot = server.snapshot
        self._server = server
        self._files = files
        self._desk = desk
        self._tenants = frozenset(tenants)
        self._run = run
        self._on_trouble = on_trouble
        self._warn = warn
        self._wanted = False

    def begin(self) -> None:
        """Look at the change sequence as soon as the present look is done."""
        self._wanted = True
        if self.store is not None:
            self._run()

    async def look(self) -> None:
        """Look until nothing is left to see."""
        while self._wanted and self.store is not None:
            self._wanted = False
            self.looks += 1
            since = self._snapshot.sequence if self.fresh else None
            try:
                delta, loaded = await self.store.read(partial(self._read, since=since))
            except StoreError as error:
                self._on_trouble(error)
                return
            self._take(delta)
            if self.fresh:
                self._desk.loaded(loaded)
            else:
                self.fresh = True
                self._desk.restarted(loaded)
                structlog.get_logger("radius").info(
                    "answering from the store", macs=len(self._snapshot), switches=self._snapshot.switches
                )
            self._wanted = self._wanted or delta.more

    def _take(self, delta: Delta) -> None:
        applied = self._snapshot.apply(delta)
        self._files.keep(delta)
        for complaint in applied.complaints:
            self._warn(complaint)
        for tenant, mac in applied.macs:
            self._server.forget(tenant, mac)

    def _read(self, reading: Reading, since: int | None) -> tuple[Delta, list[Loaded]]:
        """What changed after `since`; everything at start, and when the database was restored to an older state."""
        if since is not None:
            delta = look(reading, since)
            if delta.sequence > since or reading.last_change() >= since:
                return delta, self._desk.read(reading, delta.keys)
        return look_at_all(reading, self._tenants), self._desk.read_open(reading, self._tenants)

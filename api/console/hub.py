"""The event streams of this process: they say *that* something changed, the page is then fetched again.

Guarantees: one listener for all watchers; a burst of changes is told once per `QUIET_S`; a stream ends after `LIFE_S`
or when its watcher is gone (the browser asks again by itself), and is then forgotten.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from api.feed import Feed
from radius_policy.model import TenantId
from radius_policy.store.interface import Change

QUIET_S = 0.4
PING_S = 15.0
LIFE_S = 600.0
MOST = 200
"""Open streams at a time; more are told to come back later."""


@dataclass(slots=True, eq=False)
class _Watcher:
    tenant: TenantId
    kinds: set[str] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """All open streams of this process."""

    def __init__(self, feed: Feed) -> None:
        self._watchers: set[_Watcher] = set()
        self._closed = False
        feed.listen(self.heard)

    def heard(self, changes: list[Change]) -> None:
        """Wake the watchers of the tenants that changed."""
        for watcher in self._watchers:
            kinds = {change.kind for change in changes if change.tenant == watcher.tenant}
            if kinds:
                watcher.kinds |= kinds
                watcher.changed.set()

    def close(self) -> None:
        """End all streams: the service is stopping, and must not wait for open pages."""
        self._closed = True
        for watcher in self._watchers:
            watcher.changed.set()

    @property
    def full(self) -> bool:
        return self._closed or len(self._watchers) >= MOST

    async def stream(self, tenant: TenantId, still_there: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
        """Lines of `text/event-stream` (WHATWG HTML 9.2)."""
        watcher = _Watcher(tenant)
        self._watchers.add(watcher)
        loop = asyncio.get_running_loop()
        end = loop.time() + LIFE_S
        try:
            yield "retry: 2000\nevent: hello\ndata: live\n\n"
            while loop.time() < end:
                try:
                    async with asyncio.timeout(PING_S):
                        await watcher.changed.wait()
                except TimeoutError:
                    if not await still_there():
                        return
                    yield ": still here\n\n"
                    continue
                if self._closed:
                    return
                await asyncio.sleep(QUIET_S)
                kinds = " ".join(sorted(watcher.kinds))
                watcher.kinds.clear()
                watcher.changed.clear()
                yield f"event: change\ndata: {kinds}\n\n"
        finally:
            self._watchers.discard(watcher)

"""Retransmitted requests get the same octets again, and policy is not asked twice (RFC 5080 2.2.2).

A request is the same when it comes from the same source to the same listener with the same identifier *and* the
same Request Authenticator. A different authenticator there is a new request and takes the old one's place. While
the first is still being worked on (accounting that is being stored), its retransmissions are dropped.

`forget_mac` makes a new generation take effect at once: without it a retransmitted Access-Request would be given
the answer of before. Only verified requests may be shown to this cache; the caller sees to that.
"""

from enum import Enum
from typing import Any, Literal

from cachetools import TTLCache

from radius_policy.model import SECOND, Mac, Micros, TenantId

LIFE_US = 30 * SECOND
"""RFC 5080 2.2.2 allows 5 to 30 s."""

Key = tuple[str, str, int, int]
"""Listener, source address, source port, identifier."""
Who = tuple[TenantId, Mac]


class Standing(Enum):
    """What is known of a request that has no answer yet: never seen, or being worked on."""

    NEW = "new"
    IN_WORK = "in_work"


class _Entries(TTLCache[Key, tuple[bytes, bytes | None, Who | None]]):
    """The cache with an index by MAC that follows it."""

    def __init__(self, most: int, clock: Any) -> None:
        super().__init__(maxsize=most, ttl=LIFE_US, timer=clock)
        self.by_mac: dict[Who, set[Key]] = {}

    def expire(self, time: Any = None) -> Any:
        gone = super().expire(time)
        for key, entry in gone:
            self.unlink(key, entry)
        return gone

    def popitem(self) -> Any:
        key, entry = super().popitem()
        self.unlink(key, entry)
        return key, entry

    def unlink(self, key: Key, entry: tuple[bytes, bytes | None, Who | None]) -> None:
        who = entry[2]
        keys = self.by_mac.get(who) if who is not None else None
        if who is None or keys is None:
            return
        keys.discard(key)
        if not keys:
            del self.by_mac[who]


class Duplicates:
    """At most `most` requests of the last 30 s. `now` is always given, in microseconds."""

    def __init__(self, most: int = 65_536) -> None:
        self._now: Micros = 0
        self._entries = _Entries(most, lambda: self._now)

    def __len__(self) -> int:
        return len(self._entries)

    def look(self, key: Key, authenticator: bytes, now: Micros) -> bytes | Literal[Standing.NEW, Standing.IN_WORK]:
        """The octets to send again, or whether the request is new or still in work."""
        self._now = now
        entry = self._entries.get(key)
        if entry is None or entry[0] != authenticator:
            return Standing.NEW
        return Standing.IN_WORK if entry[1] is None else entry[1]

    def keep(self, key: Key, authenticator: bytes, answer: bytes | None, who: Who | None, now: Micros) -> None:
        """Remember a request with its answer, or with None while there is none yet."""
        self._now = now
        old = self._entries.get(key)
        if old is not None:
            self._entries.unlink(key, old)
        self._entries[key] = (authenticator, answer, who)
        if who is not None:
            self._entries.by_mac.setdefault(who, set()).add(key)

    def forget(self, key: Key, authenticator: bytes) -> None:
        """Its work failed: the retransmission is new work."""
        entry = self._entries.get(key)
        if entry is not None and entry[0] == authenticator:
            self._entries.unlink(key, self._entries.pop(key))

    def forget_mac(self, tenant: TenantId, mac: Mac) -> int:
        """Drop what was answered for a MAC, because it has a new generation. How many answers were dropped."""
        keys = self._entries.by_mac.pop((tenant, mac), set())
        for key in keys:
            self._entries.pop(key, None)
        return len(keys)

"""Slows guessing: failed logins are counted by name and address, and too many are refused for a while.

Guarantees: bounded memory; a stranger who fails often from one address cannot lock a person out who logs in from
another one (until `PER_NAME` failures, when guessing from many addresses is the likelier story). A success forgets
the name's failures from that address. `now` is passed in; nothing sleeps.
"""

from collections import OrderedDict
from typing import Final

from radius_policy.model import SECOND, Micros

WINDOW: Final = 15 * 60 * SECOND
PER_PAIR: Final = 5
PER_ADDRESS: Final = 20
PER_NAME: Final = 100
CAPACITY: Final = 10_000

_Key = tuple[str, str]


class Throttle:
    """Failures per key within the window, newest keys kept."""

    def __init__(self) -> None:
        self._failures: OrderedDict[_Key, list[Micros]] = OrderedDict()

    def wait(self, name: str, address: str, now: Micros) -> int:
        """Seconds until the next attempt is let through; 0 = now."""
        left = 0
        for key, limit in self._keys(name, address):
            recent = self._recent(key, now)
            if len(recent) >= limit:
                left = max(left, recent[-limit] + WINDOW - now)
        return -(-left // SECOND)

    def failed(self, name: str, address: str, now: Micros) -> None:
        """Count one failure."""
        for key, limit in self._keys(name, address):
            recent = [*self._recent(key, now), now]
            self._failures[key] = recent[-limit:]
            self._failures.move_to_end(key)
        while len(self._failures) > CAPACITY:
            self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of this name from this address."""
        self._failures.pop((name, address), None)

    @staticmethod
    def _keys(name: str, address: str) -> tuple[tuple[_Key, int], ...]:
        if not name:  # not about a person: an enrolment
            return ((("", address), PER_ADDRESS),)
        return (((name, address), PER_PAIR), (("", address), PER_ADDRESS), ((name, ""), PER_NAME))

    def _recent(self, key: _Key, now: Micros) -> list[Micros]:
        return [at for at in self._failures.get(key, ()) if at > now - WINDOW]

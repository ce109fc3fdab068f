"""Refused evidence is told: a counter with its reason each time, and an event that cannot flood.

Guarantees: at most one event per (host, reason) in `QUIET`, and at most `MOST` events of all kinds in it; further ones are
counted and the next event says how many there were. A refusal never touches anybody's posture. The host named is the
one the sender *claimed*, so the event says "somebody in the name of".
"""

import uuid
from collections import OrderedDict
from typing import Final

from radius_policy.model import SECOND, Event, EventKind, Host, HostId, Micros, Severity, TenantId
from radius_policy.store.interface import Tx

QUIET: Final = 10 * 60 * SECOND
MOST: Final = 60
CAPACITY: Final = 10_000


class Refusals:
    """Decides which refusals become events."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], tuple[Micros, int]] = OrderedDict()
        self._window: Micros = 0
        self._events = 0

    def note(self, host_id: str, reason: str, now: Micros) -> int | None:
        """How many refusals the event stands for that should be told now; None = tell none."""
        key = (host_id, reason)
        told, more = self._seen.get(key, (None, 0))
        if now - self._window >= QUIET:
            self._window, self._events = now, 0
        if (told is not None and now - told < QUIET) or self._events >= MOST:
            self._keep(key, (told if told is not None else now - QUIET, more + 1))
            return None
        self._events += 1
        self._keep(key, (now, 0))
        return more + 1

    def _keep(self, key: tuple[str, str], value: tuple[Micros, int]) -> None:
        self._seen[key] = value
        self._seen.move_to_end(key)
        while len(self._seen) > CAPACITY:
            self._seen.popitem(last=False)


def tell(
    tx: Tx, tenant: TenantId, host_id: str, reason: str, detail: str, address: str, count: int, now: Micros
) -> None:
    """Store the event."""
    host = tx.get(Host, tenant, HostId(host_id)) if host_id else None
    name = host.name if host else (host_id or "an unknown endpoint")
    times = f" ({count} times)" if count > 1 else ""
    event = Event(
        tenant,
        uuid.uuid4().hex,
        now,
        EventKind.EVIDENCE_REFUSED,
        Severity.WARNING,
        f"refused-{host_id}",
        f"Evidence in the name of {name} from {address} was refused{times}: {detail}",
        host_id=host.host_id if host else HostId(""),
        site=host.site if host else "",
        facts={"reason": reason, "address": address, "count": count, "claimed": host_id},
    )
    tx.put(event)
    tx.note(tenant, "event", event.id)

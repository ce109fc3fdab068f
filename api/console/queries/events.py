"""The event stream: what happened, when, where, and how the people were told."""

from collections.abc import Collection
from dataclasses import dataclass

from api import words
from api.console.queries.common import hosts_by_id
from radius_policy.model import Event, EventKind, Micros, Severity, TenantId
from radius_policy.store.interface import Reading

PAGE = 60


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event. `tone` follows its severity, and good news is good."""

    at: Micros
    kind: str
    title: str
    text: str
    tone: str
    host_id: str = ""
    host: str = ""
    sha256: str = ""
    site: str = ""


_GOOD = frozenset({EventKind.MOVE_CONFIRMED, EventKind.RELEASED, EventKind.AGENT_BACK, EventKind.CHANNEL_BACK})
_TONE = {Severity.INFO: "quiet", Severity.WARNING: "warn", Severity.URGENT: "bad"}


def event_lines(
    reading: Reading,
    tenant: TenantId,
    *,
    limit: int = PAGE,
    before: Micros | None = None,
    sites: Collection[str] = (),
    kind: str = "",
    host_id: str = "",
    sha256: str = "",
) -> list[EventLine]:
    """The newest events, before a moment where one is given. Events without a site are shown to everybody."""
    equals = {name: value for name, value in (("kind", kind), ("host_id", host_id), ("sha256", sha256)) if value}
    if sites:
        equals["site"] = [*sites, ""]  # type: ignore[assignment]
    events = reading.find(Event, tenant=tenant, order="at", descending=True, limit=limit, before=before, **equals)
    hosts = hosts_by_id(reading, tenant, [event.host_id for event in events if event.host_id])
    return [
        EventLine(
            at=event.at,
            kind=str(event.kind),
            title=words.event_title(event.kind),
            text=words.visible(event.text, 1000),
            tone="good" if event.kind in _GOOD else _TONE[Severity(event.severity)],
            host_id=event.host_id,
            host=words.visible(hosts[event.host_id].name) if event.host_id in hosts else "",
            sha256=event.sha256,
            site=words.visible(event.site),
        )
        for event in events
    ]

"""What people are told: events, and the messages, reminders and scripts that carry them."""

from dataclasses import dataclass, field
from enum import StrEnum

from radius_policy.model.words import NO_HOST, HostId, Micros, Severity, TenantId


class EventKind(StrEnum):
    """What an event is about: the words that routes, scripts and SIEMs match on (docs/reference/events)."""

    UNKNOWN_RAN = "unknown_ran"
    DENIED_RAN = "denied_ran"
    DENIED_REFUSED = "denied_refused"
    UNJUDGEABLE = "unjudgeable"
    HELD = "held"
    GRACED = "graced"
    GRACE_ENDING = "grace_ending"
    GRACE_ENDED = "grace_ended"
    LATE_UNKNOWN = "late_unknown"
    LATE_DENIED = "late_denied"
    BREAKER_TRIPPED = "breaker_tripped"
    TRIP_UNANSWERED = "trip_unanswered"
    TIED = "tied"
    PROTECTED = "protected"
    MOVED = "moved"
    RELEASED = "released"
    CLEARED = "cleared"
    MOVE_CONFIRMED = "move_confirmed"
    MOVE_NOT_CONFIRMED = "move_not_confirmed"
    MOVE_FAILED = "move_failed"
    HOST_ENROLLED = "host_enrolled"
    AGENT_SILENT = "agent_silent"
    AGENT_BACK = "agent_back"
    EVIDENCE_REFUSED = "evidence_refused"
    ORDER_REFUSED = "order_refused"
    ALLOWED = "allowed"
    DENIED = "denied"
    PAUSED = "paused"
    RESUMED = "resumed"
    CHANNEL_FAILED = "channel_failed"
    CHANNEL_BACK = "channel_back"
    SCRIPT_FAILED = "script_failed"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that people are told: stored in the deciding transaction, delivered by the alert worker.

    `kind` is one of the words of docs/reference/events; `facts` is plain JSON data for templates, scripts, SIEMs.
    `topic` groups events into one conversation (usually the hash).
    """

    tenant: TenantId
    id: str
    at: Micros
    kind: str
    severity: Severity
    topic: str
    text: str
    host_id: HostId = NO_HOST
    sha256: str = ""
    site: str = ""
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one channel: the outbox row. `state` is `waiting`, `sent` or `given_up`.

    `event_id` is the event that opened it; those that joined it are `Joined` rows. `route`, `topic` and `kind` say
    which conversation it belongs to, `number` its place there, `opened` when the present run of messages began.
    `chain` are the route's channels in order, `failed` what those before said. `id` never changes: a message that is
    sent again after a crash carries the same Message-ID.
    """

    tenant: TenantId
    id: str
    event_id: str
    channel: str
    state: str
    created: Micros
    not_before: Micros
    tries: int = 0
    sent: Micros | None = None
    error: str = ""
    route: str = ""
    topic: str = ""
    kind: str = ""
    number: int = 1
    opened: Micros = 0
    chain: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """One event in one message of the outbox; `position` is its place there, from 0."""

    tenant: TenantId
    delivery_id: str
    event_id: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class Escalation:
    """An urgent matter of one route that waits until somebody says that they have it. `state` is `open`, `acknowledged`
    or `decided` (a person allowed, denied or released what it is about).

    `id` is that of the message that opened it. `told` counts the times it was told, the first message included; `names`
    are the people it went to since, `due` is when the next one hears of it.
    """

    tenant: TenantId
    id: str
    route: str
    topic: str
    kind: str
    event_id: str
    opened: Micros
    due: Micros
    state: str = "open"
    told: int = 1
    names: tuple[str, ...] = ()
    host_id: HostId = NO_HOST
    sha256: str = ""
    site: str = ""
    ended: Micros | None = None
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """One run of a script for one event. `state` is `waiting`, `running`, or how it ended: `done`, `failed`, `dry_run`,
    `skipped`. `sequence` is its event's place among all changes, which is the order of the runs of one host."""

    tenant: TenantId
    id: str
    script: str
    event_id: str
    host_id: HostId
    kind: str
    state: str
    created: Micros
    not_before: Micros
    sequence: int
    tries: int = 0
    started: Micros | None = None
    ended: Micros | None = None
    exit_code: int | None = None
    output: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a worker (`name`, for example `alerts`) has worked through the change sequence."""

    tenant: TenantId
    name: str
    sequence: int

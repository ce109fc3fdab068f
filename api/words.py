"""Sentences for people, said the same way in mails, in the console and by the commands.

Guarantees: pure; an order that is not confirmed is never worded as done. Times become text in the site's zone.
"""

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import PurePosixPath, PureWindowsPath
from zoneinfo import ZoneInfo

from radius_policy.model import (
    SECOND,
    Access,
    EventKind,
    HostState,
    Micros,
    Order,
    OrderState,
    Posture,
)

POSTURE: dict[Posture, str] = {
    Posture.HEALTHY: "healthy",
    Posture.POTENTIAL_PROBLEM: "potential problem",
    Posture.COMPROMISED: "compromised",
    Posture.UNMONITORED: "unmonitored",
}

ORDER: dict[OrderState, str] = {
    OrderState.PLANNED: "planned",
    OrderState.WAITING_FOR_SESSION: "waiting for a session on the network",
    OrderState.SENT: "sent to the switch, no answer yet",
    OrderState.ACKNOWLEDGED: "acknowledged by the switch, not confirmed yet",
    OrderState.ANSWERED: "re-authenticated, not confirmed yet",
    OrderState.NOT_CONFIRMED: "not confirmed: the switch did not do it",
    OrderState.FAILED: "failed: no method is left",
    OrderState.NOT_CONFIRMABLE: "sent; this switch cannot confirm it",
    OrderState.CONFIRMED: "confirmed",
    OrderState.SUPERSEDED: "replaced by a newer order",
    OrderState.ENDED: "ended with its session",
}
"""Only `confirmed` says that the port is where it should be (tables.md, A move)."""

ORDER_TONE: dict[OrderState, str] = {
    OrderState.NOT_CONFIRMED: "bad",
    OrderState.FAILED: "bad",
    OrderState.CONFIRMED: "good",
    OrderState.NOT_CONFIRMABLE: "warn",
    OrderState.SUPERSEDED: "quiet",
    OrderState.ENDED: "quiet",
}
"""How an order's state is coloured; what is not named is under way (`warn`)."""

EVENT: dict[str, str] = {
    EventKind.UNKNOWN_RAN: "Unknown executable ran",
    EventKind.DENIED_RAN: "Denied executable ran",
    EventKind.DENIED_REFUSED: "Denied executable was stopped before it ran",
    EventKind.UNJUDGEABLE: "Executable without identity ran",
    EventKind.HELD: "Unknown executable started, its host stays",
    EventKind.GRACED: "New executable ran under grace",
    EventKind.GRACE_ENDING: "A grace is about to end undecided",
    EventKind.GRACE_ENDED: "A grace ended undecided",
    EventKind.LATE_UNKNOWN: "Unknown executable had run before the host was cleared",
    EventKind.LATE_DENIED: "Denied executable had run before the host was cleared",
    EventKind.BREAKER_TRIPPED: "Breaker tripped",
    EventKind.TRIP_UNANSWERED: "Nobody answered a breaker trip: the site's choice holds",
    EventKind.TIED: "Contained: it started a denied executable",
    EventKind.PROTECTED: "Not moved: the host is protected",
    EventKind.MOVED: "Host is being moved",
    EventKind.RELEASED: "Host returns",
    EventKind.CLEARED: "Host cleared",
    EventKind.MOVE_CONFIRMED: "Move confirmed",
    EventKind.MOVE_NOT_CONFIRMED: "Move not confirmed",
    EventKind.MOVE_FAILED: "Move failed",
    EventKind.HOST_ENROLLED: "Host enrolled",
    EventKind.AGENT_SILENT: "Agent is silent",
    EventKind.AGENT_BACK: "Agent is back",
    EventKind.EVIDENCE_REFUSED: "Evidence refused",
    EventKind.ORDER_REFUSED: "The agent could not do what it was asked",
    EventKind.ALLOWED: "Executable allowed",
    EventKind.DENIED: "Executable denied",
    EventKind.PAUSED: "Automatic quarantine paused",
    EventKind.RESUMED: "Automatic quarantine resumed",
    EventKind.CHANNEL_FAILED: "An alert channel failed",
    EventKind.CHANNEL_BACK: "An alert channel is back",
    EventKind.SCRIPT_FAILED: "A script failed",
    EventKind.ESCALATED: "Urgent alert went to the next person",
    EventKind.ACKNOWLEDGED: "Urgent alert acknowledged",
}


def event_title(kind: str) -> str:
    """What happened, in a few words; a kind without a title of its own is shown by its name."""
    return EVENT.get(kind, kind.replace("_", " ").replace("-", " ").capitalize())


def done(state: HostState | None, orders: Iterable[Order]) -> tuple[str, str]:
    """What was done about a host, as (sentence, tone). Tones: good, warn, bad, quiet.

    `orders` are the host's, newest first; only those of the newest generation count.
    """
    if state is None:
        return "nothing decided yet", "quiet"
    current = [order for order in orders if order.generation == state.generation and order.access == state.access]
    where = f"{state.access}"
    if not current:
        if state.access is Access.PRODUCTION:
            return "stays in production", "quiet"
        return f"{where}: no order to the network yet", "warn"
    worst = max(current, key=lambda order: _RANK[order.state])
    if worst.state is OrderState.CONFIRMED:
        back = state.access is Access.PRODUCTION
        return (f"back in {where}, confirmed" if back else f"moved to {where}, confirmed"), "good"
    return f"ordered to {where}: {ORDER[worst.state]}", ORDER_TONE.get(worst.state, "warn")


_RANK: dict[OrderState, int] = {
    OrderState.SUPERSEDED: 0,
    OrderState.ENDED: 1,
    OrderState.CONFIRMED: 2,
    OrderState.NOT_CONFIRMABLE: 3,
    OrderState.ANSWERED: 4,
    OrderState.ACKNOWLEDGED: 5,
    OrderState.SENT: 6,
    OrderState.PLANNED: 7,
    OrderState.WAITING_FOR_SESSION: 8,
    OrderState.NOT_CONFIRMED: 9,
    OrderState.FAILED: 10,
}
"""Of several orders the one furthest from done is told: a host with two cards is moved when both are."""


def local(at: Micros, zone: ZoneInfo) -> datetime:
    """The moment in the site's zone."""
    return datetime.fromtimestamp(at / SECOND, UTC).astimezone(zone)


def iso(at: Micros) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(at: Micros, zone: ZoneInfo) -> str:
    """Date, time and zone: `2026-11-21 08:41:03 CET`."""
    return local(at, zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def base_name(path: str) -> str:
    """The last part of a path of either kind of system; the whole text where there is none."""
    kind = PureWindowsPath if "\\" in path else PurePosixPath
    return kind(path).name or path


def visible(text: str, limit: int = 4096) -> str:
    """The text with every control, format and separator character written out (`‹U+202E›`), so that a name from an
    endpoint can neither break a line nor turn its own letters around (Unicode TR 36, bidirectional spoofing)."""
    if text.isprintable() and len(text) <= limit:
        return text
    shown = "".join(f"‹U+{ord(c):04X}›" if _hidden(c) else c for c in text[:limit])
    return shown if len(text) <= limit else shown + "…"


def _hidden(character: str) -> bool:
    return not character.isprintable() and unicodedata.category(character) != "Zs"


def count(number: int, one: str, many: str = "") -> str:
    """`1 host`, `2 hosts`, `1,500 hosts`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"

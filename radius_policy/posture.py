"""Posture: what an endpoint's open reasons make of it (tables.md, Posture). One table, first match wins.

Guarantees: the posture follows from the open reasons alone, so it clears only when none is left, and two reasons
need two decisions. `HEALTHY` is what remains when every other row has been refuted, never a default for missing data:
an endpoint without any source of evidence is `unmonitored`.

What it does not do: it opens and closes no reason (`judgement/`) and knows nothing of the network (`access.py`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from radius_policy.model import Micros, Posture, PostureReason, Reason, VerdictWord

SILENCE: Final = "silence"
"""The key of the reason that stands for "no accepted evidence for three heartbeats"."""
NO_SOURCE: Final = Reason("unmonitored", "no agent and no forwarding source has ever reported for it")
NOTHING_OPEN: Final = Reason("healthy", "nothing unknown or denied is open, and its agent is heard")


@dataclass(frozen=True, slots=True)
class Row:
    """`posture` holds when `cause` finds a reason for it."""

    posture: Posture
    when: str
    cause: Callable[[tuple[PostureReason, ...], bool], Reason | None]


def _latest(posture: Posture) -> Callable[[tuple[PostureReason, ...], bool], Reason | None]:
    def cause(reasons: tuple[PostureReason, ...], _monitored: bool) -> Reason | None:
        open_ = [reason for reason in reasons if reason.posture is posture]
        return max(open_, key=lambda reason: (reason.at, reason.key)).reason if open_ else None

    return cause


def _unmonitored(reasons: tuple[PostureReason, ...], monitored: bool) -> Reason | None:
    return _latest(Posture.UNMONITORED)(reasons, monitored) or (None if monitored else NO_SOURCE)


TABLE: Final[tuple[Row, ...]] = (
    Row(Posture.COMPROMISED, "a denied executable ran and nobody has cleared it since", _latest(Posture.COMPROMISED)),
    Row(
        Posture.POTENTIAL_PROBLEM,
        "an unknown was started, held or not, and is undecided",
        _latest(Posture.POTENTIAL_PROBLEM),
    ),
    Row(Posture.UNMONITORED, "no source, a silent one, or an unjudgeable execution undecided", _unmonitored),
    Row(Posture.HEALTHY, "else", lambda _reasons, _monitored: NOTHING_OPEN),
)


def posture(reasons: Iterable[PostureReason], *, monitored: bool) -> tuple[Posture, Reason]:
    """The posture that `reasons` make, with the latest reason of the deciding row."""
    open_ = tuple(reasons)
    for row in TABLE:
        cause = row.cause(open_, monitored)
        if cause is not None:
            return row.posture, cause
    raise AssertionError("the last row of the posture table always holds")  # pragma: no cover, no mutate


def of_start(verdict: VerdictWord, *, ran: bool) -> Posture | None:
    """Which posture one start gives a reason for; None where it gives none.

    A denied program that was refused before it ran is an alert, not a posture; an unknown counts held or not.
    """
    match verdict:
        case VerdictWord.DENIED:
            return Posture.COMPROMISED if ran else None
        case VerdictWord.UNKNOWN:
            return Posture.POTENTIAL_PROBLEM
        case VerdictWord.UNJUDGEABLE:
            return Posture.UNMONITORED
        case VerdictWord.ALLOWED | VerdictWord.GRACED:
            return None


def ended_by_clear(reason: PostureReason, cleared: Micros) -> bool:
    """A clear ends what is older than it: the start, and for a denied program the deny too.

    `reason.at` is the later of the two. Silence and missing sources are no one's to clear.
    """
    return reason.at <= cleared and reason.key != SILENCE

"""Access: what the network gives an endpoint, and why (tables.md, Access). One table, first match wins.

Guarantees: every decision names its row. Rows 1 to 4 protect people's work and only they may overrule what the
posture asks for; the *cap* in rows 2 and 4 never moves anybody and still releases those whose causes are gone.

What it does not do: it counts no breaker places (`breaker.py`; a start that got none arrives here as `contained`),
plans no order (`enforcement/`) and hands out no generation (`judgement/standing.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from radius_policy.model import Access, Mode, Posture, PostureReason, Reason

SITE: Final = "site"
"""The author of what a site chose to happen when nobody answers a trip."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a site chose for the rows that leave it a choice."""

    compromised: Access = Access.REMEDIATION
    unmonitored: Access = Access.PRODUCTION
    unlisted: Access = Access.GUEST


@dataclass(frozen=True, slots=True)
class Ordered:
    """A standing order for one host: `quarantine` until withdrawn, `release` until a new reason. `by` is a login or `site`."""

    quarantine: bool
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the table looks at. `now` is the last access that an Accept gave or a sent order carries.

    `min_available_of` names the group that a move would leave too small ('' = none). `reasons` are the open ones.
    """

    posture: Posture
    posture_reason: Reason
    now: Access = Access.PRODUCTION
    reasons: tuple[PostureReason, ...] = ()
    mode: Mode = Mode.ENFORCE
    paused: bool = False
    never_quarantine: bool = False
    min_available_of: str = ""
    ordered: Ordered | None = None
    listed: bool = True
    choices: Choices = Choices()

    @property
    def move_outstanding(self) -> bool:
        """Some open reason asks for a move, whether or not the breaker let it have one."""
        return any(reason.move for reason in self.reasons)

    @property
    def all_contained(self) -> bool:
        """Something would move it, and all of that is contained: the breaker gave no place to any of it."""
        moving = [reason.placed for reason in self.reasons if reason.move]
        return bool(moving) and not any(moving)


Given = tuple[Access, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number and name in tables.md, what it says in words (the docs' page is made of them), and the same as
    functions: whether it holds, and what it gives."""

    number: int
    name: str
    when: str
    says: str
    holds: Callable[[Situation], bool]
    gives: Callable[[Situation], Given]


def _ordered(s: Situation) -> Given:
    ordered = s.ordered or Ordered(False)
    by = ordered.by or "an administrator"
    why = f": {ordered.why}" if ordered.why else ""
    if ordered.quarantine:
        return Access.REMEDIATION, f"quarantined by {by}{why}"
    return Access.PRODUCTION, f"released by {by} until there is a new reason{why}"


def _by_site(ordered: Ordered) -> bool:
    """The site's own choice after an unanswered trip is automatic: a pause stops what tightens of it."""
    return ordered.by == SITE and ordered.quarantine


def _capped(s: Situation, why: str) -> Given:
    given, reason = below(s)
    if given.strictness <= s.now.strictness:
        return given, f"{why}; {reason.text}"
    return s.now, f"{why}; {reason.text}, which would have meant {given}"


def _row4(s: Situation) -> str:
    if s.mode is not Mode.ENFORCE:
        return f"mode {s.mode} moves nobody"
    return "automatic moves are paused" if s.paused else "what it started is contained instead"


_BELOW: Final[tuple[Row, ...]] = (
    Row(
        5,
        "compromised",
        "posture compromised",
        "remediation (or blocked: site's choice)",
        lambda s: s.posture is Posture.COMPROMISED,
        lambda s: (s.choices.compromised, s.posture_reason.text),
    ),
    Row(
        6,
        "move-outstanding",
        "posture potential_problem, and a `move` is outstanding",
        "remediation",
        lambda s: s.posture is Posture.POTENTIAL_PROBLEM and s.move_outstanding,
        lambda s: (Access.REMEDIATION, s.posture_reason.text),
    ),
    Row(
        7,
        "other-outcomes",
        "posture potential_problem, other outcomes only",
        "production, and that outcome",
        lambda s: s.posture is Posture.POTENTIAL_PROBLEM,
        lambda s: (Access.PRODUCTION, f"{s.posture_reason.text}; its rule asks for no move"),
    ),
    Row(
        8,
        "unlisted",
        "a MAC that no endpoint has proved",
        "site's choice (default guest)",
        lambda s: not s.listed,
        lambda s: (s.choices.unlisted, "no endpoint has proved this MAC"),
    ),
    Row(
        8,
        "unmonitored",
        "posture unmonitored",
        "site's choice (default production)",
        lambda s: s.posture is Posture.UNMONITORED,
        lambda s: (s.choices.unmonitored, s.posture_reason.text),
    ),
    Row(9, "healthy", "else", "production", lambda s: True, lambda s: (Access.PRODUCTION, s.posture_reason.text)),
)

TABLE: Final[tuple[Row, ...]] = (
    Row(
        1,
        "never-quarantine",
        "never-quarantine list",
        "production; alert, and what it started is contained on it",
        lambda s: s.never_quarantine,
        lambda s: (Access.PRODUCTION, f"it stands on the never-quarantine list; {s.posture_reason.text}"),
    ),
    Row(
        2,
        "min-available",
        "moving it would leave a group below its `min_available`",
        "cap; alert, containment. A person's release acts, a quarantine is refused",
        lambda s: bool(s.min_available_of) and (s.ordered is None or s.ordered.quarantine),
        lambda s: _capped(s, f"group {s.min_available_of!r} would fall below its minimum"),
    ),
    Row(
        3,
        "ordered",
        "a person's order for this host, or the site's (an unanswered trip)",
        "as ordered: quarantine until withdrawn, release until a new reason; in any mode, past breaker and pause",
        lambda s: s.ordered is not None and not (_by_site(s.ordered) and s.paused),
        _ordered,
    ),
    Row(
        4,
        "no-automatic-move",
        "mode `learn` or `monitor` · paused · everything that would move it is contained",
        "cap",
        lambda s: s.mode is not Mode.ENFORCE or s.paused or s.all_contained,
        lambda s: _capped(s, _row4(s)),
    ),
    *_BELOW,
)


def below(s: Situation) -> tuple[Access, Reason]:
    """What rows 5 to 9 give: the measure of the cap."""
    return _first(_BELOW, s)


def access(s: Situation) -> tuple[Access, Reason]:
    """The access for a situation; the reason's level is the deciding row's name, its ref the row's number."""
    return _first(TABLE, s)


def _first(table: tuple[Row, ...], s: Situation) -> tuple[Access, Reason]:
    for row in table:
        if row.holds(s):
            given, text = row.gives(s)
            return given, Reason(row.name, text, f"access row {row.number}")
    raise AssertionError("the last row of the access table always holds")  # pragma: no cover, no mutate

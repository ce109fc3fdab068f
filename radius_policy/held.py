"""What happens to a held start (tables.md, "What happens to a held start"). One table, first match wins.

Guarantees: the result is no verdict; an undecided hold leaves the executable unknown. Denied programs stay refused in
`enforce`, also on hosts that are never quarantined. What agents in `notify` operation do instead stands beside each row.

What it does not do: it waits for nothing. A result of `WAIT_*` names what the shell has to wait for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from radius_policy.model import Mode, Outcome, VerdictWord


class Held(StrEnum):
    """`refuse_at_deadline`: held until then, refused, asked anew at the next start."""

    RELEASED = "released"
    REFUSED = "refused"
    WAIT_FOR_MOVE = "wait_for_move"
    WAIT_FOR_CUT = "wait_for_cut"
    REFUSE_AT_DEADLINE = "refuse_at_deadline"


@dataclass(frozen=True, slots=True)
class Judged:
    """A start as it was judged. `moved`: its host is in remediation or on its way;
    `protected`: rows 1 or 2 of the access table decided for it."""

    verdict: VerdictWord
    mode: Mode
    outcomes: frozenset[Outcome]
    contained: bool = False
    moved: bool = False
    protected: bool = False
    paused: bool = False
    deny_in_monitor: bool = False
    release_after_move: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """`held` is the result when `holds`; `notify` what an agent that only watches does instead ('' = nothing)."""

    when: str
    held: Held
    holds: Callable[[Judged], bool]
    notify: str = ""


def _holds_only(outcomes: frozenset[Outcome]) -> bool:
    return Outcome.HOLD in outcomes and Outcome.MOVE not in outcomes


_QUIET: Final = frozenset({Outcome.OBSERVE, Outcome.ALERT, Outcome.RUN_SCRIPT})

TABLE: Final[tuple[Row, ...]] = (
    Row(
        "allowed or graced",
        Held.RELEASED,
        lambda j: j.verdict in (VerdictWord.ALLOWED, VerdictWord.GRACED),
    ),
    Row(
        "denied",
        Held.REFUSED,
        lambda j: j.verdict is VerdictWord.DENIED and (j.mode is Mode.ENFORCE or j.deny_in_monitor),
        "ended, its network cut",
    ),
    Row("mode learn or monitor", Held.RELEASED, lambda j: j.mode is not Mode.ENFORCE),
    Row("only observe or alert", Held.RELEASED, lambda j: j.outcomes <= _QUIET),
    Row(
        "contained, outcome hold, never quarantined, group at its minimum, or paused",
        Held.REFUSE_AT_DEADLINE,
        lambda j: j.contained or j.protected or j.paused or _holds_only(j.outcomes),
        "its network cut",
    ),
    Row(
        "its host is being moved, and the site refuses it all the same",
        Held.REFUSED,
        lambda j: j.moved and not j.release_after_move,
    ),
    Row("its host is being moved", Held.WAIT_FOR_MOVE, lambda j: j.moved),
    Row("outcome cut", Held.WAIT_FOR_CUT, lambda j: Outcome.CUT in j.outcomes, "its network cut"),
    Row("nothing else applies", Held.REFUSE_AT_DEADLINE, lambda j: True, "its network cut"),
)


def held(judged: Judged) -> Held:
    """What becomes of the start while the kernel waits for us."""
    for row in TABLE:
        if row.holds(judged):
            return row.held
    raise AssertionError("the last row of the held-start table always holds")  # pragma: no cover, no mutate

"""The held-start table: a test per row."""

from dataclasses import replace

import pytest

from radius_policy.held import TABLE, Held, Judged, held
from radius_policy.model import Mode, Outcome, VerdictWord

MOVE = frozenset((Outcome.MOVE,))
UNKNOWN = Judged(VerdictWord.UNKNOWN, Mode.ENFORCE, MOVE, moved=True)
DENIED = Judged(VerdictWord.DENIED, Mode.ENFORCE, MOVE)


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        (Judged(VerdictWord.ALLOWED, Mode.ENFORCE, frozenset()), Held.RELEASED),
        (Judged(VerdictWord.GRACED, Mode.ENFORCE, frozenset()), Held.RELEASED),
        (DENIED, Held.REFUSED),
        (replace(DENIED, protected=True), Held.REFUSED),
        (replace(DENIED, mode=Mode.MONITOR), Held.RELEASED),
        (replace(DENIED, mode=Mode.MONITOR, deny_in_monitor=True), Held.REFUSED),
        (replace(UNKNOWN, mode=Mode.LEARN), Held.RELEASED),
        (replace(UNKNOWN, outcomes=frozenset((Outcome.ALERT, Outcome.OBSERVE))), Held.RELEASED),
        (UNKNOWN, Held.WAIT_FOR_MOVE),
        (replace(UNKNOWN, release_after_move=False), Held.REFUSED),
        (replace(UNKNOWN, contained=True), Held.REFUSE_AT_DEADLINE),
        (replace(UNKNOWN, protected=True), Held.REFUSE_AT_DEADLINE),
        (replace(UNKNOWN, paused=True), Held.REFUSE_AT_DEADLINE),
        (replace(UNKNOWN, outcomes=frozenset((Outcome.HOLD,))), Held.REFUSE_AT_DEADLINE),
        (replace(UNKNOWN, outcomes=frozenset((Outcome.CUT,)), moved=False), Held.WAIT_FOR_CUT),
        (replace(UNKNOWN, moved=False), Held.REFUSE_AT_DEADLINE),
    ],
)
def test_each_row_says_what_becomes_of_the_start(judged: Judged, expected: Held) -> None:
    assert held(judged) is expected


def test_no_row_is_unreachable() -> None:
    assert len({row.when for row in TABLE}) == len(TABLE)

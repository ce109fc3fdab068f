"""The posture table: a test per row, and that it clears only when no reason is left."""

import pytest

from radius_policy.model import DEFAULT_TENANT, HostId, Posture, PostureReason, Reason, VerdictWord
from radius_policy.posture import NO_SOURCE, SILENCE, TABLE, ended_by_clear, of_start, posture


def reason(key: str, of: Posture, at: int = 10) -> PostureReason:
    return PostureReason(DEFAULT_TENANT, HostId("pc"), key, of, at, Reason(of.value, f"because of {key}"))


UNKNOWN = reason("n", Posture.POTENTIAL_PROBLEM)
DENIED = reason("d", Posture.COMPROMISED)
SILENT = reason(SILENCE, Posture.UNMONITORED)


def test_the_table_names_every_posture_once_and_ends_with_else() -> None:
    assert [row.posture for row in TABLE] == [
        Posture.COMPROMISED,
        Posture.POTENTIAL_PROBLEM,
        Posture.UNMONITORED,
        Posture.HEALTHY,
    ]


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([DENIED, UNKNOWN, SILENT], Posture.COMPROMISED),
        ([UNKNOWN, SILENT], Posture.POTENTIAL_PROBLEM),
        ([SILENT], Posture.UNMONITORED),
        ([], Posture.HEALTHY),
    ],
)
def test_the_first_row_that_holds_decides(reasons: list[PostureReason], expected: Posture) -> None:
    assert posture(reasons, monitored=True)[0] is expected


def test_a_host_that_no_source_ever_reported_for_is_unmonitored_not_healthy() -> None:
    assert posture([], monitored=False) == (Posture.UNMONITORED, NO_SOURCE)


def test_two_unknowns_need_two_decisions() -> None:
    both = [UNKNOWN, reason("m", Posture.POTENTIAL_PROBLEM)]
    assert posture(both[1:], monitored=True)[0] is Posture.POTENTIAL_PROBLEM
    assert posture([], monitored=True)[0] is Posture.HEALTHY


def test_the_latest_reason_of_the_deciding_row_is_named() -> None:
    late = reason("late", Posture.POTENTIAL_PROBLEM, at=99)
    assert posture([late, UNKNOWN], monitored=True)[1].text == "because of late"


@pytest.mark.parametrize(
    ("word", "ran", "expected"),
    [
        (VerdictWord.DENIED, True, Posture.COMPROMISED),
        (VerdictWord.DENIED, False, None),
        (VerdictWord.UNKNOWN, True, Posture.POTENTIAL_PROBLEM),
        (VerdictWord.UNKNOWN, False, Posture.POTENTIAL_PROBLEM),
        (VerdictWord.UNJUDGEABLE, True, Posture.UNMONITORED),
        (VerdictWord.GRACED, True, None),
        (VerdictWord.ALLOWED, True, None),
    ],
)
def test_what_one_start_is_a_reason_for(word: VerdictWord, ran: bool, expected: Posture | None) -> None:
    assert of_start(word, ran=ran) is expected


def test_a_clear_ends_what_is_older_and_never_silence() -> None:
    assert ended_by_clear(UNKNOWN, 10)
    assert not ended_by_clear(UNKNOWN, 9)
    assert not ended_by_clear(SILENT, 99)


def test_of_two_reasons_of_the_same_moment_the_name_decides_so_that_the_answer_never_changes() -> None:
    both = [reason("b", Posture.COMPROMISED), reason("a", Posture.COMPROMISED)]
    assert posture(both, monitored=True)[1].text == posture(both[::-1], monitored=True)[1].text == "because of b"

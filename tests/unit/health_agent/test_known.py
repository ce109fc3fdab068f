"""What needs no report."""

from health_agent.contract import VerdictWord
from health_agent.known import Known
from tests.unit.health_agent.makers import BAD, GOOD, verdict


def test_an_empty_memory_covers_nothing() -> None:
    assert not Known().covers(BAD, 0)


def test_a_verdict_stands_before_the_baseline() -> None:
    known = Known([GOOD])
    assert known.covers(GOOD, 0)
    assert known.judged(verdict(GOOD, VerdictWord.GRACED))
    assert not known.covers(GOOD, 0)
    assert not known.judged(verdict(GOOD, VerdictWord.GRACED)), "there is nothing left to take back"


def test_what_was_allowed_after_it_was_taken_back_is_known_again() -> None:
    known = Known([GOOD])
    known.forget(GOOD)
    known.judged(verdict(GOOD, VerdictWord.ALLOWED))
    assert known.covers(GOOD, 0)
    assert not known.forget(GOOD)
    assert not known.covers(GOOD, 0)


def test_the_oldest_verdicts_are_forgotten_first() -> None:
    known = Known(limit=2)
    for number in range(3):
        known.judged(verdict(f"{number:064x}", VerdictWord.ALLOWED))
    assert [known.covers(f"{number:064x}", 0) for number in range(3)] == [False, True, True]


def test_a_verdict_that_was_renewed_is_young() -> None:
    known = Known(limit=2)
    for number in (0, 1, 0, 2):
        known.judged(verdict(f"{number:064x}", VerdictWord.ALLOWED))
    assert [known.covers(f"{number:064x}", 0) for number in range(3)] == [True, False, True]

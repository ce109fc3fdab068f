"""How long a start is looked for: no start that was not allowed may fall through."""

from hypothesis import given
from hypothesis import strategies as st

from radius_policy.judgement.spans import DAY, HOUR, LENGTHS, ended, span_of
from radius_policy.model import DEFAULT_TENANT, Execution, HostId, Sha256, Span, VerdictWord

BAD = st.sampled_from([word for word in VerdictWord if word is not VerdictWord.ALLOWED])


def test_what_was_allowed_when_it_began_has_none() -> None:
    assert span_of(VerdictWord.ALLOWED, 100, 200) is Span.NONE
    assert span_of(VerdictWord.ALLOWED, 100, None, allowed_since=100) is Span.NONE


def test_what_was_allowed_after_it_began_has_one() -> None:
    assert span_of(VerdictWord.ALLOWED, 100, 200, allowed_since=101) is Span.HOUR
    assert span_of(VerdictWord.ALLOWED, 100, None, allowed_since=101) is Span.LONG


@given(BAD, st.integers(0, 3 * DAY), st.integers(0, DAY))
def test_a_span_covers_the_start_and_what_its_clock_may_be_wrong_by(word: VerdictWord, lasted: int, by: int) -> None:
    found = span_of(word, DAY, DAY + lasted, uncertainty_us=by)
    assert found is not Span.NONE
    if found in LENGTHS:
        assert lasted + 2 * by <= LENGTHS[found]


@given(BAD, st.integers(0, 3 * DAY))
def test_the_end_that_comes_later_gives_the_same_span(word: VerdictWord, lasted: int) -> None:
    begun = Execution(
        DEFAULT_TENANT, "e", HostId("h"), Sha256("a" * 64), "/x", 1, 0, 0, verdict=word, span=span_of(word, 0, None)
    )
    assert begun.span is Span.LONG
    assert ended(begun, lasted) is span_of(word, 0, lasted)


def test_the_end_of_an_allowed_start_changes_nothing() -> None:
    begun = Execution(
        DEFAULT_TENANT, "e", HostId("h"), Sha256("a" * 64), "/x", 1, 0, 0, verdict=VerdictWord.ALLOWED, span=Span.NONE
    )
    assert ended(begun, 2 * HOUR) is Span.NONE


def test_a_start_that_nobody_judged_yet_is_looked_for() -> None:
    assert Execution(DEFAULT_TENANT, "e", HostId("h"), None, "/x", 1, 0, 0).span is Span.LONG

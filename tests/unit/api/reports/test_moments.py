"""Days and moments as people write them, on the days on which the clock is changed too."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports.moments import NoMoment, begin_of, bounds, day_of, end_of
from radius_policy.model import SECOND
from radius_policy.zones import zone

BERLIN, SAO_PAULO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Sao_Paulo")
HOUR = 3600 * SECOND


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-21", 24)])
def test_a_day_is_as_long_as_it_is(day: str, hours: int) -> None:
    begin, end = bounds(day_of(day), BERLIN)
    assert end - begin == hours * HOUR


def test_a_day_whose_midnight_the_clock_skips_begins_when_the_day_before_ends() -> None:
    skipped = date(2017, 10, 15)  # at midnight the clock went to one o'clock
    assert bounds(date(2017, 10, 14), SAO_PAULO)[1] == bounds(skipped, SAO_PAULO)[0]
    assert bounds(skipped, SAO_PAULO)[1] - bounds(skipped, SAO_PAULO)[0] == 23 * HOUR


@given(
    st.dates(date(1990, 1, 1), date(2037, 1, 1)), st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "+05:30", "UTC"])
)
def test_days_follow_each_other_without_gap(day: date, name: str) -> None:
    following = date.fromordinal(day.toordinal() + 1)
    assert bounds(day, zone(name))[1] == bounds(following, zone(name))[0]


def test_the_repeated_hour_is_taken_whole_and_the_skipped_one_too() -> None:
    assert end_of("2026-10-25T02:30", BERLIN) - begin_of("2026-10-25T02:30", BERLIN) == HOUR
    assert end_of("2026-03-29T02:30", BERLIN) - begin_of("2026-03-29T02:30", BERLIN) == HOUR
    assert end_of("2026-11-21T08:30", BERLIN) == begin_of("2026-11-21T08:30", BERLIN)


def test_an_offset_says_it_exactly() -> None:
    assert begin_of("2026-11-21T08:30:15+01:00", ZoneInfo("UTC")) == begin_of("2026-11-21T08:30:15", BERLIN)
    assert begin_of("2026-11-21T07:30:00.000005Z", BERLIN) % SECOND == 5


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00", "2026-11-21T25:00", "9" * 100])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    for read in (begin_of, end_of):
        with pytest.raises(NoMoment, match="2026-11-21"):
            read(text, BERLIN)


@pytest.mark.parametrize("text", ["", "21.11.2026", "2026-02-30"])
def test_what_is_no_day_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(NoMoment, match="2026-11-21"):
        day_of(text)


def test_the_last_day_of_the_calendar_has_no_end() -> None:
    with pytest.raises(NoMoment, match="calendar"):
        bounds(date.max, BERLIN)

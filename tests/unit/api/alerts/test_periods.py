"""Whole local days, of 23 or 25 hours where the clock is changed, none left out and none twice."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.alerts.periods import Daily, Digests, Period, Weekly, before, day_of, due, latest_end, midnight
from radius_policy.model import SECOND

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600 * SECOND


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()) * SECOND


def test_before_seven_the_day_before_yesterday_is_the_newest_and_after_it_yesterday() -> None:
    assert latest_end(Daily(), at("2026-11-21T06:59"), BERLIN) == at("2026-11-20T00:00")
    assert latest_end(Daily(), at("2026-11-21T07:00"), BERLIN) == at("2026-11-21T00:00")


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-23T06:59", "2026-11-16"),  # a Monday
        ("2026-11-23T07:00", "2026-11-23"),
        ("2026-11-25T12:00", "2026-11-23"),
        ("2026-11-29T23:59", "2026-11-23"),
    ],
)
def test_a_week_ends_with_sunday(now: str, end: str) -> None:
    assert latest_end(Weekly(), at(now), BERLIN) == at(f"{end}T00:00")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-21", 24)])
def test_a_day_is_a_local_day(day: str, hours: int) -> None:
    period = day_of(day, BERLIN)
    assert period.end - period.begin == hours * HOUR
    assert period.days(BERLIN) == 1


def test_at_the_first_look_nothing_is_due() -> None:
    assert due(Daily(), None, at("2026-11-21T12:00"), BERLIN) is None


def test_after_days_off_one_digest_covers_all_of_them() -> None:
    told = at("2026-11-18T00:00")
    assert due(Daily(), told, at("2026-11-21T09:00"), BERLIN) == Period(told, at("2026-11-21T00:00"))
    assert due(Daily(), at("2026-11-21T00:00"), at("2026-11-21T09:00"), BERLIN) is None


@given(
    st.lists(st.integers(60, 4 * 86_400), min_size=1, max_size=60),
    st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    st.sampled_from([Daily(), Daily(at="00:00"), Daily(at="23:59"), Weekly(), Weekly(day="sun", at="12:30")]),
)
def test_whenever_one_looks_the_periods_follow_each_other_without_gap_or_overlap(
    steps: list[int], name: str, spec: Daily | Weekly
) -> None:
    zone = ZoneInfo(name)
    now = at("2026-03-20T10:00")
    told = latest_end(spec, now, zone)
    for step in steps:
        now += step * SECOND
        if period := due(spec, told, now, zone):
            assert period.begin == told < period.end <= now
            told = period.end
    assert told == latest_end(spec, now, zone)


def test_the_period_before_an_end_has_whole_days() -> None:
    assert before(at("2026-10-26T00:00"), BERLIN, 7) == Period(at("2026-10-19T00:00"), at("2026-10-26T00:00"))


def test_no_digest_is_null_and_the_console_still_has_one() -> None:
    none = msgspec.convert({"daily": None, "weekly": None}, Digests)
    assert none.all() == {}
    assert none.named("daily") == Daily()
    assert set(Digests().all()) == {"daily", "weekly"}


@pytest.mark.parametrize("value", [{"daily": {"at": "25:00"}}, {"weekly": {"day": "moon"}}, {"daily": {"at": "7"}}])
def test_a_time_that_is_none_is_refused(value: dict[str, object]) -> None:
    with pytest.raises((msgspec.ValidationError, ValueError)):
        msgspec.convert(value, Digests)


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid isoformat"):
        midnight("yesterday", BERLIN)

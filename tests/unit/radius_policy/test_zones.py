"""Time zones by name: the system's, and fixed offsets as recorded times carry them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_policy.zones import local, micros, offset_name, zone


@pytest.mark.parametrize(
    ("name", "offset"),
    [("+01:00", timedelta(hours=1)), ("-03:30", -timedelta(hours=3, minutes=30)), ("+00:00", timedelta(0))],
)
def test_a_fixed_offset_is_the_same_in_summer_and_winter(name: str, offset: timedelta) -> None:
    there = zone(name)
    assert there.key == name
    for month in (1, 7):
        assert datetime(2026, month, 1, tzinfo=there).utcoffset() == offset
    assert datetime(1965, 1, 1, tzinfo=there).utcoffset() == offset


def test_a_zone_of_the_list_has_its_summer_time() -> None:
    berlin = zone("Europe/Berlin")
    assert datetime(2026, 7, 1, tzinfo=berlin).utcoffset() == timedelta(hours=2)
    assert zone("UTC").key == "UTC"


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "../etc/passwd", "+24:00", "+01:60", "+1:00", "01:00"])
def test_a_name_that_is_no_zone_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(ValueError, match="timezone: "):
        zone(name)


@given(st.integers(-(10**15), 4 * 10**15), st.integers(-23 * 60, 23 * 60))
def test_a_moment_survives_the_way_to_a_zone_and_back(at: int, minutes: int) -> None:
    sign, hours, rest = "-" if minutes < 0 else "+", abs(minutes) // 60, abs(minutes) % 60
    there = zone(f"{sign}{hours:02d}:{rest:02d}")
    assert micros(local(at, there)) == at


@given(st.integers(-14 * 60, 14 * 60))
def test_the_name_of_an_offset_names_that_offset(minutes: int) -> None:
    moment = datetime.fromisoformat("2026-11-16T00:00+00:00") + timedelta(minutes=1)
    shifted = moment.astimezone(zone("+00:00")).replace(tzinfo=None)
    from datetime import timezone

    aware = shifted.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert zone(offset_name(aware)).utcoffset(datetime(2026, 1, 1)) == timedelta(minutes=minutes)


def test_a_moment_without_offset_names_none() -> None:
    with pytest.raises(ValueError, match="offset"):
        offset_name(datetime(2026, 1, 1))
    assert offset_name(datetime(2026, 1, 1, tzinfo=UTC)) == "+00:00"

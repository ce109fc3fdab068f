"""Days and moments as people write them, in the site's zone, daylight saving time included. Pure.

Where the clock stands twice (an hour repeated in autumn) or not at all (skipped in spring), the beginning of a window
takes the earlier reading and its end the later one: a window is too wide rather than without a patient.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from radius_policy.model import Micros
from radius_policy.zones import micros


class NoMoment(ValueError):
    """What was written is no day or moment. The message says how to write one."""


def day_of(text: str) -> date:
    """`2026-11-21`. Raises NoMoment."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise NoMoment(f'"{text[:40]}" is no day: write it as 2026-11-21') from error


def bounds(day: date, zone: ZoneInfo) -> tuple[Micros, Micros]:
    """The first moment of a local day and that of the next: 23, 24 or 25 hours, mostly."""
    try:
        return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    except OverflowError as error:
        raise NoMoment(f"{day.isoformat()} is beyond the calendar: take a day of this century") from error


def _midnight(day: date, zone: ZoneInfo) -> Micros:
    return micros(datetime(day.year, day.month, day.day, tzinfo=zone))


def begin_of(text: str, zone: ZoneInfo) -> Micros:
    """A moment that opens a window: the earlier reading. Raises NoMoment."""
    return min(_readings(text, zone))


def end_of(text: str, zone: ZoneInfo) -> Micros:
    """A moment that closes a window: the later reading. Raises NoMoment."""
    return max(_readings(text, zone))


def _readings(text: str, zone: ZoneInfo) -> tuple[Micros, Micros]:
    """ISO 8601, seconds optional; without an offset by the zone's clock."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            return micros(moment), micros(moment)
        return micros(moment.replace(tzinfo=zone, fold=0)), micros(moment.replace(tzinfo=zone, fold=1))
    except (ValueError, OverflowError) as error:
        raise NoMoment(
            f'"{text[:40]}" is no time: write it as 2026-11-21T08:30, 2026-11-21T08:30:15 or 2026-11-21T08:30+01:00'
        ) from error

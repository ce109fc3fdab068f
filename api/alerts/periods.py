"""When a digest is due and what time it covers, in the site's zone.

Guarantees: pure. A digest covers whole local days, of 23 or 25 hours where the clock is changed, and begins where the
one before ended: a service that was off for days makes one digest of all of them, none is left out and none comes twice.
At the very first look nothing is due yet.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from api.alerts.routes import Day, Days, Name
from radius_policy.model import Micros
from radius_policy.zones import local, micros

DAILY, WEEKLY = "daily", "weekly"


class Daily(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Each day `at` this local time, about the days before. No channels: only in the console. `empty`: also when there
    is nothing to say."""

    channels: tuple[Name, ...] = ("mail",)
    at: Annotated[str, Meta(pattern="^[0-2][0-9]:[0-5][0-9]$")] = "07:00"
    empty: bool = False

    def __post_init__(self) -> None:
        time.fromisoformat(self.at)


class Weekly(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On this `day` of each week, about the seven days before. Told even when there is nothing to say: so one knows that
    the way to tell still works."""

    channels: tuple[Name, ...] = ("mail",)
    at: Annotated[str, Meta(pattern="^[0-2][0-9]:[0-5][0-9]$")] = "07:00"
    day: Day = "mon"
    empty: bool = True

    def __post_init__(self) -> None:
        time.fromisoformat(self.at)


class Digests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The member `digest` of the setting `alerts`; `null` makes none."""

    daily: Daily | None = Daily()
    weekly: Weekly | None = Weekly()

    def all(self) -> dict[Literal["daily", "weekly"], Daily | Weekly]:
        found: dict[Literal["daily", "weekly"], Daily | Weekly] = {}
        if self.daily:
            found["daily"] = self.daily
        if self.weekly:
            found["weekly"] = self.weekly
        return found

    def named(self, name: str) -> Daily | Weekly:
        """The one of this name, as set or by default: the console shows it though it is sent to nobody."""
        return (self.weekly or Weekly()) if name == WEEKLY else (self.daily or Daily())


@dataclass(frozen=True, slots=True)
class Period:
    """From `begin` (inclusive) to `end` (exclusive), both a local midnight."""

    begin: Micros
    end: Micros

    def days(self, zone: ZoneInfo) -> int:
        return (local(self.end, zone).date() - local(self.begin, zone).date()).days


def latest_end(spec: Daily | Weekly, now: Micros, zone: ZoneInfo) -> Micros:
    """The newest local midnight whose digest is to be sent by now."""
    here = local(now, zone)
    day = here.date()
    if isinstance(spec, Weekly):
        day -= timedelta(days=(day.weekday() - Days.index(spec.day)) % 7)
    if now < micros(datetime.combine(day, time.fromisoformat(spec.at), zone)):
        day -= timedelta(days=7 if isinstance(spec, Weekly) else 1)
    return midnight(day.isoformat(), zone)


def due(spec: Daily | Weekly, told_until: Micros | None, now: Micros, zone: ZoneInfo) -> Period | None:
    """What the next digest covers, or None while it is not time. `told_until` is the end of the one before."""
    end = latest_end(spec, now, zone)
    if told_until is None or told_until >= end:
        return None
    return Period(told_until, end)


def midnight(day: str, zone: ZoneInfo) -> Micros:
    """The begin of a local day, `2026-11-21`. Raises ValueError. Where the clock skips midnight, the first moment after."""
    begin = datetime.fromisoformat(day).replace(tzinfo=zone)
    if not 1970 < begin.year < 9999:
        raise ValueError(f"{day} is beyond the calendar: take a day of this century")
    return micros(begin)


def before(end: Micros, zone: ZoneInfo, days: int) -> Period:
    """The period of `days` local days that ends at this midnight."""
    first = local(end, zone).date() - timedelta(days=days)
    return Period(midnight(first.isoformat(), zone), end)


def day_of(day: str, zone: ZoneInfo, days: int = 1) -> Period:
    """The period of `days` local days that begins with this one."""
    after = (datetime.fromisoformat(day) + timedelta(days=days)).date().isoformat()
    return Period(midnight(day, zone), midnight(after, zone))

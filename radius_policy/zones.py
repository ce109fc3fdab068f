"""Time zones by name: those of the system's list, and fixed offsets as they stand in recorded times (`+05:30`).

Guarantees: a `ZoneInfo` whatever the name, so that nobody has to tell the two kinds apart; a name that is neither is a
ValueError with a sentence. It keeps no clock.
"""

import io
import re
import struct
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from radius_policy.model import SECOND, Micros

_OFFSET: Final = re.compile(r"([+-])(\d{2}):(\d{2})")
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@cache
def zone(name: str) -> ZoneInfo:
    """`Europe/Berlin`, `UTC` or a fixed offset `+05:30`. ValueError says what is wrong with the name."""
    if fixed := _OFFSET.fullmatch(name):
        seconds = (int(fixed[2]) * 60 + int(fixed[3])) * 60
        if seconds >= 86_400 or int(fixed[3]) >= 60:
            raise ValueError(f"timezone: {name!r} is no offset; it is hours and minutes, as in +05:30")
        return _fixed(name, seconds if fixed[1] == "+" else -seconds)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"timezone: {name!r} is neither in this system's time zone list nor an offset such as +01:00"
        ) from None


def offset_name(moment: datetime) -> str:
    """The name of the fixed zone of an aware moment: `+01:00`. ValueError where it has seconds, or no offset at all."""
    offset = moment.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        raise ValueError("a time with its offset from UTC in hours and minutes is needed, as in 2026-11-16T00:00+01:00")
    minutes = int(abs(offset.total_seconds()) // 60)
    return f"{'-' if offset < timedelta(0) else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def micros(moment: datetime) -> Micros:
    """An aware moment as `Micros`, exactly (a float would lose microseconds)."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def local(at: Micros, where: ZoneInfo) -> datetime:
    """`Micros` as an aware moment in a zone, exactly."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(where)


def _fixed(name: str, seconds: int) -> ZoneInfo:
    """A zone of one offset, in the file format of all zones (RFC 8536 3: header, one local time type, its name)."""
    named = name.encode() + b"\0"
    header = b"TZif" + b"\0" * 16 + struct.pack(">6l", 0, 0, 0, 0, 1, len(named))
    return ZoneInfo.from_file(io.BytesIO(header + struct.pack(">lbb", seconds, 0, 0) + named), key=name)

"""When ransom notes were written: what a window is made from when all that is known is what the file server shows.

Guarantees: the file server's clock is corrected by what is told of it, and the window is wider than the notes by `BEFORE`
and `AFTER`, because a program runs before it writes. Nothing of the notes is opened but a CSV list of them.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from radius_policy.model import SECOND, Micros
from radius_policy.zones import micros

BEFORE: Final = 600 * SECOND
AFTER: Final = 60 * SECOND
MOST: Final = 1_000_000
"""Files that are looked at in a folder: more are no ransom notes but a whole share."""
COLUMNS: Final = ("time", "mtime", "modified", "timestamp", "date", "written", "created", "lastwritetime")
_OFFSET: Final = re.compile(r"([+-]?)(?:(?:(\d+):)?(\d+):(\d+)|(\d+(?:\.\d+)?)(ms|s|min|m|h|d)?)")
_UNITS: Final = {None: 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


class NoNotes(ValueError):
    """No time can be read there. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Notes:
    """How many notes there are, and when the first and last were written, by the server's own clock."""

    number: int
    first: Micros
    last: Micros

    def window(self, offset: Micros) -> tuple[Micros, Micros]:
        """The window to look at. `offset` is what must be added to the server's clock to get the true time."""
        return self.first + offset - BEFORE, self.last + offset + AFTER


def read(path: Path, zone: ZoneInfo, name: str = "*") -> Notes:
    """The notes in a folder (the files that match `name`, by when they were last written) or in a CSV list. NoNotes."""
    try:
        times = sorted(_of_list(path, zone) if path.is_file() else _of_folder(path, name))
    except OSError as error:
        raise NoNotes(f"{path}: {error.strerror or error}") from error
    if not times:
        raise NoNotes(f"{path}: no notes here; a folder with files named {name}, or a CSV list with their times")
    return Notes(len(times), times[0], times[-1])


def offset(text: str) -> Micros:
    """`+90`, `-1:30`, `2min`: what must be added to the server's clock to get the true time. NoNotes."""
    found = _OFFSET.fullmatch(text.strip())
    if found is None:
        raise NoNotes(
            f'"{text[:40]}" is no offset: write seconds as +90 or -90, minutes and seconds as 1:30, or 2min, 1h'
        )
    sign, hours, minutes, seconds, number, unit = found.groups()
    total = float(number) * _UNITS[unit] if number else int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return round(total * SECOND) * (-1 if sign == "-" else 1)


def _of_folder(path: Path, name: str) -> Iterator[Micros]:
    if not path.is_dir():
        raise NoNotes(f"{path}: there is no such folder or CSV list")
    for number, file in enumerate(path.rglob("*"), 1):
        if number > MOST:
            raise NoNotes(f"{path}: more than {MOST:,} files; name the notes, as in --notes-name '*DECRYPT*'")
        if fnmatch(file.name, name) and file.is_file() and not file.is_symlink():
            yield file.stat().st_mtime_ns // 1000


def _of_list(path: Path, zone: ZoneInfo) -> Iterator[Micros]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        sample = file.read(4096)
        file.seek(0)
        rows = csv.reader(file, delimiter=";" if sample.count(";") > sample.count(",") else ",")
        header = next(rows, [])
        names = [cell.strip().lower() for cell in header]
        column = next((names.index(each) for each in COLUMNS if each in names), None)
        if column is None:
            column = next((place for place, cell in enumerate(header) if _time(cell, zone) is not None), None)
            if column is None:
                raise NoNotes(
                    f"{path.name}: no column is named {', '.join(COLUMNS[:4])}, and the first line has no time"
                )
            yield from _cell(path, 1, header, column, zone)
        for number, row in enumerate(rows, 2):
            if any(cell.strip() for cell in row):
                yield from _cell(path, number, row, column, zone)


def _cell(path: Path, number: int, row: list[str], column: int, zone: ZoneInfo) -> Iterator[Micros]:
    at = _time(row[column], zone) if column < len(row) else None
    if at is None:
        raise NoNotes(f"{path.name}, line {number}: no time in column {column + 1}; write it as 2026-11-21T08:41:03")
    yield at


def _time(text: str, zone: ZoneInfo) -> Micros | None:
    """ISO 8601 (by the zone's clock where it has no offset) or seconds since 1970."""
    text = text.strip()
    try:
        if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
            return round(float(text) * SECOND)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return micros(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))

"""A window made from the times of ransom notes on the file server."""

import os
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.reports.notes import AFTER, BEFORE, NoNotes, offset, read
from radius_policy.model import SECOND

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = round(datetime.fromisoformat("2026-11-21T08:41:03+01:00").timestamp()) * SECOND


def note(folder: Path, name: str, at: int) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("pay")
    os.utime(path, ns=(at * 1000, at * 1000))


def test_the_notes_of_a_folder_give_the_window_by_the_servers_clock_corrected(tmp_path: Path) -> None:
    note(tmp_path / "a", "DECRYPT.txt", FIRST)
    note(tmp_path / "b", "DECRYPT.txt", FIRST + 300 * SECOND)
    note(tmp_path / "b", "holiday.jpg", FIRST - 86_400 * SECOND)
    found = read(tmp_path, BERLIN, "DECRYPT*")
    assert found.number == 2
    begin, end = found.window(offset("-90"))
    assert begin == FIRST - 90 * SECOND - BEFORE
    assert end == FIRST + 210 * SECOND + AFTER


@pytest.mark.parametrize(
    "text",
    [
        "path,modified\nx.txt,2026-11-21T08:41:03\n",
        "time;path\n2026-11-21 08:41:03+01:00;x\n",
        f"{FIRST // SECOND},x\n",
        '\ufeffPath,LastWriteTime\n\n"a,b",2026-11-21T07:41:03Z\n',
    ],
)
def test_a_csv_list_is_read_however_it_is_written(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.csv"
    path.write_text(text, encoding="utf-8")
    assert read(path, BERLIN).first == FIRST


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "no column"), ("path\nx\n", "no column"), ("time\nsoon\n", "line 2"), ("a,time\nx\n", "line 2")],
)
def test_a_list_without_times_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "notes.csv"
    path.write_text(text)
    with pytest.raises(NoNotes, match=said):
        read(path, BERLIN)


def test_a_folder_without_notes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoNotes, match="no notes here"):
        read(tmp_path, BERLIN)
    with pytest.raises(NoNotes, match="no such folder"):
        read(tmp_path / "none", BERLIN)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("+90", 90), ("-90", -90), ("1:30", 90), ("-1:00:30", -3630), ("2min", 120), ("0.5s", 0.5)],
)
def test_an_offset_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert offset(text) == round(seconds * SECOND)


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "--5"])
def test_what_is_no_offset_is_refused(text: str) -> None:
    with pytest.raises(NoNotes, match="no offset"):
        offset(text)

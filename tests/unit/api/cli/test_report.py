"""`pratique report` and `pratique history` as they are typed."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from api.cli import main
from radius_policy.model import SECOND

BASELINE = {"sha256": "0" * 64, "path": "C:\\Windows\\explorer.exe", "signer": "Microsoft Windows", "images": ["img"]}
HOSTS = [{"host": f"PC{n}", "mac": f"02:00:00:00:00:0{n}", "user": f"u{n}", "image": "img"} for n in (1, 2)]
EIGHT = 8 * 3600.0


def event(
    number: int, t: float, host: str, sha256: str, path: str = "C:\\Users\\u1\\Downloads\\x.exe"
) -> dict[str, Any]:
    return {"id": f"e{number}", "t": t, "host": host, "sha256": sha256, "path": path, "user": "u1"}


@pytest.fixture
def past(tmp_path: Path) -> str:
    """A small recorded Monday in a database; its URL."""
    folder = tmp_path / "recorded"
    folder.mkdir()
    events = [
        event(1, EIGHT, "PC1", "0" * 64),
        event(2, EIGHT + 60, "PC1", "a" * 64),
        event(3, EIGHT + 120, "PC2", "a" * 64, "=cmd.exe"),
        event(4, 86_400 + EIGHT, "PC2", "b" * 64),
    ]
    for name, rows in (("baseline", [BASELINE]), ("hosts", HOSTS), ("events", events)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    url = f"sqlite:///{tmp_path}/past.db"
    assert load(url, folder) == 0
    return url


def load(url: str, folder: Path, epoch: str = "2026-11-16T00:00:00+01:00", *more: str) -> int:
    return main(["history", "load", "--events", str(folder), "--epoch", epoch, "--database", url, *more])


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main(["report", *arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_day_lists_what_was_new_and_not_the_inventory(past: str, capsys: pytest.CaptureFixture[str]) -> None:
    day = told(capsys, "day", "2026-11-16", "--database", past)
    assert [(one["sha256"], one["hosts"]) for one in day["executables"]] == [("a" * 64, ["PC1", "PC2"])]
    assert day["executables"][0]["first_execution"] == "2026-11-16T08:01:00+01:00"


def test_a_window_lists_the_first_patient_first(past: str, capsys: pytest.CaptureFixture[str]) -> None:
    window = told(capsys, "window", "--from", "2026-11-16T08:00", "--to", "2026-11-16T08:05", "--database", past)
    assert [(one["host"], one["mac"]) for one in window["hosts"]] == [
        ("PC1", "02:00:00:00:00:01"),
        ("PC2", "02:00:00:00:00:02"),
    ]


def test_a_window_with_nobody_in_it_is_no_failure(past: str, capsys: pytest.CaptureFixture[str]) -> None:
    window = told(capsys, "window", "--from", "2026-11-15T08:00", "--to", "2026-11-15T09:00", "--database", past)
    assert window["hosts"] == []


def test_a_spread_takes_the_beginning_of_a_hash(past: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "spread", "a" * 8, "--database", past)["hosts"] == 2


def test_a_window_is_made_from_ransom_notes(past: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = tmp_path / "notes" / "DECRYPT.txt"
    note.parent.mkdir()
    note.write_text("pay")
    at = 1_794_812_520 * SECOND  # Monday 08:02, and the server's clock is 90 s behind
    os.utime(note, ns=((at - 90 * SECOND) * 1000, (at - 90 * SECOND) * 1000))
    window = told(
        capsys, "window", "--from-notes", str(note.parent), "--server-offset", "+90", "--database", past
    )  # fmt: skip
    assert [one["host"] for one in window["hosts"]] == ["PC1", "PC2"]
    assert "1 notes" in window["notes"]
    assert (window["from"], window["to"]) == ("2026-11-16T07:52:00+01:00", "2026-11-16T08:03:00+01:00")


def test_quarantine_shows_whom_and_does_it_only_when_told_so(past: str, capsys: pytest.CaptureFixture[str]) -> None:
    window = ["report", "window", "--from", "2026-11-16T08:00", "--to", "2026-11-16T08:01:30", "--database", past]
    assert main([*window, "--quarantine"]) == 0
    said = capsys.readouterr().err
    assert "PC1: would be quarantined" in said
    assert "nothing was done" in said
    assert main([*window, "--quarantine", "--yes"]) == 0
    assert "1 quarantined, 0 not" in capsys.readouterr().err
    assert main(["host", "show", "PC1", "--json", "--database", past]) == 0
    assert json.loads(capsys.readouterr().out)["ordered"]["what"] == "quarantine"


def test_a_bundle_is_written_and_verified(
    past: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRATIQUE_SERVICE_DATA", str(tmp_path / "data"))
    out = tmp_path / "bundle.zip"
    make = ["report", "evidence", "--from", "2026-11-16T08:00", "--to", "2026-11-16T09:00", "--out", str(out)]
    assert main([*make, "--about", "saturday", "--database", past]) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert main(["report", "verify", str(out)]) == 0
    assert "holds" in capsys.readouterr().out
    assert main([*make, "--database", past]) == 1, "a bundle is never written over"
    out.write_bytes(out.read_bytes()[:-40])
    assert main(["report", "verify", str(out)]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["day", "yesterday"], 1, "2026-11-21"),
        (["window", "--from", "soon", "--to", "later"], 1, "2026-11-21T08:30"),
        (["window"], 2, "--from"),
        (["window", "--from-notes", "/none"], 1, "no such folder"),
        (["spread", "f" * 64], 1, "no endpoint has reported"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    past: str, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert main(["report", *arguments, "--database", past]) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("epoch", "more", "said"),
    [
        ("2026-11-16T00:00:00", (), "offset"),
        ("monday", (), "no time"),
        ("2026-11-16T00:00:00+01:00", ("--mode", "sleep"), "sleep"),
    ],
)
def test_a_load_that_makes_no_sense_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], epoch: str, more: tuple[str, ...], said: str
) -> None:
    assert load(f"sqlite:///{tmp_path}/x.db", tmp_path, epoch, *more) == 1
    assert said in capsys.readouterr().err


def test_a_folder_without_history_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(f"sqlite:///{tmp_path}/x.db", tmp_path) == 1
    assert "no recorded starts here" in capsys.readouterr().err
    assert not (tmp_path / "x.db").exists()

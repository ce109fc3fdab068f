"""A recorded week is loaded, and the reports are compared with an independent computation over the recorded lines.

The computation here reads the files and the calendar alone: no code of the product but its command line.
"""

import json
import subprocess
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from api.cli import main

pytestmark = [pytest.mark.shared, pytest.mark.slow]

EPOCH = datetime.fromisoformat("2026-11-16T00:00:00+01:00")
HOSTS, DAYS = 60, 3


class Past(NamedTuple):
    """The loaded history: its folder, the database's URL, and its lines."""

    folder: Path
    database: str
    events: list[dict[str, Any]]
    baseline: set[str]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def past(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Past:
    folder = tmp_path_factory.mktemp("past")
    subprocess.run(
        [
            sys.executable, str(shared / "data/scenarios/cryptowall_1500.py"), "--out", str(folder), "--hosts", str(HOSTS),
            "--days", str(DAYS), "--mode", "all", "--image-pcs", "10", "--apps", "15", "--seed", "7",
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    database = f"sqlite:///{folder}/past.db"
    assert (
        main(
            [
                *["history", "load", "--epoch", "2026-11-16T00:00:00+01:00", "--database"],
                database,
                "--events",
                str(folder),
            ]
        )
        == 0
    )
    baseline = {line["sha256"] for line in lines(folder / "baseline.jsonl")}
    return Past(folder, database, lines(folder / "events.jsonl"), baseline)


def report(past: Past, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["report", *arguments, "--database", past.database, "--format", "json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def at(event: dict[str, Any]) -> datetime:
    return EPOCH + timedelta(seconds=event["t"])


@pytest.mark.parametrize("day", range(DAYS))
def test_a_days_report_names_exactly_the_hashes_first_seen_on_it(
    past: Past, capsys: pytest.CaptureFixture[str], day: int
) -> None:
    date = (EPOCH + timedelta(days=day)).date()
    first: dict[str, datetime] = {}
    ran_on: dict[str, set[str]] = defaultdict(set)
    for event in past.events:
        first[event["sha256"]] = min(first.get(event["sha256"], at(event)), at(event))
        if at(event).date() == date:
            ran_on[event["sha256"]].add(event["host"])
    wanted = {sha: moment for sha, moment in first.items() if moment.date() == date and sha not in past.baseline}

    told = report(past, capsys, "day", date.isoformat())

    assert wanted, "the history has something new on every day"
    assert {one["sha256"] for one in told["executables"]} == set(wanted)
    for one in told["executables"]:
        assert datetime.fromisoformat(one["first_execution"]) == wanted[one["sha256"]]
        assert set(one["hosts"]) == ran_on[one["sha256"]]
    assert told["timezone"] == "+01:00"
    assert not {one["sha256"] for one in told["new_on_host"]} & past.baseline


def test_a_windows_report_names_exactly_the_hosts_that_started_something_not_allowed(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = {line["id"]: line["truth"] for line in lines(past.folder / "truth.jsonl")}
    harmful = [event for event in past.events if truth[event["id"]] == "malicious"]
    assert harmful
    macs = {line["host"]: line["mac"] for line in lines(past.folder / "hosts.jsonl")}
    verdicts = verdict_of_each_hash(past, capsys)
    for around in harmful[:: max(1, len(harmful) // 12)]:
        begin, end = at(around) - timedelta(minutes=3), at(around) + timedelta(minutes=4)
        wanted: dict[str, datetime] = {}
        for event in past.events:
            if begin <= at(event) <= end and verdicts.get(event["sha256"], "allowed") != "allowed":
                wanted[event["host"]] = min(wanted.get(event["host"], at(event)), at(event))

        told = report(past, capsys, "window", "--from", begin.isoformat(), "--to", end.isoformat())

        assert around["host"] in wanted
        assert {one["host"] for one in told["hosts"]} == set(wanted)
        starts = [one["executables"][0]["start"] for one in told["hosts"]]
        assert [datetime.fromisoformat(start) for start in starts] == sorted(wanted.values())
        for one in told["hosts"]:
            assert one["mac"] == macs[one["host"]]
            assert all(each["end"] == each["start"] and not each["uncertain"] for each in one["executables"])


def verdict_of_each_hash(past: Past, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """By the days' reports: a hash of the inventory is in none of them, so it counts as allowed."""
    found: dict[str, str] = {}
    for day in range(DAYS):
        date = (EPOCH + timedelta(days=day)).date().isoformat()
        for one in report(past, capsys, "day", date)["executables"]:
            found[one["sha256"]] = one["verdict_then"]
    return found


def test_loading_the_same_history_again_changes_no_report(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    day = (EPOCH + timedelta(days=1)).date().isoformat()
    before = report(past, capsys, "day", day)
    load = [*["history", "load", "--epoch", "2026-11-16T00:00:00+01:00", "--database"], past.database, "--events"]
    assert main([*load, str(past.folder)]) == 0
    assert report(past, capsys, "day", day) == before


def test_each_event_is_in_a_window_around_it_and_none_is_in_an_empty_one(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = EPOCH - timedelta(days=3)
    told = report(past, capsys, "window", "--from", quiet.isoformat(), "--to", (EPOCH - timedelta(days=1)).isoformat())
    assert told["hosts"] == []

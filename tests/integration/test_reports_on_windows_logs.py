"""Recorded Windows logs are loaded, and each day's report is compared with what their lines say by themselves."""

import gzip
import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.cli import main

pytestmark = pytest.mark.shared

PARIS = ZoneInfo("Europe/Paris")
FIELDS = {
    "@timestamp": "time", "host.name": "host", "user.name": "user", "process.executable": "image",
    "process.hash.sha256": "sha256", "process.pid": "pid", "process.parent.executable": "parent_image",
    "process.parent.pid": "parent_pid",
}  # fmt: skip


def creations(shared: Path) -> list[dict[str, Any]]:
    with gzip.open(shared / "data/processes/creations.jsonl.gz", "rt", encoding="utf-8") as file:
        return [line for line in map(json.loads, file) if line["time"]]


def first_seen(lines: list[dict[str, Any]], zone: ZoneInfo) -> dict[str, dict[str, set[str]]]:
    """Day → hash first seen on it → hosts that ran it on that day."""
    first: dict[str, datetime] = {}
    for line in lines:
        at = datetime.fromisoformat(line["time"])
        first[line["sha256"]] = min(first.get(line["sha256"], at), at)
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for line in lines:
        day = datetime.fromisoformat(line["time"]).astimezone(zone).date().isoformat()
        if first[line["sha256"]].astimezone(zone).date().isoformat() == day:
            found[day][line["sha256"]].add(line["host"])
    return found


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["report", *arguments, "--format", "json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def load(folder: Path, database: str, epoch: str) -> None:
    assert main(["history", "load", "--events", str(folder), "--epoch", epoch, "--database", database]) == 0


def test_the_days_of_recorded_creations(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = creations(shared)
    folder = tmp_path / "logs"
    folder.mkdir()
    with (folder / "creations.jsonl").open("w", encoding="utf-8") as file:
        for line in lines:
            event = {name: line[field] for name, field in FIELDS.items() if line[field] is not None}
            file.write(json.dumps({"event.category": ["process"], "event.type": ["start"], **event}) + "\n")
    database = f"sqlite:///{tmp_path}/past.db"
    load(folder, database, "2020-01-01T00:00:00+01:00")
    wanted = first_seen([line for line in lines if line["sha256"]], ZoneInfo("Etc/GMT-1"))
    assert len(wanted) > 20
    for day in sorted(wanted):
        told = report(capsys, "day", day, "--database", database)
        assert {one["sha256"]: set(one["hosts"]) for one in told["executables"]} == wanted[day], day


def test_the_days_of_raw_logs(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {json.loads(line)["source"] for line in (shared / "data/evtx/expected.jsonl").read_text().splitlines()}
    lines = [line for line in creations(shared) if line["log_file"] in names and line["sha256"]]
    assert lines
    database = f"sqlite:///{tmp_path}/past.db"
    load(shared / "data/evtx", database, "2020-01-01T00:00:00+00:00")
    wanted = first_seen(lines, ZoneInfo("UTC"))
    for day in sorted(wanted):
        told = report(capsys, "day", day, "--database", database)
        found = {one["sha256"]: set(one["hosts"]) for one in told["executables"]}
        for sha256, hosts in wanted[day].items():
            assert found.get(sha256) == hosts, (day, sha256)

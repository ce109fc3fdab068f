"""Which history lies at a path: one door for loading and for the backtest."""

import json
from pathlib import Path

import pytest

from radius_policy.grace.builtin import builtin
from radius_policy.model import Operation
from radius_policy.rehearsal.backtest import backtest
from radius_policy.rehearsal.history import Folder, HistoryError
from radius_policy.rehearsal.recorded.reading import Recording, source


def ecs(host: str, at: str, sha256: str) -> str:
    return json.dumps(
        {
            "@timestamp": at,
            "event": {"category": "process", "type": "start"},
            "host": {"name": host},
            "process": {"executable": "C:\\x.exe", "hash": {"sha256": sha256}},
        }
    )


def test_the_scenario_format_is_known_by_its_files(tmp_path: Path) -> None:
    for name in ("events", "baseline", "hosts"):
        (tmp_path / f"{name}.jsonl").touch()
    assert isinstance(source(tmp_path), Folder)


def test_logs_of_all_kinds_are_put_in_the_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(ecs("pc-1", "2026-11-21T09:00:00Z", "a" * 64))
    (tmp_path / "web.log").write_text(
        'type=SYSCALL msg=audit(1795248000.000:1): arch=c000003e syscall=59 success=yes ppid=1 pid=2 auid=0 exe="/bin/x"\n'
    )
    (tmp_path / "readme.txt").write_text("no log")
    found = source(tmp_path)
    assert isinstance(found, Recording)
    assert [start.host_id for start in found.starts()] == ["web", "pc-1"]
    assert not any(start.execution.held for start in found.starts())


def test_one_file_is_a_history_too(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text(ecs("pc-1", "2026-11-21T09:00:00Z", "a" * 64))
    assert [start.sha256 for start in source(path).starts()] == ["a" * 64]


def test_an_inventory_beside_logs_counts(tmp_path: Path) -> None:
    lines = [ecs("pc-1", f"2026-11-21T09:00:0{n}Z", sha * 64) for n, sha in enumerate("ab")]
    (tmp_path / "starts.jsonl").write_text("\n".join(lines))
    (tmp_path / "baseline.jsonl").write_text(json.dumps({"sha256": "a" * 64, "path": "C:\\x.exe"}))
    (tmp_path / "hosts.jsonl").write_text(json.dumps({"host": "pc-1"}))
    result = backtest(source(tmp_path, Operation.HOLD), builtin())
    assert (result.events, result.unknown, result.hosts) == (2, 1, 1)
    assert len(result.moved) == 1


def test_where_nothing_can_be_read_it_says_what_could_be(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"\*\.evtx"):
        source(tmp_path)
    with pytest.raises(HistoryError, match="no such file"):
        source(tmp_path / "none")

"""JSON lines in the Elastic Common Schema, nested or dotted."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from radius_policy.rehearsal.history import HistoryError
from radius_policy.rehearsal.recorded import ecs
from radius_policy.rehearsal.recorded.told import Ended, Told

NESTED: dict[str, Any] = {
    "@timestamp": "2026-11-21T07:41:03.000Z",
    "event": {"category": ["process"], "type": ["start"]},
    "host": {"name": "pc-1", "mac": ["02-00-5E-00-53-23"]},
    "user": {"domain": "CORP", "name": "anna"},
    "process": {
        "pid": 42,
        "entity_id": "x1",
        "executable": "C:\\a.exe",
        "hash": {"sha256": "AB" * 32},
        "parent": {"executable": "C:\\b.exe", "pid": 7, "hash": {"sha256": "cd" * 32}},
        "code_signature": {"exists": True, "valid": True, "subject_name": "Contura GmbH"},
    },
}


def dotted(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    return {
        key: one for part, inner in value.items() for key, one in dotted(inner, f"{name}.{part}".strip(".")).items()
    }


@pytest.mark.parametrize("event", [NESTED, dotted(NESTED)])
def test_a_start_is_read_however_its_fields_are_nested(event: dict[str, Any]) -> None:
    told = ecs.of_event(event)
    assert isinstance(told, Told)
    assert (told.host, told.sha256, told.pid, told.user, told.path) == (
        "pc-1",
        "ab" * 32,
        42,
        "CORP\\anna",
        "C:\\a.exe",
    )
    assert (told.parent, told.parent_sha256, told.signer, told.signer_state) == (
        "C:\\b.exe",
        "cd" * 32,
        "Contura GmbH",
        "valid",
    )
    assert told.mac == "02:00:5e:00:53:23"


def test_without_a_whole_hash_it_is_unjudgeable() -> None:
    for sha256 in ("", "abc", "zz" * 32):
        told = ecs.of_event(dotted(NESTED) | {"process.hash.sha256": sha256})
        assert isinstance(told, Told)
        assert (told.sha256, told.judgeable) == (None, False)


def test_ends_and_other_events() -> None:
    end = ecs.of_event(dotted(NESTED) | {"event.type": ["end"], "process.end": "2026-11-21T08:00:00Z"})
    assert isinstance(end, Ended)
    assert end.process == "x1"
    assert ecs.of_event({"event": {"category": "network", "type": "start"}, "host": {"name": "x"}}) is None
    assert ecs.of_event({"message": "hello"}) is None


def test_a_line_that_is_no_event_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for bad in ("{", "[]", json.dumps(dotted(NESTED) | {"@timestamp": "soon", "process.start": ""})):
        path.write_text(json.dumps(NESTED) + "\n" + bad + "\n")
        with pytest.raises(HistoryError, match=r"log\.jsonl, line 2"):
            list(ecs.read(path))


def test_a_gzipped_file_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(NESTED).encode() + b"\n\n"))
    assert len(list(ecs.read(path))) == 1

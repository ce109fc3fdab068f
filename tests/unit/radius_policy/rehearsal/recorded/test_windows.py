"""Windows event logs: real ones of the evaluation data, and events as Sysmon writes them."""

import json
from pathlib import Path
from typing import Any

import pytest

from radius_policy.rehearsal.history import HistoryError
from radius_policy.rehearsal.recorded import windows
from radius_policy.rehearsal.recorded.told import Ended, Told, with_ends


def event(number: int, provider: str = "Microsoft-Windows-Sysmon", **data: Any) -> dict[str, Any]:
    return {
        "System": {
            "Provider": {"#attributes": {"Name": provider}},
            "EventID": number,
            "TimeCreated": {"#attributes": {"SystemTime": "2026-11-21T07:41:03.250000Z"}},
            "Computer": "PC-1.example.org",
        },
        "EventData": data,
    }


@pytest.mark.shared
def test_every_start_in_the_real_logs_is_found(shared: Path) -> None:
    expected = [json.loads(line) for line in (shared / "data/evtx/expected.jsonl").read_text().splitlines()]
    assert expected
    for one in expected:
        told = [each for each in windows.read(shared / "data/evtx" / one["file"]) if isinstance(each, Told)]
        assert sum(each.source == "sysmon" for each in told) == one["sysmon_1"], one["file"]
        assert sum(each.source == "security" for each in told) == one["security_4688"], one["file"]


@pytest.mark.shared
def test_a_damaged_log_gives_what_is_whole_in_it(shared: Path, tmp_path: Path) -> None:
    whole = (shared / "data/evtx/long_5388d328.evtx").read_bytes()
    half = tmp_path / "half.evtx"
    half.write_bytes(whole[: len(whole) // 4])
    assert 0 < len(list(windows.read(half))) <= 40


@pytest.mark.parametrize("octets", [b"", b"not a log", b"ElfFile\x00" + b"\xff" * 200])
def test_what_is_no_log_is_refused_by_name(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "odd.evtx"
    path.write_bytes(octets)
    with pytest.raises(HistoryError, match=r"odd\.evtx"):
        list(windows.read(path))


def test_a_sysmon_start_has_hash_user_and_parent() -> None:
    told = windows.of_event(
        event(
            1,
            UtcTime="2026-11-21 07:41:03.123",
            Image="C:\\Temp\\a.exe",
            ProcessGuid="{G}",
            ProcessId=4242,
            User="CORP\\anna",
            Hashes="MD5=00,SHA256=" + "AB" * 32 + ",IMPHASH=00",
            ParentImage="C:\\Windows\\explorer.exe",
            ParentProcessId=7,
            Product="-",
        )
    )
    assert isinstance(told, Told)
    assert (told.host, told.sha256, told.user, told.pid) == ("PC-1.example.org", "ab" * 32, "CORP\\anna", 4242)
    assert (told.parent, told.parent_pid, told.product, told.judgeable) == ("C:\\Windows\\explorer.exe", 7, None, True)
    assert told.at == 1795246863_123000


def test_a_4688_never_carries_a_hash_and_is_unjudgeable() -> None:
    told = windows.of_event(
        event(
            4688,
            "Microsoft-Windows-Security-Auditing",
            NewProcessId="0xbd8",
            NewProcessName="C:\\Windows\\System32\\sc.exe",
            SubjectDomainName="CORP",
            SubjectUserName="anna",
            ProcessId="0x10",
            ParentProcessName="C:\\Windows\\System32\\cmd.exe",
        )
    )
    assert isinstance(told, Told)
    assert (told.sha256, told.judgeable, told.pid, told.user) == (None, False, 0xBD8, "CORP\\anna")
    assert told.at == 1795246863_250000, "the event's own time, as nothing else is told"


def test_an_end_finds_its_start_by_the_process() -> None:
    start = windows.of_event(event(1, UtcTime="2026-11-21 07:41:03", ProcessGuid="{A}", ProcessId=1, Image="a"))
    other = windows.of_event(event(1, UtcTime="2026-11-21 07:41:04", ProcessGuid="{B}", ProcessId=1, Image="b"))
    end = windows.of_event(event(5, UtcTime="2026-11-21 07:42:00", ProcessGuid="{A}", ProcessId=1))
    assert isinstance(start, Told)
    assert isinstance(other, Told)
    assert isinstance(end, Ended)
    assert [(one.path, one.ended) for one in with_ends([end, other, start])] == [("a", end.at), ("b", None)]


def test_other_events_are_passed_over() -> None:
    assert windows.of_event(event(3)) is None
    assert windows.of_event(event(1, "Some-Other-Provider")) is None

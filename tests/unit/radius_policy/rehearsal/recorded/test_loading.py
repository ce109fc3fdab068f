"""A recorded past taken into a store: judged at its own time, once, and telling nobody."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    Event,
    Execution,
    Host,
    HostState,
    Mac,
    MacBinding,
    Mode,
    Operation,
    Session,
    Setting,
    Span,
    VerdictWord,
)
from radius_policy.rehearsal.history import Folder, HistoryError
from radius_policy.rehearsal.recorded.loading import CHUNK, Loaded, NotHere, load
from radius_policy.rehearsal.recorded.reading import source
from radius_policy.store.memory import MemoryStore

T = DEFAULT_TENANT
EPOCH = 1_794_783_600 * SECOND
NOW = EPOCH + 400 * 86_400 * SECOND
KNOWN, NEW = "0" * 64, "a" * 64
BASELINE = [{"sha256": KNOWN, "path": "C:\\Windows\\explorer.exe", "signer": None, "images": ["img"]}]


def event(number: int, t: float, sha256: str = NEW, host: str = "PC1", **more: Any) -> dict[str, Any]:
    return {"id": f"e{number}", "t": t, "host": host, "sha256": sha256, "path": "C:\\x\\y.exe", **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, [event(1, 10.0), event(2, 20.5, KNOWN), event(3, 30.0, host="PC9", mac="02:00:00:00:00:09")])
    return tmp_path


def write(folder: Path, events: list[dict[str, Any]]) -> None:
    hosts = [{"host": "PC1", "mac": "02:00:00:00:00:01", "user": "u", "image": "img"}]
    for name, rows in (("baseline", BASELINE), ("hosts", hosts), ("events", events)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def loaded(store: MemoryStore, folder: Path, mode: Mode = Mode.MONITOR, **more: Any) -> Loaded:
    recorded = source(folder, Operation.NOTIFY, EPOCH)
    return asyncio.run(load(store, recorded, zone="+01:00", received=NOW, mode=mode, **more))


def found(store: MemoryStore, kind: type[Any], **equals: Any) -> list[Any]:
    return store.reading().find(kind, tenant=T, **equals)


def test_starts_are_recorded_at_their_own_time_and_judged_then(folder: Path) -> None:
    store = MemoryStore()
    result = loaded(store, folder)
    assert (result.starts, result.recorded, result.known, result.hosts) == (3, 3, 0, 2)
    assert result.verdicts == {"unknown": 2, "allowed": 1}
    starts = {one.id: one for one in found(store, Execution)}
    assert starts["e1"].started == EPOCH + 10 * SECOND
    assert starts["e1"].received == NOW, "retention counts from when it was told"
    assert starts["e2"].started == EPOCH + 20_500_000
    assert starts["e2"].reason.author == "inventory"


def test_a_start_without_an_end_is_a_moment_and_its_clock_is_exact(folder: Path) -> None:
    write(folder, [event(1, 10.0), event(2, 20.0, end=7220.0)])
    store = MemoryStore()
    loaded(store, folder)
    first, second = sorted(found(store, Execution), key=lambda one: one.id)
    assert (first.ended, first.uncertainty_us, first.span, first.ran) == (first.started, 0, Span.HOUR, True)
    assert (second.ended, second.span) == (EPOCH + 7220 * SECOND, Span.DAY)


def test_loading_again_records_nothing_twice(folder: Path) -> None:
    store = MemoryStore()
    loaded(store, folder)
    before = {kind: found(store, kind) for kind in (Execution, Host, HostState, Event, Setting)}
    again = loaded(store, folder)
    assert (again.known, again.recorded) == (3, 0)
    assert {kind: found(store, kind) for kind in before} == before


def test_what_breaks_off_is_gone_on_with(folder: Path) -> None:
    events = [event(number, float(number), f"{number:064x}") for number in range(3 * CHUNK)]
    write(folder, events)
    store = MemoryStore()

    class Cut(Folder):
        def starts(self) -> Iterator[Any]:
            for number, start in enumerate(super().starts()):
                if number == 2 * CHUNK + 1:
                    raise HistoryError("events.jsonl, line 3: the disk is gone")
                yield start

    with pytest.raises(HistoryError):
        asyncio.run(load(store, Cut(folder, Operation.NOTIFY, epoch=EPOCH), zone="+01:00", received=NOW))
    assert len(found(store, Execution)) == 2 * CHUNK
    result = loaded(store, folder)
    assert (result.known, len(found(store, Execution))) == (2 * CHUNK, 3 * CHUNK)


def test_a_late_line_is_placed_by_its_own_time(folder: Path) -> None:
    write(folder, [event(1, 100.0), event(2, 5.0)])
    store = MemoryStore()
    loaded(store, folder)
    assert [one.id for one in found(store, Execution, order="started")] == ["e2", "e1"]


def test_the_zone_and_the_mode_become_the_sites_where_it_has_none(folder: Path) -> None:
    store = MemoryStore()
    loaded(store, folder)
    settings = {one.name: one.value for one in found(store, Setting)}
    assert settings["timezone"] == {"name": "+01:00"}
    assert settings["mode"] == {"default": "monitor"}
    fresh = MemoryStore()
    with fresh.transaction() as tx:
        tx.put(Setting(T, "timezone", {"name": "Europe/Berlin"}, 4, "anna", 1))
    loaded(fresh, folder)
    assert {one.name: one.value for one in found(fresh, Setting)}["timezone"] == {"name": "Europe/Berlin"}


def test_nobody_is_moved_and_nobody_is_told(folder: Path) -> None:
    store = MemoryStore()
    loaded(store, folder)
    assert {str(one.access) for one in found(store, HostState)} == {"production"}
    assert found(store, Event), "what happened can be looked at"
    assert not [one for one in store.reading().changes_since(0) if one.kind == "event"]


def test_hosts_keep_their_addresses_and_newcomers_bring_theirs(folder: Path) -> None:
    store = MemoryStore()
    loaded(store, folder)
    assert {(one.host_id, one.mac) for one in found(store, MacBinding)} == {
        ("PC1", "02:00:00:00:00:01"),
        ("PC9", "02:00:00:00:00:09"),
    }


def test_mode_enforce_is_refused_where_real_machines_are(folder: Path) -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        tx.put(Session(T, "nas", b"s", Mac("02:00:00:00:00:01")))
    with pytest.raises(NotHere, match="--mode monitor"):
        loaded(store, folder, Mode.ENFORCE)
    assert loaded(MemoryStore(), folder, Mode.ENFORCE).verdicts["unknown"] == 2


def test_progress_is_told(folder: Path) -> None:
    write(folder, [event(number, float(number), KNOWN) for number in range(4100)])
    seen: list[int] = []
    loaded(MemoryStore(), folder, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) == 2


def test_a_line_that_is_none_is_refused_with_its_place(folder: Path) -> None:
    with (folder / "events.jsonl").open("a") as file:
        file.write("{\n")
    with pytest.raises(HistoryError, match=r"events\.jsonl, line 4"):
        loaded(MemoryStore(), folder)


@pytest.mark.shared
def test_real_windows_logs_are_loaded_and_a_start_without_hash_is_unjudgeable(shared: Path) -> None:
    store = MemoryStore()
    result = loaded(store, shared / "data/evtx")
    assert (result.starts, result.verdicts["unjudgeable"]) == (74, 21)
    assert {one.verdict for one in found(store, Execution) if one.sha256 is None} == {VerdictWord.UNJUDGEABLE}

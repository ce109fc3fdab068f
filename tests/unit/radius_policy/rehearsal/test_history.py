"""Recorded starts: what is read, what a missing field means, and how a bad line is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from radius_policy.model import SECOND, Executable, Host, ListEntry, Operation, ToolRole
from radius_policy.rehearsal.history import MONDAY, Folder, HistoryError, Kept
from radius_policy.store.memory import MemoryStore
from tests.world import T, World, sha

HOST = {"host": "PC1", "mac": "02:00:00:00:00:01", "user": "CORP\\u1", "role": "office", "image": "img0"}
LINE = {"sha256": sha("cmd"), "path": r"C:\Windows\System32\cmd.exe", "signer": "Microsoft", "images": ["img0"]}
EVENT = {
    "id": "e1", "t": 1.5, "host": "PC1", "sha256": sha("N"), "path": r"C:\n.exe", "parent_path": LINE["path"],
    "parent_sha256": LINE["sha256"], "signer": None, "package_provenance": "ccm:n@1", "user": "u",
}  # fmt: skip


def folder(tmp_path: Path, *events: dict[str, Any], **more: Any) -> Folder:
    files = {"hosts": [HOST], "baseline": [LINE], "events": list(events), **more}
    for name, lines in files.items():
        text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return Folder(tmp_path)


def test_the_parent_stands_for_the_writer_and_checked_channels_count_as_proven(tmp_path: Path) -> None:
    (start,) = folder(tmp_path, EVENT).starts()
    execution = start.execution
    assert execution.writer == execution.parents[0]
    assert (execution.started, execution.proven, execution.held) == (MONDAY + 1_500_000, True, True)
    assert (start.name, start.t) == ("e1", 1.5)


def test_what_is_null_or_missing_is_a_missing_fact(tmp_path: Path) -> None:
    (start,) = folder(tmp_path, {"id": "e2", "t": 2, "host": "PC1", "parent_sha256": None}).starts()
    execution = start.execution
    assert (execution.sha256, execution.writer, execution.parents, execution.signer_state) == (None, None, (), None)
    assert (execution.provenance, execution.proven, execution.user) == (None, False, "")


def test_agents_that_only_notify_hold_nothing(tmp_path: Path) -> None:
    folder(tmp_path, EVENT)
    (start,) = Folder(tmp_path, Operation.NOTIFY).starts()
    assert not start.execution.held


def test_the_inventory_is_confirmed_and_proposes_tool_roles(tmp_path: Path) -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        tools = folder(tmp_path).load(tx)
        assert [tool.role for tool in tools.values()] == [ToolRole.SHELL]
        (entry,) = tx.find(ListEntry, tenant=T)
        assert (entry.author, entry.confirmed, entry.value) == ("inventory", True, sha("cmd"))
        assert tx.get(Executable, T, sha("cmd")) is not None
        (host,) = tx.find(Host, tenant=T)
        assert (host.name, host.role, host.enrolled_at > 0) == ("PC1", "office", True)


def test_a_host_of_an_image_that_the_inventory_does_not_know_is_enrolled_with_its_first_event(tmp_path: Path) -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        folder(tmp_path, hosts=[{**HOST, "image": "img9"}]).load(tx)
        (host,) = tx.find(Host, tenant=T)
    assert host.enrolled_at == 0


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{not json}\n", "events.jsonl, line 2: "),
        ({"id": "x", "t": "soon", "host": "PC1"}, "line 2: Expected `float`, got `str` - at `\\$.t`"),
        ({"t": 1, "host": "PC1"}, "line 2: Object missing required field `id`"),
        ({**EVENT, "sha256": "short"}, "line 2: Expected `str` matching regex"),
    ],
)
def test_a_bad_line_is_refused_with_file_line_and_reason(tmp_path: Path, line: Any, sentence: str) -> None:
    with pytest.raises(HistoryError, match=sentence):
        list(folder(tmp_path, EVENT, line).starts())


def test_a_folder_without_the_files_is_refused_by_name(tmp_path: Path) -> None:
    store = MemoryStore()
    with store.transaction() as tx, pytest.raises(HistoryError, match=r"baseline\.jsonl: No such file"):
        Folder(tmp_path).load(tx)


def test_a_share_of_the_hosts_can_be_the_pilot_ring(tmp_path: Path) -> None:
    many = [{**HOST, "host": f"PC{n}"} for n in range(400)]
    folder(tmp_path, hosts=many)
    store = MemoryStore()
    with store.transaction() as tx:
        Folder(tmp_path, pilot_percent=10).load(tx)
        pilots = [host for host in tx.find(Host, tenant=T) if "pilot" in host.groups]
    assert 20 < len(pilots) < 60


def test_the_stores_own_starts_are_replayed_with_its_lists(tmp_path: Path) -> None:
    world = World("monitor")
    world.host("pc")
    world.allow("A")
    world.start("pc", "A"), world.start("pc", "N")
    kept = Kept.read(world.store.reading(), T, world.now - 3600 * SECOND)
    assert len(list(kept.starts())) == 2
    store = MemoryStore()
    with store.transaction() as tx:
        kept.load(tx)
        assert len(tx.find(ListEntry, tenant=T)) == 1

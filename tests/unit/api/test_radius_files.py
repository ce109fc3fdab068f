"""The RADIUS process' files: the key that is made once, the snapshot that survives, trouble told in sentences."""

from pathlib import Path

import pytest

from api.radius_files import CLASS_KEY_FILE, SNAPSHOT_FILE, STATS_FILE, Files, class_key
from radius_policy.model import Access, HostId, Mac, MacAccess, TenantId
from radius_policy.snapshot import Delta, Snapshot

TENANT, MAC = TenantId(1), Mac("02:00:00:00:00:10")


def filled() -> Snapshot:
    snapshot = Snapshot()
    snapshot.apply(Delta(5, {(TENANT, MAC): MacAccess(TENANT, MAC, HostId("h"), Access.REMEDIATION, 7)}))
    return snapshot


def test_the_class_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = class_key(tmp_path)
    assert len(key) == 32
    assert class_key(tmp_path) == key
    assert (tmp_path / CLASS_KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [CLASS_KEY_FILE]


def test_a_damaged_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / CLASS_KEY_FILE).write_bytes(b"short")
    with pytest.raises(OSError, match="remove it"):
        class_key(tmp_path)


def test_the_snapshot_is_saved_when_wanted_and_found_again(tmp_path: Path) -> None:
    files = Files(tmp_path, filled(), pytest.fail)
    assert files.content() is None
    files.write({}, files.content())
    assert not (tmp_path / SNAPSHOT_FILE).exists()
    files.save_wanted = True
    files.write({"up": 1}, files.content())
    assert (tmp_path / STATS_FILE).read_bytes() == b'{"up": 1}'
    again = Snapshot()
    assert Files(tmp_path, again, pytest.fail).load()
    assert again.mac(TENANT, MAC).generation == 7


def test_a_missing_file_is_ordinary_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    files = Files(tmp_path, Snapshot(), said.append)
    assert not files.load()
    assert said == []
    (tmp_path / SNAPSHOT_FILE).write_bytes(b"rubbish")
    assert not files.load()
    assert "damaged" in said[0]


def test_a_full_disk_is_told_and_saving_is_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    files = Files(tmp_path / "gone", filled(), said.append)
    files.save_wanted = True
    files.write({}, files.content())
    assert "cannot write" in said[0]
    assert files.save_wanted

"""The RADIUS process' files: the key that is made once, the snapshot that survives, trouble told in sentences."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.radius_process.files import CLASS_KEY_FILE, SNAPSHOT_FILE, STATS_FILE, Files, class_key
from radius_policy.model import Access, HostId, Mac, MacAccess, TenantId
from radius_policy.radius.snapshot import Delta, Snapshot

TENANT, MAC = TenantId(1), Mac("02:00:00:00:00:10")


def filled() -> Snapshot:
    snapshot = Snapshot()
    snapshot.apply(Delta(5, {(TENANT, MAC): MacAccess(TENANT, MAC, HostId("h"), Access.PRODUCTION, 7)}))
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


class World:
    """A snapshot with its files, and what was said."""

    def __init__(self, data: Path) -> None:
        self.said: list[str] = []
        self.snapshot = Snapshot()
        self.files = Files(data, self.snapshot, self.said.append)

    def take(self, delta: Delta) -> None:
        self.snapshot.apply(delta)
        self.files.keep(delta)

    def decide(self, generation: int, *, mac: Mac = MAC) -> None:
        row = MacAccess(TENANT, mac, HostId("h"), Access.REMEDIATION, generation)
        self.take(Delta(generation, {(TENANT, mac): row}))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.take(filled().whole())
    yield made
    made.files.close()


def restarted(data: Path) -> World:
    """Another process that finds the files of one that was killed."""
    again = World(data)
    assert again.files.load()
    again.files.close()
    return again


def test_what_was_kept_is_answered_after_a_kill_without_waiting_for_anything(world: World, tmp_path: Path) -> None:
    assert (tmp_path / SNAPSHOT_FILE).stat().st_mode & 0o777 == 0o600, "it holds secrets"
    for generation in (8, 9):
        world.decide(generation)
        again = restarted(tmp_path)
        assert again.snapshot.mac(TENANT, MAC).generation == generation
        assert again.said == []


def test_looks_that_change_no_answer_write_nothing(world: World, tmp_path: Path) -> None:
    before = (tmp_path / SNAPSHOT_FILE).read_bytes()
    world.take(Delta(9, keys=((TENANT, "order", "o1"),)))
    assert (tmp_path / SNAPSHOT_FILE).read_bytes() == before


def test_it_goes_on_in_the_file_that_it_found(world: World, tmp_path: Path) -> None:
    world.decide(8)
    again = World(tmp_path)
    again.files.load()
    again.decide(9)
    again.files.close()
    assert restarted(tmp_path).snapshot.mac(TENANT, MAC).generation == 9


def test_a_piece_cut_off_by_a_kill_is_told_and_mended(world: World, tmp_path: Path) -> None:
    world.decide(8)
    world.decide(9)
    path = tmp_path / SNAPSHOT_FILE
    path.write_bytes(path.read_bytes()[:-3])
    again = World(tmp_path)
    assert again.files.load()
    assert "what changed last" in again.said[0]
    assert again.snapshot.mac(TENANT, MAC).generation == 8
    again.decide(10)
    again.files.close()
    assert restarted(tmp_path).snapshot.mac(TENANT, MAC).generation == 10


def test_a_restored_database_makes_the_file_anew(world: World, tmp_path: Path) -> None:
    world.decide(900)
    world.take(filled().whole())
    again = restarted(tmp_path)
    assert again.snapshot.sequence == 5
    assert again.snapshot.mac(TENANT, MAC).generation == 7


def test_a_long_file_is_written_anew_in_a_quiet_second(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.radius_process.files.APPENDED_MOST", 100)
    path = tmp_path / SNAPSHOT_FILE
    for generation in range(8, 20):
        world.decide(generation)
    long = path.stat().st_size
    world.files.to_disk({}, world.files.each_second())
    assert path.stat().st_size == long, "not while something goes on"
    assert world.files.each_second() is None
    assert path.stat().st_size < long
    world.decide(20)
    assert restarted(tmp_path).snapshot.mac(TENANT, MAC).generation == 20


def test_and_a_very_long_one_at_once(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.radius_process.files.APPENDED_MOST", 1)
    for generation in range(8, 200):
        world.decide(generation)
    long = (tmp_path / SNAPSHOT_FILE).stat().st_size
    assert world.files.each_second() is None
    assert (tmp_path / SNAPSHOT_FILE).stat().st_size < long / 16


def test_the_disk_takes_it_each_second_and_the_figures_too(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    world.files.to_disk({"up": 1}, world.files.each_second())
    assert synced == []
    world.decide(8)
    world.files.to_disk({"up": 2}, world.files.each_second())
    assert len(synced) == 1
    assert (tmp_path / STATS_FILE).read_bytes() == b'{"up": 2}'


def test_a_missing_file_is_ordinary_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert not world.files.load()
    assert world.said == []
    (tmp_path / SNAPSHOT_FILE).write_bytes(b"rubbish")
    assert not world.files.load()
    assert "damaged" in world.said[0]


def test_a_full_disk_is_told_and_the_next_change_writes_the_whole(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, octets: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.write", full)
        world.decide(8)
        world.decide(9)
        world.files.to_disk({}, world.files.each_second())
    assert "No space left" in world.said[0]
    assert restarted(tmp_path).snapshot.mac(TENANT, MAC).generation == 7
    other = Mac("02:00:00:00:00:11")
    world.decide(10, mac=other)
    again = restarted(tmp_path)
    assert again.snapshot.mac(TENANT, MAC).generation == 9
    assert again.snapshot.mac(TENANT, other).generation == 10

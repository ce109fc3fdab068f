"""The spool: what was put in comes out, whatever happens in between."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from health_agent import spool as module
from health_agent.spool import Spool, SpoolError, SpoolFull


def put(spool: Spool, *items: bytes) -> None:
    spool.append(list(items), at_us=7)
    spool.sync()


def data(spool: Spool, limit: int = 1000) -> list[bytes]:
    return [record.data for record in spool.peek(limit)]


def test_records_come_out_in_order_until_they_are_acknowledged(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    put(spool, b"one", b"two")
    put(spool, b"three")
    assert data(spool) == data(spool) == [b"one", b"two", b"three"]
    assert data(spool, limit=2) == [b"one", b"two"]
    spool.acknowledge(spool.peek(2)[-1].number)
    assert data(spool) == [b"three"]
    assert len(spool) == 1
    spool.close()


def test_what_was_not_acknowledged_is_there_after_a_restart_with_its_number_and_time(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    put(spool, b"one", b"two")
    spool.acknowledge(1)
    spool.close()
    again = Spool(tmp_path / "spool")
    assert [(record.number, record.at_us, record.data) for record in again.peek(9)] == [(2, 7, b"two")]
    put(again, b"three")
    assert [record.number for record in again.peek(9)] == [2, 3]
    again.close()


@pytest.mark.parametrize("cut", [1, 10, 23, 24, 26])
def test_a_record_torn_by_a_crash_is_found_and_counted_and_nothing_else_is_lost(tmp_path: Path, cut: int) -> None:
    spool = Spool(tmp_path / "spool")
    put(spool, b"whole")
    put(spool, b"torn")
    spool.close()
    (segment,) = (tmp_path / "spool").glob("*.log")
    os.truncate(segment, segment.stat().st_size - cut)
    again = Spool(tmp_path / "spool")
    assert data(again) == [b"whole"]
    assert again.torn == 1
    put(again, b"next")
    assert data(again) == [b"whole", b"next"]
    again.close()
    assert Spool(tmp_path / "spool").torn == 0


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    put(spool, b"whole", b"flipped")
    spool.close()
    (segment,) = (tmp_path / "spool").glob("*.log")
    octets = bytearray(segment.read_bytes())
    octets[-2] ^= 1
    segment.write_bytes(octets)
    again = Spool(tmp_path / "spool")
    assert (data(again), again.torn) == ([b"whole"], 1)
    again.close()


def test_damage_in_an_older_segment_costs_no_later_one(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", segment=100)
    for number in range(6):
        put(spool, b"%d" % number * 50)
    spool.close()
    first = min((tmp_path / "spool").glob("*.log"))
    first.write_bytes(first.read_bytes()[:-1])
    again = Spool(tmp_path / "spool", segment=100)
    assert again.damaged == 1
    assert data(again)[-4:] == [b"%d" % number * 50 for number in range(2, 6)]
    again.close()


def test_at_its_limit_the_spool_takes_nothing_new_and_keeps_the_old(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", limit=200)
    put(spool, b"o" * 100)
    with pytest.raises(SpoolFull, match="limit"):
        spool.append([b"n" * 100], 0)
    assert data(spool) == [b"o" * 100]
    spool.close()


def test_acknowledged_segments_are_removed_so_that_there_is_room_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", limit=1000, segment=200)
    for number in range(100):
        put(spool, b"%3d" % number * 30)
        spool.acknowledge(number + 1)
    assert spool.size < 400
    assert len(list((tmp_path / "spool").glob("*.log"))) <= 2
    assert len(spool) == 0
    spool.close()


def test_a_full_disk_is_a_sentence_and_leaves_the_spool_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path / "spool")
    put(spool, b"old")
    real = os.pwrite

    def half(file: int, octets: Any, offset: int) -> int:
        real(file, bytes(octets)[:5], offset)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.os, "pwrite", half)
    with pytest.raises(SpoolFull, match="no space left"):
        spool.append([b"new"], 0)
    monkeypatch.undo()
    assert data(spool) == [b"old"]
    put(spool, b"later")
    spool.close()
    again = Spool(tmp_path / "spool")
    assert (data(again), again.torn) == ([b"old", b"later"], 0)
    again.close()


def test_a_sync_that_fails_takes_the_record_out_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path / "spool")
    put(spool, b"old")

    def fails(file: int) -> None:
        raise OSError(errno.ENOSPC, "no")

    spool.append([b"new", b"newer"], 0)
    assert data(spool) == [b"old", b"new", b"newer"], "to be looked at meanwhile"
    assert not spool.durable(2)
    monkeypatch.setattr(module.os, "fdatasync", fails)
    with pytest.raises(SpoolFull):
        spool.sync()
    monkeypatch.undo()
    assert data(spool) == [b"old"]
    put(spool, b"later")
    assert [(record.number, record.data) for record in spool.peek(9)] == [(1, b"old"), (2, b"later")]
    spool.close()


def test_another_failure_of_the_disk_is_another_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path / "spool")

    def fails(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module.os, "pwrite", fails)
    with pytest.raises(SpoolError, match="cannot be written: Input/output error") as raised:
        spool.append([b"new"], 0)
    assert not isinstance(raised.value, SpoolFull)
    monkeypatch.undo()
    spool.close()


def test_a_spool_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(SpoolError, match="cannot be opened"):
        Spool(tmp_path / "spool")


def test_a_lost_acknowledgement_gives_records_twice_but_none_never(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    put(spool, b"one", b"two")
    spool.acknowledge(1)
    spool.close()
    (tmp_path / "spool" / "acked").write_bytes(b"torn")
    again = Spool(tmp_path / "spool")
    assert data(again) == [b"one", b"two"]
    again.close()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batches=st.lists(st.lists(st.binary(max_size=300), min_size=1, max_size=5), max_size=10))
def test_any_octets_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[bytes]]
) -> None:
    directory = tmp_path_factory.mktemp("spool")
    spool = Spool(directory, segment=256)
    for batch in batches:
        put(spool, *batch)
    spool.close()
    again = Spool(directory, segment=256)
    assert data(again) == [item for batch in batches for item in batch]
    again.close()


class AgainstAList(RuleBasedStateMachine):
    """Puts, acknowledgements, restarts and torn tails in any order: the spool equals a plain list."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name)
        self.spool = Spool(self.path, segment=128)
        self.waiting: list[bytes] = []

    @rule(items=st.lists(st.binary(max_size=60), min_size=1, max_size=4))
    def puts(self, items: list[bytes]) -> None:
        put(self.spool, *items)
        self.waiting += items

    @rule(count=st.integers(1, 5))
    def acknowledges(self, count: int) -> None:
        if records := self.spool.peek(count):
            self.spool.acknowledge(records[-1].number)
            del self.waiting[: len(records)]

    @rule(garbage=st.binary(max_size=40))
    def is_killed_while_writing(self, garbage: bytes) -> None:
        self.spool.close()
        if segments := sorted(self.path.glob("*.log")):
            with segments[-1].open("ab") as file:
                file.write(garbage)
        self.spool = Spool(self.path, segment=128)

    @invariant()
    def holds_what_is_waiting(self) -> None:
        assert data(self.spool) == self.waiting
        assert len(self.spool) == len(self.waiting)

    def teardown(self) -> None:
        self.spool.close()
        self.directory.cleanup()


TestAgainstAList = AgainstAList.TestCase
TestAgainstAList.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)

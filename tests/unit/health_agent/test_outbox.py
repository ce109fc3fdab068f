"""What is to be told: on disk where possible, else in memory, never silently gone."""

import errno
from collections import Counter
from pathlib import Path

import pytest

from health_agent import spool as spool_module
from health_agent.outbox import Outbox, decode, encode
from health_agent.spool import Spool
from tests.unit.health_agent.makers import end, execution


class Full:
    """Makes the disk full while it lasts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
        self._patch, self._call = monkeypatch, call

    def __enter__(self) -> None:
        def fails(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        self._patch.setattr(spool_module.os, self._call, fails)

    def __exit__(self, *_: object) -> None:
        self._patch.undo()


def outbox(tmp_path: Path, memory: int = 100) -> tuple[Outbox, Counter[str]]:
    counts: Counter[str] = Counter()
    return Outbox(Spool(tmp_path / "spool"), tmp_path / "refused", counts, memory), counts


def test_items_come_out_as_they_went_in_until_settled(tmp_path: Path) -> None:
    box, counts = outbox(tmp_path)
    assert box.take() is None
    assert box.put((execution(1), end(1)), now=5) is None
    batch = box.take()
    assert batch is not None
    assert batch.items == (execution(1), end(1))
    assert batch.oldest_us == 5
    assert box.settled_on_disk(batch)
    box.settle(batch)
    assert (box.take(), len(box), counts) == (None, 0, {})


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_with_a_full_disk_new_items_are_sent_all_the_same_after_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    box, counts = outbox(tmp_path)
    box.put((execution(1),), 0)
    with Full(monkeypatch, call):
        reason = box.put((execution(2), execution(3)), 0)
    assert reason is not None
    assert "no space left on the disk" in reason
    assert counts == {"spool_full": 2}
    batch = box.take()
    assert batch is not None
    assert batch.items == (execution(1), execution(2), execution(3))
    assert box.settled_on_disk(batch)
    box.settle(batch)
    assert len(box) == 0


def test_a_batch_that_the_disk_gave_up_is_not_sent_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box, _ = outbox(tmp_path)
    seen = []
    box.filled.set = lambda: seen.append(box.take())  # type: ignore[method-assign] # taken while the disk works
    with Full(monkeypatch, "fdatasync"):
        box.put((execution(1),), 0)
    meanwhile, later = seen
    assert meanwhile is not None
    assert not box.settled_on_disk(meanwhile)
    assert later is not None
    assert later.in_memory == (execution(1),)


def test_only_when_memory_is_full_too_the_newest_is_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, counts = outbox(tmp_path, memory=2)
    with Full(monkeypatch, "pwrite"):
        box.put(tuple(execution(number) for number in range(5)), 0)
    assert counts == {"spool_full": 5, "dropped": 3}
    batch = box.take()
    assert batch is not None
    assert batch.items == (execution(0), execution(1))


def test_a_batch_is_no_larger_than_a_report(tmp_path: Path) -> None:
    box, _ = outbox(tmp_path)
    box.put(tuple(execution(number) for number in range(7)), 0)
    batch = box.take(limit=3)
    assert batch is not None
    assert batch.items == tuple(execution(number) for number in range(3))


def test_what_the_service_will_never_take_is_set_aside_with_the_reason(tmp_path: Path) -> None:
    box, counts = outbox(tmp_path)
    box.put((execution(1),), 0)
    batch = box.take()
    assert batch is not None
    box.refuse(batch, "HTTP 400: too odd")
    assert len(box) == 0
    assert counts == {"refused_records": 1}
    (kept,) = (tmp_path / "refused").iterdir()
    assert kept.read_bytes() == encode(execution(1)) + b"\nHTTP 400: too odd\n"


def test_a_record_of_another_release_is_set_aside_and_blocks_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append([b"E{}", encode(execution(1))], 0)
    spool.sync()
    box = Outbox(spool, tmp_path / "refused", counts := Counter())
    batch = box.take()
    assert batch is not None
    assert batch.items == (execution(1),)
    box.settle(batch)
    assert counts == {"refused_records": 1}
    spool.append([b"X{}"], 0)
    spool.sync()
    assert box.take() is None
    assert len(box) == 0


def test_records_survive_as_octets() -> None:
    for item in (execution(1, sha256=None, user="anna"), end(2)):
        assert decode(encode(item)) == item

"""The doorbell wakes whoever listens, and never bothers whoever rings."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from radius_policy.store.doorbell import Bell, Doorbell, DoorbellError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "radius.bell"


@pytest.fixture
def doorbell() -> Iterator[Doorbell]:
    made = Doorbell()
    yield made
    made.close()


@pytest.fixture
def bell(path: Path) -> Iterator[Bell]:
    made = Bell(path)
    yield made
    made.close()


async def test_a_ring_wakes_who_waits_at_once(bell: Bell, doorbell: Doorbell, path: Path) -> None:
    asyncio.get_running_loop().call_later(0.02, doorbell.ring, path)
    begun = time.monotonic()
    assert await bell.wait(10) is True
    assert time.monotonic() - begun < 1


async def test_a_ring_before_the_wait_is_not_lost_and_counts_once(bell: Bell, doorbell: Doorbell, path: Path) -> None:
    assert [doorbell.ring(path) for _ in range(3)] == [True] * 3
    assert await bell.wait(10) is True
    assert await bell.wait(0.01) is False


async def test_without_a_ring_the_wait_ends_after_its_time(bell: Bell) -> None:
    assert await bell.wait(0.02) is False


async def test_it_can_be_waited_for_again_and_again(bell: Bell, doorbell: Doorbell, path: Path) -> None:
    for _ in range(5):
        doorbell.ring(path)
        assert await bell.wait(1) is True


def test_ringing_where_nobody_listens_is_counted_not_raised(doorbell: Doorbell, tmp_path: Path) -> None:
    stale = tmp_path / "stale"
    left_behind = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    left_behind.bind(str(stale))
    left_behind.close()
    assert doorbell.ring(tmp_path / "nobody") is False
    assert doorbell.ring(stale) is False
    assert doorbell.ring(stale) is False
    assert doorbell.ring("/" + "x" * 200) is False
    assert doorbell.ring("\ud800") is False
    assert doorbell.failures == {
        (str(tmp_path / "nobody"), "FileNotFoundError"): 1,
        (str(stale), "ConnectionRefusedError"): 2,
        ("/" + "x" * 200, "OSError"): 1,
        ("\ud800", "UnicodeEncodeError"): 1,
    }


def test_a_listener_who_sleeps_never_blocks_who_rings(bell: Bell, doorbell: Doorbell, path: Path) -> None:
    begun = time.monotonic()
    assert all(doorbell.ring(path) for _ in range(5000)), "a full queue is heard all the same"
    assert time.monotonic() - begun < 2
    assert bell.drain() > 0
    assert not doorbell.failures


def test_a_flood_is_taken_in_parts(bell: Bell, doorbell: Doorbell, path: Path) -> None:
    for _ in range(3000):
        doorbell.ring(path)
    assert 0 < bell.drain() <= 1000


async def test_a_bell_left_behind_by_a_dead_process_is_replaced(path: Path, doorbell: Doorbell) -> None:
    left_behind = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    left_behind.bind(str(path))
    left_behind.close()
    bell = Bell(path)
    assert doorbell.ring(path)
    assert await bell.wait(1)
    bell.close()
    assert os.listdir(path.parent) == []


async def test_a_bell_that_was_replaced_does_not_take_its_successor_down(path: Path, doorbell: Doorbell) -> None:
    old = Bell(path)
    new = Bell(path)
    old.close()
    assert doorbell.ring(path)
    assert await new.wait(1)
    new.close()
    new.close()


def test_only_our_own_may_ring(bell: Bell, path: Path) -> None:
    assert path.stat().st_mode & 0o007 == 0
    assert os.fstat(bell.fileno()).st_mode


def test_something_else_in_the_way_is_left_alone(path: Path) -> None:
    path.write_text("a letter")
    with pytest.raises(DoorbellError, match="is no socket: remove it"):
        Bell(path)
    assert path.read_text() == "a letter"


def test_a_path_too_long_for_the_system_is_explained(tmp_path: Path) -> None:
    longest = tmp_path / ("x" * (107 - len(str(tmp_path)) - 1))
    Bell(longest).close()
    with pytest.raises(DoorbellError, match=r"has 108 octets, the system allows 107.*\n.*shorter path"):
        Bell(f"{longest}y")


def test_a_directory_that_is_not_there_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DoorbellError, match="No such file or directory"):
        Bell(tmp_path / "missing" / "bell")

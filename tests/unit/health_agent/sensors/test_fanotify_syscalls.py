"""Reading the kernel's events."""

import struct

import pytest

from health_agent.sensors.fanotify_syscalls import OPEN_EXEC, Q_OVERFLOW, FileEvent, events, init, mark


def event(mask: int, file: int, pid: int, info: bytes = b"", version: int = 3) -> bytes:
    return struct.pack("=IBBHQii", 24 + len(info), version, 0, 24, mask, file, pid) + info


def pidfd(number: int, kind: int = 4) -> bytes:
    return struct.pack("=BxHi", kind, 8, number)


def test_events_come_out_in_order_with_their_descriptors() -> None:
    buffer = event(OPEN_EXEC, 7, 100, pidfd(8)) + event(OPEN_EXEC, 9, 101) + event(Q_OVERFLOW, -1, 0)
    assert list(events(buffer)) == [
        FileEvent(OPEN_EXEC, 7, 100, 8),
        FileEvent(OPEN_EXEC, 9, 101, -1),
        FileEvent(Q_OVERFLOW, -1, 0, -1),
    ]


def test_records_of_other_kinds_are_passed_over() -> None:
    assert list(events(event(OPEN_EXEC, 7, 100, pidfd(1, kind=6) + pidfd(8)))) == [FileEvent(OPEN_EXEC, 7, 100, 8)]


def test_a_process_that_is_gone_has_a_negative_pidfd() -> None:
    assert next(events(event(OPEN_EXEC, 7, 100, pidfd(-1)))).pidfd == -1


def test_a_torn_tail_is_left_alone() -> None:
    assert list(events(event(OPEN_EXEC, 7, 100) + b"\x00" * 10)) == [FileEvent(OPEN_EXEC, 7, 100, -1)]


@pytest.mark.parametrize("buffer", [event(OPEN_EXEC, 7, 100, version=4), struct.pack("=IBBHQii", 5, 3, 0, 24, 0, 0, 0)])
def test_another_version_of_the_kernels_format_is_an_error(buffer: bytes) -> None:
    with pytest.raises(OSError, match="unknown version"):
        list(events(buffer))


def test_what_the_kernel_refuses_is_an_os_error() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        init(0xFFFF0000)
    with pytest.raises(OSError, match="Bad file"):
        mark(-1, 1, OPEN_EXEC, "/")

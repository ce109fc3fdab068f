"""The three fanotify calls that the standard library lacks, and the reading of their events (fanotify(7)).

Guarantees: every descriptor that the kernel hands over appears in exactly one `FileEvent`; failures are OSError.
It knows nothing of what the events mean to us, and offers no permission events.
"""

import ctypes
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CLOEXEC: Final = 0x1
NONBLOCK: Final = 0x2
CLASS_NOTIF: Final = 0x0
UNLIMITED_QUEUE: Final = 0x10
UNLIMITED_MARKS: Final = 0x20
REPORT_PIDFD: Final = 0x80

MARK_ADD: Final = 0x1
MARK_FILESYSTEM: Final = 0x100

OPEN_EXEC: Final = 0x1000
Q_OVERFLOW: Final = 0x4000

_METADATA: Final = struct.Struct("=IBBHQii")
_INFO: Final = struct.Struct("=BxH")
_PIDFD_INFO: Final = 4
_VERSION: Final = 3
_HERE: Final = -100
"""AT_FDCWD."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fanotify_mark.argtypes = [ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p]


@dataclass(frozen=True, slots=True)
class FileEvent:
    """`file` is an open descriptor of the file, or -1 (overflow). `pidfd` is one of the process, or negative: ended
    already, or not asked for. Both are the receiver's to close."""

    mask: int
    file: int
    pid: int
    pidfd: int


def init(flags: int) -> int:
    """fanotify_init(2): a group, whose events carry descriptors open for reading. Raises OSError."""
    group: int = _libc.fanotify_init(flags, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_LARGEFILE", 0))
    return _checked(group)


def mark(group: int, flags: int, mask: int, path: str) -> None:
    """fanotify_mark(2). Raises OSError."""
    _checked(_libc.fanotify_mark(group, flags, mask, _HERE, os.fsencode(path)))


def events(buffer: bytes) -> Iterator[FileEvent]:
    """The events of one read(2). Raises OSError (EPROTO) where the kernel speaks another version."""
    offset = 0
    while offset + _METADATA.size <= len(buffer):
        length, version, _, metadata, mask, file, pid = _METADATA.unpack_from(buffer, offset)
        if version != _VERSION or length < _METADATA.size:
            raise OSError(71, "fanotify events of an unknown version")
        yield FileEvent(mask, file, pid, _pidfd(buffer, offset + metadata, offset + length))
        offset += length


def _pidfd(buffer: bytes, offset: int, end: int) -> int:
    while offset + _INFO.size <= end:
        kind, length = _INFO.unpack_from(buffer, offset)
        if kind == _PIDFD_INFO:
            return int(struct.unpack_from("=i", buffer, offset + _INFO.size)[0])
        offset += max(length, _INFO.size)
    return -1


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

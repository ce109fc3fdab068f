"""What an executable's bytes are: its SHA-256, size and kind, always read through an open descriptor.

Guarantees. The bytes hashed are those of the file that the descriptor names, whatever its path says by now. A read
lease (fcntl F_SETLEASE) is taken *before* hashing: it is refused while anybody may write, also through a shared
mapping, and while it is held a writer waits in open(). Only content read under a lease, and not changed just now, is
remembered, under (device, inode, ctime, mtime, size): the other order, or no lease, would let changed bytes
run under an old hash.

Deliberately not here: whether the content is good. And nothing is mapped (a truncated mapping kills with SIGBUS).
"""

import fcntl
import hashlib
import os
import signal
import time
from collections import OrderedDict
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from health_agent.contract import Kind

CHUNK: Final = 1 << 20
READ: Final = 1 << 17
HEAD: Final = 256
"""Octets at the beginning that tell the kind (Linux itself reads so many for a #! line)."""
SETTLING_NS: Final = 50_000_000
"""Kernels before 6.13 stamp ctime in ticks, so a change just after the hash could go unseen: such files are hashed anew."""

MAGIC: Final = ((b"\x7fELF", Kind.ELF), (b"MZ", Kind.PE), (b"#!", Kind.SCRIPT), (b"\xca\xfe\xba\xbe", Kind.JAVA))
"""First bytes and what they say. Universal Mach-O begins like Java, but no Linux kernel starts it."""

Key = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Content:
    """`interpreter` is what the first line of a script names. `settled`: nobody could write while it was read."""

    sha256: str
    size: int
    kind: Kind
    interpreter: str | None = None
    settled: bool = True


def kind_of(head: bytes) -> Kind:
    """The kind by the first bytes of a file."""
    return next((kind for magic, kind in MAGIC if head.startswith(magic)), Kind.OTHER)


def interpreter_of(head: bytes) -> str | None:
    """The program that a `#!` line names (execve(2), Interpreter scripts), or None."""
    if not head.startswith(b"#!"):
        return None
    words = head[2:].split(b"\n", 1)[0].split(None, 1)
    return printable(words[0]) if words else None


def printable(name: str | bytes) -> str:
    """A file name as text that survives JSON: octets that are no UTF-8 are shown as backslash escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


class Contents:
    """Reads contents and remembers up to `limit` of them. For one thread."""

    def __init__(self, limit: int = 8192) -> None:
        self._limit = limit
        self._known: OrderedDict[Key, Content] = OrderedDict()

    def remembered(self, status: os.stat_result) -> Content | None:
        """The content of an unchanged file that was read before."""
        return self._known.get(_key(status))

    def read(self, descriptor: int) -> Content:
        """The content behind `descriptor`, hashed or remembered. Raises OSError."""
        steps = self.reading(descriptor)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                content: Content = done.value
                return content

    def reading(self, descriptor: int) -> Generator[None, None, Content]:
        """The same in steps of one `CHUNK`, so that a caller can do something else in between."""
        before = os.fstat(descriptor)
        if remembered := self._known.get(_key(before)):
            return remembered
        leased = _lease(descriptor)
        try:
            before = os.fstat(descriptor)
            digest, size, head = hashlib.sha256(), 0, b""
            while octets := os.pread(descriptor, READ, size):
                head = head or octets[:HEAD]
                digest.update(octets)
                size += len(octets)
                if size % CHUNK == 0:
                    yield
            same = _key(os.fstat(descriptor)) == _key(before)
        finally:
            if leased:
                fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        settled = leased and same
        content = Content(digest.hexdigest(), size, kind_of(head), interpreter_of(head), settled)
        if settled and time.time_ns() - before.st_ctime_ns > SETTLING_NS:
            self._known[_key(before)] = content
            if len(self._known) > self._limit:
                self._known.popitem(last=False)
        return content


def _key(status: os.stat_result) -> Key:
    return status.st_dev, status.st_ino, status.st_ctime_ns, status.st_mtime_ns, status.st_size


def _lease(descriptor: int) -> bool:
    """Whether a read lease was granted. Refused (EAGAIN) where somebody may write, EINVAL where a file system has none,
    EACCES without the right: then nothing is remembered."""
    try:
        # A waiting writer is announced by SIGIO, which would end this process; SIGURG is ignored by default.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError:
        return False
    return True

"""Attached sets of known hashes: ten million of them, looked up in microseconds and without holding them in memory.

The published file is never changed or imported. Beside it (or in a folder of the service) lies an index built once: the
hashes, sorted, 32 octets each, behind a table that says where each first two octets begin. A look-up reads one small
piece of the file. The index names size and time of its source and is built anew when they differ.

A set says what is *known*; whether known counts as allowed is the admin's setting (tables.md, Verdict 3).
"""

import array
import os
import struct
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

from radius_policy.lists.sources import read

_MAGIC: Final = b"PTQHSET1"
_HEAD: Final = struct.Struct("<8sQQQ")
_WIDTH: Final = 32
_HEADS: Final = 1 << 16
_TABLE: Final = _HEADS + 1
_SPILL: Final = 1 << 16


class BadIndex(Exception):
    """The index of a set is damaged or of another source; build it again."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    size: int
    changed_ns: int

    @classmethod
    def of(cls, source: Path) -> "_Stamp":
        stat = source.stat()
        return cls(stat.st_size, stat.st_mtime_ns)


class HashSet:
    """An opened set. Safe to share between threads: look-ups read at offsets of their own. Closed by `close`, or when
    nobody has it any more."""

    def __init__(self, name: str, index: Path, *, allows: bool = False) -> None:
        self.name, self.allows, self.index = name, allows, index
        self._file = index.open("rb")
        self._closed = weakref.finalize(self, self._file.close)
        head = self._file.read(_HEAD.size)
        if len(head) != _HEAD.size or head[:8] != _MAGIC:
            self.close()
            raise BadIndex(f"{index} is no index of a reference set")
        _, size, changed, self.count = _HEAD.unpack(head)
        self._stamp = _Stamp(size, changed)
        self._starts = array.array("Q")
        self._starts.frombytes(self._file.read(_TABLE * 8))
        if sys.byteorder == "big":  # pragma: no cover - the file is little-endian
            self._starts.byteswap()
        self._base = _HEAD.size + _TABLE * 8
        if os.fstat(self._file.fileno()).st_size != self._base + self.count * _WIDTH or self._starts[-1] != self.count:
            self.close()
            raise BadIndex(f"{index} is cut off; remove it and it is built again")

    def __contains__(self, digest: bytes) -> bool:
        head = (digest[0] << 8) | digest[1]
        low, high = self._starts[head], self._starts[head + 1]
        if low == high:
            return False
        piece = os.pread(self._file.fileno(), (high - low) * _WIDTH, self._base + low * _WIDTH)
        left, right = 0, high - low
        while left < right:
            middle = (left + right) // 2
            found = piece[middle * _WIDTH : middle * _WIDTH + _WIDTH]
            if found == digest:
                return True
            if found < digest:
                left = middle + 1
            else:
                right = middle
        return False

    def lookup(self, sha256: str) -> str | None:
        """'' where the set knows the hash, None where it does not (or where this is no hash)."""
        try:
            digest = bytes.fromhex(sha256)
        except ValueError:
            return None
        return "" if len(digest) == _WIDTH and digest in self else None

    def is_of(self, source: Path) -> bool:
        """Whether it was made of the file as it is now. Raises OSError."""
        return self._stamp == _Stamp.of(source)

    def close(self) -> None:
        """Close the file; a look after that is an error."""
        self._closed()

    def __enter__(self) -> "HashSet":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def attach(
    name: str,
    source: Path,
    *,
    allows: bool = False,
    folder: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> HashSet:
    """Open a published set, building its index where there is none or it is of an older source.

    Raises SourceError where a line is wrong (nothing is left behind), OSError where files cannot be read or written.
    """
    # In a folder for all sets, two sources of one name must not take each other's index.
    other = f"-{sha256(bytes(source.absolute())).hexdigest()[:12]}" if folder else ""
    index = (folder or source.parent) / f"{source.name}{other}.ptqset"
    index.parent.mkdir(parents=True, exist_ok=True)
    if index.exists():
        try:
            opened = HashSet(name, index, allows=allows)
        except BadIndex:
            index.unlink()
        else:
            if opened.is_of(source):
                return opened
            opened.close()
    stamp = _Stamp.of(source)
    build((bytes.fromhex(entry.sha256) for entry in read(source)), index, stamp.size, stamp.changed_ns, progress)
    return HashSet(name, index, allows=allows)


def build(
    digests: Iterable[bytes],
    index: Path,
    size: int = 0,
    changed_ns: int = 0,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write an index of these digests (32 octets each, any order, repeats welcome); how many different ones.

    Needs little memory: digests go to 256 files by their first octet, and each of those is sorted by itself.
    """
    with tempfile.TemporaryDirectory(dir=index.parent, prefix=".ptqset-") as scratch:
        parts = _spilled(digests, Path(scratch), progress)
        whole = Path(scratch) / "whole"
        with whole.open("w+b") as out:
            count = _merged(parts, out, size, changed_ns)
            out.flush()
            os.fsync(out.fileno())
        whole.replace(index)
    return count


def _spilled(digests: Iterable[bytes], scratch: Path, progress: Callable[[int], None] | None) -> list[Path]:
    paths = [scratch / f"{number:02x}" for number in range(256)]
    heaps = [bytearray() for _ in range(256)]

    def spill(number: int) -> None:
        with paths[number].open("ab") as part:
            part.write(heaps[number])
        heaps[number].clear()

    for seen, digest in enumerate(digests, 1):
        heap = heaps[digest[0]]
        heap += digest
        if len(heap) >= _SPILL:
            spill(digest[0])
        if progress is not None and seen % 100_000 == 0:
            progress(seen)
    for number in range(256):
        if heaps[number]:
            spill(number)
    return paths


def _merged(parts: list[Path], out: BinaryIO, size: int, changed_ns: int) -> int:
    starts = array.array("Q", bytes(_TABLE * 8))
    out.write(_HEAD.pack(_MAGIC, size, changed_ns, 0) + starts.tobytes())
    count = 0
    for number, part in enumerate(parts):
        if not part.exists():
            continue
        raw = part.read_bytes()
        part.unlink()
        digests = sorted({raw[at : at + _WIDTH] for at in range(0, len(raw), _WIDTH)})
        out.write(b"".join(digests))
        for digest in digests:
            starts[((number << 8) | digest[1]) + 1] += 1
        count += len(digests)
    starts = array.array("Q", accumulate(starts))
    if sys.byteorder == "big":  # pragma: no cover - the file is little-endian
        starts.byteswap()
    out.seek(0)
    out.write(_HEAD.pack(_MAGIC, size, changed_ns, count) + starts.tobytes())
    return count

"""The durable spool: an append-only log on disk; what was put in stays until it is acknowledged.

Guarantees
- After `append` and `sync` what was taken survives kill -9 and a power cut; records may be peeked at before the sync, so
  that a message can be made meanwhile, but must not be told to anybody (`durable`).
- Records come out in the order they went in, with the numbers they got; an acknowledged one never comes out again,
  except after a crash that lost the acknowledgement (the service knows its ids, so that is harmless).
- A record torn by a crash is found (length and CRC-32), cut off at the end of the log, and counted in `torn`;
  damage in an older segment costs the rest of that segment, counted in `damaged`.
- The size is bounded. When the limit or the disk is full `append` raises `SpoolFull` and what is inside stays as it
  is: the oldest data is never dropped for new data.

Deliberately not here: what a record means. Records are octets. One process uses a spool (its state directory is
locked), several of its threads may.

Layout: segments `0000000000000001.log` named by their first record, each a sequence of records (length, CRC-32, number,
time in microseconds, octets); and `acked`, the number of the last acknowledged record with its CRC-32.
"""

import errno
import os
import struct
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from health_agent.files import make_private, sync_directory

HEAD: Final = struct.Struct("<IIQQ")
ACKED: Final = struct.Struct("<QI")
SEGMENT: Final = 1 << 20
RECORD_LIMIT: Final = 1 << 20


class SpoolError(Exception):
    """The spool could not take or give records; the message is a sentence."""


class SpoolFull(SpoolError):
    """No room: the limit is reached, or the disk is full. Nothing of this append is inside."""


@dataclass(frozen=True, slots=True)
class Record:
    number: int
    at_us: int
    data: bytes


@dataclass(slots=True)
class _Segment:
    path: Path
    first: int
    size: int = 0
    last: int = 0
    file: int = -1


@dataclass(slots=True)
class _Place:
    """The first record that is not acknowledged: its segment (an index) and offset there."""

    segment: int = 0
    offset: int = 0


@dataclass(slots=True)
class _Scan:
    end: int = 0
    last: int = 0
    whole: bool = True


class Spool:
    """Opens or creates the spool in `directory`. `limit` is its size in octets. Raises SpoolError."""

    def __init__(self, directory: Path, *, limit: int = 64 << 20, segment: int = SEGMENT) -> None:
        self.torn = 0
        self.damaged = 0
        self._directory = directory
        self._limit = limit
        self._segment_size = segment
        self._lock = threading.RLock()
        self._segments: list[_Segment] = []
        self._head = _Place()
        try:
            make_private(directory)
            self._acked_file = os.open(directory / "acked", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._acked = self._read_acked()
            self._open_segments()
        except OSError as error:
            raise SpoolError(f"the spool in {directory} cannot be opened: {error.strerror}") from error
        self._durable = 0
        self._next = max(self._acked, self._segments[-1].last if self._segments else 0) + 1
        self._durable = self._next - 1
        self._tidy()

    def __len__(self) -> int:
        """How many records are not acknowledged."""
        with self._lock:
            return sum(max(s.last - max(s.first - 1, self._acked), 0) for s in self._segments)

    @property
    def size(self) -> int:
        """Octets on disk."""
        with self._lock:
            return sum(segment.size for segment in self._segments)

    def append(self, items: list[bytes], at_us: int) -> None:
        """Take all of `items` or none. Raises SpoolFull, SpoolError."""
        if (largest := max(map(len, items), default=0)) > RECORD_LIMIT:
            raise SpoolError(f"a record of {largest} octets is too large for the spool")
        with self._lock:
            data = b"".join(_record(self._next + n, at_us, item) for n, item in enumerate(items))
            if self.size + len(data) > self._limit:
                raise SpoolFull(f"the spool in {self._directory} is full: its limit is {self._limit >> 20} MiB")
            try:
                segment = self._writable()
            except OSError as error:
                raise self._failure(error) from error
            try:
                _write(segment.file, data, segment.size)
            except OSError as error:
                self._undo(segment)
                raise self._failure(error) from error
            segment.size += len(data)
            self._next += len(items)
            segment.last = self._next - 1

    def sync(self) -> None:
        """Make what was appended durable. On failure what was not yet durable is taken out again. Raises SpoolFull, SpoolError."""
        with self._lock:
            if not self._segments:
                return
            segment, last = self._segments[-1], self._next - 1
        try:
            os.fdatasync(segment.file)
        except OSError as error:
            with self._lock:
                self._take_out(segment)
            raise self._failure(error) from error
        with self._lock:
            self._durable = last

    def durable(self, number: int) -> bool:
        """Whether the record with this number is safely on disk."""
        return number <= self._durable

    def peek(self, limit: int) -> list[Record]:
        """The oldest records that are not acknowledged, at most `limit`. Raises SpoolError."""
        records: list[Record] = []
        with self._lock:
            place = _Place(self._head.segment, self._head.offset)
            while len(records) < limit and place.segment < len(self._segments):
                segment = self._segments[place.segment]
                if place.offset >= segment.size:
                    place = _Place(place.segment + 1)
                    continue
                record, place.offset = self._read(segment, place.offset)
                if record.number > self._acked:
                    records.append(record)
        return records

    def acknowledge(self, number: int) -> None:
        """Records up to and with `number` need not come out again. Raises SpoolError."""
        with self._lock:
            if number <= self._acked:
                return
            self._acked = number
            data = ACKED.pack(number, zlib.crc32(number.to_bytes(8, "little")))
            try:
                os.pwrite(self._acked_file, data, 0)
                self._advance()
                self._tidy()
            except OSError as error:
                raise self._failure(error) from error

    def close(self) -> None:
        with self._lock:
            for segment in self._segments:
                os.close(segment.file)
            self._segments.clear()
            os.close(self._acked_file)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _failure(self, error: OSError) -> SpoolError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return SpoolFull(f"no space left on the disk for the spool in {self._directory}")
        return SpoolError(f"the spool in {self._directory} cannot be written: {error.strerror}")

    def _read_acked(self) -> int:
        data = os.pread(self._acked_file, ACKED.size, 0)
        if len(data) < ACKED.size:
            return 0
        number, check = ACKED.unpack(data)
        return int(number) if zlib.crc32(number.to_bytes(8, "little")) == check else 0

    def _open_segments(self) -> None:
        paths = sorted(self._directory.glob("*.log"))
        for path in paths:
            segment = _Segment(path, int(path.stem), file=os.open(path, os.O_RDWR | os.O_CLOEXEC))
            scan = _scan(segment.file)
            segment.size, segment.last = scan.end, scan.last or segment.first - 1
            if not scan.whole:
                if path == paths[-1]:
                    self.torn += 1
                else:
                    self.damaged += 1
                os.ftruncate(segment.file, segment.size)
            self._segments.append(segment)
        self._advance()

    def _writable(self) -> _Segment:
        """The segment to append to; a new one where the last is large or all acknowledged."""
        if self._segments and self._segments[-1].size < self._segment_size:
            return self._segments[-1]
        path = self._directory / f"{self._next:016d}.log"
        segment = _Segment(path, self._next, last=self._next - 1)
        segment.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        sync_directory(self._directory)
        self._segments.append(segment)
        return segment

    def _undo(self, segment: _Segment) -> None:
        """Cut off what a failed append left; what stays all the same is found by its CRC or its number at the next start."""
        try:
            os.ftruncate(segment.file, segment.size)
        except OSError:
            self.damaged += 1

    def _take_out(self, segment: _Segment) -> None:
        """Cut off the records behind the last durable one."""
        end, last = segment.size, segment.last
        scan = _scan(segment.file, until=self._durable)
        segment.size, segment.last = scan.end, max(scan.last, segment.first - 1)
        self._next = self._next - (last - segment.last)
        if segment.size < end:
            self._undo(segment)

    def _read(self, segment: _Segment, offset: int) -> tuple[Record, int]:
        head = os.pread(segment.file, HEAD.size, offset)
        length, check, number, at_us = HEAD.unpack(head)
        data = os.pread(segment.file, length, offset + HEAD.size)
        if _check(number, at_us, data) != check:
            raise SpoolError(f"record {number} of {segment.path} has changed on disk")
        return Record(number, at_us, data), offset + HEAD.size + length

    def _advance(self) -> None:
        """Move the head behind what is acknowledged."""
        while self._head.segment < len(self._segments):
            segment = self._segments[self._head.segment]
            if segment.last <= self._acked:
                if self._head.segment == len(self._segments) - 1:
                    self._head.offset = segment.size
                    return
                self._head = _Place(self._head.segment + 1)
                continue
            length, _, number, _ = HEAD.unpack(os.pread(segment.file, HEAD.size, self._head.offset))
            if number > self._acked:
                return
            self._head.offset += HEAD.size + length

    def _tidy(self) -> None:
        """Remove segments that are wholly acknowledged; the last one only when it has grown large."""
        while self._segments and self._segments[0].last <= self._acked:
            only = len(self._segments) == 1
            if only and self._segments[0].size < self._segment_size // 4:
                return
            segment = self._segments.pop(0)
            os.close(segment.file)
            segment.path.unlink()
            self._head = _Place(max(self._head.segment - 1, 0), 0 if only else self._head.offset)


def _check(number: int, at_us: int, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(struct.pack("<QQ", number, at_us)))


def _record(number: int, at_us: int, data: bytes) -> bytes:
    return HEAD.pack(len(data), _check(number, at_us, data), number, at_us) + data


def _write(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def _scan(file: int, until: int | None = None) -> _Scan:
    """Walk the records of one segment up to its end, the first that is not whole, or the one numbered `until`."""
    scan = _Scan()
    size = os.fstat(file).st_size
    while scan.end < size:
        head = os.pread(file, HEAD.size, scan.end)
        if len(head) < HEAD.size:
            scan.whole = False
            return scan
        length, check, number, at_us = HEAD.unpack(head)
        data = os.pread(file, length, scan.end + HEAD.size) if length <= RECORD_LIMIT else b""
        if len(data) != length or _check(number, at_us, data) != check or number <= scan.last:
            scan.whole = False
            return scan
        if until is not None and number > until:
            return scan
        scan.end += HEAD.size + length
        scan.last = number
    return scan

"""The octets of the RADIUS snapshot's file: the state as a whole, and behind it what changed since, one piece each look.

Guarantees: a piece is taken whole or not at all (its length and a checksum stand before it). What a kill cut off at the
end is passed over and told; a file whose beginning cannot be used is a `SnapshotError`, never half used.

Appending a change costs some microseconds where writing thousands of rows anew would cost milliseconds: that is why an
order to the network may wait for it. No file is opened here.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec

from radius_policy.model import Mac, MacAccess, Nas, Setting, TenantId
from radius_policy.radius.snapshot import Delta

VERSION = 1
_HEAD = struct.Struct(">4sII")
_MARK = b"ptqS"
T = TypeVar("T")
K = TypeVar("K")


class SnapshotError(Exception):
    """The snapshot file cannot be used; the message says why and what happens now."""


class _Piece(msgspec.Struct, array_like=True):
    version: int
    whole: bool
    sequence: int
    macs: list[tuple[TenantId, Mac, MacAccess | None]]
    nas: list[tuple[TenantId, str, Nas | None]]
    settings: list[tuple[TenantId, str, Setting | None]]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Piece).decode


def piece(delta: Delta) -> bytes:
    """One change, or a whole state, as the file has it."""
    octets = _encode(
        _Piece(VERSION, delta.whole, delta.sequence, _flat(delta.macs), _flat(delta.nas), _flat(delta.settings))
    )
    return _HEAD.pack(_MARK, len(octets), zlib.crc32(octets)) + octets


def pieces(octets: bytes) -> Iterator[Delta]:
    """What the file holds, first the whole state. Raises SnapshotError: at once where nothing can be used, or after the
    last piece that can."""
    at = 0
    while at < len(octets) or at == 0:
        found = _piece_at(octets, at)
        if found is None:
            raise SnapshotError(
                f"the RADIUS snapshot is damaged at octet {at} of {len(octets)}; "
                + (
                    "what changed last is missing until the database answers"
                    if at
                    else "it is made anew from the database"
                )
            )
        size, entry = found
        if entry.version != VERSION:
            raise SnapshotError(f"the RADIUS snapshot is of version {entry.version}, this program reads {VERSION}")
        if at == 0 and not entry.whole:
            raise SnapshotError("the RADIUS snapshot is damaged: its beginning is missing")
        yield Delta(entry.sequence, _deep(entry.macs), _deep(entry.nas), _deep(entry.settings), whole=entry.whole)
        at += size


def _piece_at(octets: bytes, at: int) -> tuple[int, _Piece] | None:
    """The piece that begins there with its size, None where it is cut off or changed."""
    start = at + _HEAD.size
    if start > len(octets):
        return None
    mark, length, checksum = _HEAD.unpack_from(octets, at)
    body = octets[start : start + length]
    if mark != _MARK or len(body) != length or zlib.crc32(body) != checksum:
        return None
    try:
        return _HEAD.size + length, _decode(body)
    except msgspec.MsgspecError:
        return None


def _flat(rows: Mapping[tuple[TenantId, K], T]) -> list[tuple[TenantId, K, T]]:
    return [(tenant, key, row) for (tenant, key), row in rows.items()]


def _deep(rows: list[tuple[TenantId, K, T]]) -> dict[tuple[TenantId, K], T]:
    return {(tenant, key): row for tenant, key, row in rows}

"""What a switch tells of itself to whoever is plugged in: LLDP (IEEE 802.1AB-2016) and CDP (Cisco), one frame at a time.

Guarantees: pure; every frame gives a `Neighbour`, or None where it is no such frame or its sender no switch, or raises
`BadFrame` with what is wrong in it. Nothing is read beyond a length that the frame itself gives, and every text that
comes out is printable and at most 255 characters: it was written by somebody on the wire.

What it does not do: it opens no socket and knows no time (`location.py`). CDP's checksum is not looked at, because
Ethernet guards the frame and makers compute it in three ways.
"""

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

LLDP_ADDRESSES: Final = frozenset(bytes.fromhex(f"0180c20000{last}") for last in ("0e", "03", "00"))
"""802.1AB 7.1: nearest bridge, nearest non-TPMR bridge, nearest customer bridge."""
CDP_ADDRESS: Final = bytes.fromhex("01000ccccccc")
ETHERTYPE: Final = 0x88CC
MOST: Final = 255

_SNAP_CDP: Final = bytes.fromhex("aaaa0300000c2000")
_HEADER: Final = 14
_END, _CHASSIS, _PORT, _TTL, _DESCRIPTION, _NAME, _CAPABILITIES, _MANAGEMENT = 0, 1, 2, 3, 4, 5, 7, 8
_ONCE: Final = frozenset((_CHASSIS, _PORT, _TTL, _DESCRIPTION, _NAME, _CAPABILITIES))
_MAC_SUBTYPE: Final = {_CHASSIS: 4, _PORT: 3}
_ADDRESS_SUBTYPE: Final = {_CHASSIS: 5, _PORT: 4}
_LAST_SUBTYPE: Final = 7
_FORWARDS, _TELEPHONE = 0x04 | 0x08 | 0x10, 0x20
"""802.1AB 8.5.8.1: bridge, access point or router; telephone."""
_CDP_FORWARDS, _CDP_TELEPHONE = 0x01 | 0x02 | 0x04 | 0x08, 0x80
_CDP_DEVICE, _CDP_ADDRESSES, _CDP_PORT, _CDP_CAPABILITIES, _CDP_NAME = 0x01, 0x02, 0x03, 0x04, 0x14


class BadFrame(ValueError):
    """The frame does not keep its own rules; the message says which."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """`switch` is its name, else its chassis id; `port` its own name of the port, which for LLDP may be a number or a MAC
    address (then `description` often has the name). `ttl_s` is how long it holds; 0 = it is leaving."""

    protocol: str
    switch: str
    port: str
    ttl_s: int
    chassis: str = ""
    description: str = ""
    address: str = ""


def parse(frame: bytes) -> Neighbour | None:
    """One Ethernet frame, from its destination address on, without FCS and tag. Raises BadFrame."""
    if len(frame) < _HEADER:
        return None
    destination, kind = frame[:6], int.from_bytes(frame[12:14], "big")
    if kind == ETHERTYPE and destination in LLDP_ADDRESSES:
        return _lldp(frame[_HEADER:])
    if kind <= 1500 and destination == CDP_ADDRESS and frame[_HEADER:].startswith(_SNAP_CDP):
        if len(frame) < _HEADER + kind:
            raise BadFrame("the frame is shorter than it says")
        return _cdp(frame[_HEADER + len(_SNAP_CDP) : _HEADER + kind])
    return None


@dataclass(slots=True)
class _Told:
    """What the values of a frame add up to."""

    chassis: str = ""
    port: str = ""
    ttl_s: int | None = None
    description: str = ""
    name: str = ""
    address: str = ""
    forwards: bool = True
    seen: set[int] = field(default_factory=set)


def _lldp(data: bytes) -> Neighbour | None:
    told = _Told()
    for position, (kind, value) in enumerate(_lldp_values(data)):
        if position < 3 and kind != (_CHASSIS, _PORT, _TTL)[position]:
            raise BadFrame("it does not begin with chassis, port and time to live")  # 802.1AB 9.2.7.7.1
        if kind in _ONCE and kind in told.seen:
            raise BadFrame(f"value {kind} is there twice")
        told.seen.add(kind)
        _lldp_value(told, kind, value)
    if told.ttl_s is None:
        raise BadFrame("it ends before its time to live")
    return _neighbour("lldp", told)


def _lldp_values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each, up to the end that it must have; what is padded behind is nobody's."""
    offset = 0
    while offset + 2 <= len(data):
        head = int.from_bytes(data[offset : offset + 2], "big")
        kind, length = head >> 9, head & 0x1FF
        offset += 2
        if kind == _END:
            if length:
                raise BadFrame("its end has a length")
            return
        if offset + length > len(data):
            raise BadFrame(f"value {kind} is longer than the frame")
        yield kind, data[offset : offset + length]
        offset += length
    if offset != len(data):
        raise BadFrame("it ends in the middle of a value")


def _lldp_value(told: _Told, kind: int, value: bytes) -> None:
    if kind == _CHASSIS:
        told.chassis = _identifier(kind, value)
    elif kind == _PORT:
        told.port = _identifier(kind, value)
    elif kind == _TTL:
        if len(value) < 2:
            raise BadFrame("its time to live has no two octets")
        told.ttl_s = int.from_bytes(value[:2], "big")
    elif kind == _DESCRIPTION:
        told.description = text(value)
    elif kind == _NAME:
        told.name = text(value)
    elif kind == _CAPABILITIES:
        if len(value) != 4:
            raise BadFrame("its capabilities have no four octets")
        enabled = int.from_bytes(value[2:], "big")
        told.forwards = bool(enabled & _FORWARDS) and not enabled & _TELEPHONE
    elif kind == _MANAGEMENT and not told.address:
        told.address = _management(value)


def _identifier(kind: int, value: bytes) -> str:
    """A chassis or port id: subtype and 1 to 255 octets (802.1AB 8.5.2, 8.5.3)."""
    subtype, body = (value[0], value[1:]) if value else (0, b"")
    if not 1 <= len(body) <= MOST or not 1 <= subtype <= _LAST_SUBTYPE:
        raise BadFrame(f"value {kind} is no identifier")
    if subtype == _MAC_SUBTYPE[kind]:
        if len(body) != 6:
            raise BadFrame(f"value {kind} is no MAC address")
        return body.hex(":")
    if subtype == _ADDRESS_SUBTYPE[kind]:
        return _address(body[0], body[1:]) or body.hex()
    return text(body)


def _management(value: bytes) -> str:
    """The management address, where it is an IP address (802.1AB 8.5.9)."""
    length = value[0] if value else 0
    if not 2 <= length <= 32 or len(value) < 1 + length + 6:
        raise BadFrame("its management address is cut off")
    return _address(value[1], value[2 : 1 + length])


def _address(family: int, octets: bytes) -> str:
    """By IANA's number of the family; '' where it is no IP address."""
    if (family, len(octets)) not in ((1, 4), (2, 16)):
        return ""
    return str(ipaddress.ip_address(octets))


def _cdp(data: bytes) -> Neighbour | None:
    if len(data) < 4:
        raise BadFrame("it ends before its first value")
    version, ttl = data[0], data[1]
    if version not in (1, 2):
        raise BadFrame(f"there is no version {version} of CDP")
    told = _Told(ttl_s=ttl)
    for kind, value in _cdp_values(data[4:]):
        if kind == _CDP_DEVICE:
            told.chassis = text(value)
        elif kind == _CDP_PORT:
            told.port = text(value)
        elif kind == _CDP_NAME:
            told.name = text(value)
        elif kind == _CDP_ADDRESSES and not told.address:
            told.address = _cdp_address(value)
        elif kind == _CDP_CAPABILITIES:
            if len(value) != 4:
                raise BadFrame("its capabilities have no four octets")
            (enabled,) = struct.unpack("!I", value)
            told.forwards = bool(enabled & _CDP_FORWARDS) and not enabled & _CDP_TELEPHONE
    return _neighbour("cdp", told)


def _cdp_values(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + 4 <= len(data):
        kind, length = struct.unpack_from("!HH", data, offset)
        if length < 4 or offset + length > len(data):
            raise BadFrame(f"value {kind} has the length {length}")
        yield kind, data[offset + 4 : offset + length]
        offset += length
    if offset != len(data):
        raise BadFrame("it ends in the middle of a value")


def _cdp_address(value: bytes) -> str:
    """The first of the addresses, where it is one of IPv4: count, then type, length, protocol, length, address."""
    ipv4 = bytes.fromhex("0101cc0004")
    return str(ipaddress.IPv4Address(value[9:13])) if value[4:9] == ipv4 and len(value) >= 13 else ""


def _neighbour(protocol: str, told: _Told) -> Neighbour | None:
    """None for who forwards nothing: another endpoint, or a telephone, whose own port it is."""
    if not told.forwards:
        return None
    switch = told.name or told.chassis
    if not switch or not told.port:
        raise BadFrame("it names no switch, or no port")
    return Neighbour(
        protocol, switch, told.port, told.ttl_s or 0, told.chassis, told.description, told.address
    )  # fmt: skip


def text(octets: bytes) -> str:
    """As people read it: UTF-8, without what cannot be printed and without padding."""
    said = octets.rstrip(b"\0").decode("utf-8", "replace")[:MOST]
    return "".join(char if char.isprintable() else "�" for char in said).strip()

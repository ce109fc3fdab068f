"""What attributes mean: their numbers, VLANs (RFC 3580 3.31, RFC 2868), and the spellings of a MAC address.

Every reader answers None for a value that is none; it never raises, because the octets come from outside.
A writer raises ValueError for our own mistake.
"""

import re
from collections.abc import Iterable
from enum import IntEnum

from radius_policy.model import Mac
from radius_policy.radius.wire import attribute


class Attribute(IntEnum):
    """The attributes that this program reads or writes; `dictionary.pratique` has their names and types."""

    USER_NAME = 1
    USER_PASSWORD = 2
    NAS_IP_ADDRESS = 4
    NAS_PORT = 5
    SERVICE_TYPE = 6
    FRAMED_IP_ADDRESS = 8
    FILTER_ID = 11
    STATE = 24
    CLASS = 25
    VENDOR_SPECIFIC = 26
    SESSION_TIMEOUT = 27
    TERMINATION_ACTION = 29
    CALLED_STATION_ID = 30
    CALLING_STATION_ID = 31
    NAS_IDENTIFIER = 32
    PROXY_STATE = 33
    ACCT_STATUS_TYPE = 40
    ACCT_DELAY_TIME = 41
    ACCT_SESSION_ID = 44
    ACCT_SESSION_TIME = 46
    ACCT_MULTI_SESSION_ID = 50
    EVENT_TIMESTAMP = 55
    NAS_PORT_TYPE = 61
    TUNNEL_TYPE = 64
    TUNNEL_MEDIUM_TYPE = 65
    EAP_MESSAGE = 79
    MESSAGE_AUTHENTICATOR = 80
    TUNNEL_PRIVATE_GROUP_ID = 81
    NAS_PORT_ID = 87
    CHARGEABLE_USER_IDENTITY = 89
    NAS_IPV6_ADDRESS = 95
    ERROR_CAUSE = 101


_TUNNEL_VLAN, _MEDIUM_802 = 13, 6
_PAIRS = re.compile(rb"([0-9a-fA-F]{2})[-:.]?" * 5 + rb"([0-9a-fA-F]{2})(?::.*)?", re.DOTALL)
_QUICK: dict[bytes, Mac] = {}
_QUICK_MOST = 65_536


def parse_mac(value: bytes) -> Mac | None:
    """The MAC address in a User-Name or Calling-Station-Id, canonical, or None.

    Taken are six pairs of hexadecimal digits with at most one of `-`, `:`, `.` between them (so `00-10-A4-23-19-C0`,
    `aabb.ccdd.eeff` and bare digits too), a `:SSID` behind them, and six bare octets.
    """
    known = _QUICK.get(value)
    if known is not None:
        return known
    match = _PAIRS.fullmatch(value)
    if match is not None:
        mac = Mac(b":".join(match.groups()).decode("ascii").lower())
    elif len(value) == 6:
        mac = Mac(value.hex(":"))
    else:
        return None
    if len(_QUICK) >= _QUICK_MOST:
        _QUICK.clear()
    _QUICK[value] = mac
    return mac


def number(value: bytes | None) -> int | None:
    """A four-octet integer, or None."""
    return int.from_bytes(value, "big") if value is not None and len(value) == 4 else None


def write_number(value: int) -> bytes:
    """A four-octet integer. Raises ValueError outside 0 to 2**32-1."""
    if not 0 <= value < 2**32:
        raise ValueError(f"{value} does not fit into four octets")
    return value.to_bytes(4, "big")


def write_vlan(vlan: str) -> bytes:
    """The three tunnel attributes that put a port into `vlan` (a number or the NAS's own name), untagged form.

    The tag octet is sent as zero in all three (RFC 2868 3.1, 3.2, 3.6). Raises ValueError for an empty name.
    """
    if not vlan or len(vlan.encode()) > 252:
        raise ValueError(f"{vlan!r} is no VLAN: give its number or the name the switch knows")
    return (
        attribute(Attribute.TUNNEL_TYPE, bytes((0, 0, 0, _TUNNEL_VLAN)))
        + attribute(Attribute.TUNNEL_MEDIUM_TYPE, bytes((0, 0, 0, _MEDIUM_802)))
        + attribute(Attribute.TUNNEL_PRIVATE_GROUP_ID, b"\0" + vlan.encode())
    )


def read_vlan(attributes: Iterable[tuple[int, bytes]]) -> str:
    """The VLAN that a packet shows, '' for none: Tunnel-Private-Group-ID whose tag agrees with the tunnel type.

    A first octet 0x01 to 0x1F is a tag, 0x00 an unused tag, above it is text (RFC 2868 3.6).
    """
    kinds: dict[int, int] = {}
    names: dict[int, str] = {}
    for code, value in attributes:
        if code == Attribute.TUNNEL_TYPE and len(value) == 4 and value[0] <= 0x1F:
            kinds[value[0]] = int.from_bytes(value[1:], "big")
        elif code == Attribute.TUNNEL_PRIVATE_GROUP_ID and value:
            tag, text = (value[0], value[1:]) if value[0] <= 0x1F else (0, value)
            if text:
                names.setdefault(tag, text.decode("utf-8", "replace"))
    for tag, name in names.items():
        if kinds.get(tag, _TUNNEL_VLAN) == _TUNNEL_VLAN:
            return name
    return ""


def printable(value: bytes | None) -> str:
    """A value for people: its text, or its digits where it is none."""
    if value is None:
        return ""
    text = value.decode("utf-8", "replace")
    return text if text.isprintable() else value.hex()

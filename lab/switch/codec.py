"""The switch's RADIUS: scapy builds and reads the packets, so that our own codec never talks only to itself.

Guarantees: what `decode` returns has exactly the length its header says and whole attributes; `verify_*` check the
authenticators (RFC 2865 3, RFC 5176 3.4, RFC 3579 3.2) and say which one was wrong. Raises nothing but `Malformed`
and `Forged`, both the peer's fault. Knows no meaning of attributes: values are octets on the way in.
"""

import hashlib
import hmac
import logging
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

logging.getLogger("scapy").setLevel(logging.ERROR)  # before the import, which warns about missing routes

from scapy.layers.radius import Radius, RadiusAttr_Message_Authenticator, RadiusAttribute  # noqa: E402

ACCESS_REQUEST: Final = 1
ACCESS_ACCEPT: Final = 2
ACCESS_REJECT: Final = 3
ACCOUNTING_REQUEST: Final = 4
ACCOUNTING_RESPONSE: Final = 5
DISCONNECT_REQUEST: Final = 40
COA_REQUEST: Final = 43

MESSAGE_AUTHENTICATOR: Final = 80
ZEROS: Final = bytes(16)

Value = int | str | bytes
"""A number or dotted address for an attribute that scapy has a class for, else octets."""


class Malformed(Exception):
    """The peer sent octets that are no RADIUS packet; the message says where."""


class Forged(Exception):
    """An authenticator of the peer is wrong or missing: another secret, or a changed packet."""


@dataclass(frozen=True, slots=True)
class Message:
    """A packet as received. `attributes` keeps order, repetition and the values' octets."""

    code: int
    identifier: int
    authenticator: bytes
    attributes: tuple[tuple[int, bytes], ...]

    def first(self, kind: int) -> bytes | None:
        """The first value of attribute `kind`, or None."""
        return next((value for number, value in self.attributes if number == kind), None)


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()  # RFC 2865 knows no other


@lru_cache(maxsize=1024)
def _attribute(kind: int, value: Value) -> bytes:
    """One attribute as scapy builds it. Kept, because a switch says the same few things again and again."""
    known = RadiusAttribute.registered_attributes.get(kind)
    if known is None or (isinstance(value, bytes) and kind != MESSAGE_AUTHENTICATOR):
        return bytes(RadiusAttribute(type=kind, value=value))
    return bytes(known(value=value))


@lru_cache(maxsize=1024)
def _fits(attribute: bytes) -> bool:
    """Whether scapy can read it as what its type says: not a number of one octet, for example."""
    try:
        read = RadiusAttribute(attribute)
    except Exception:  # scapy raises whatever its fields do; as part of a packet it would be shown as raw octets
        return False
    return not read.payload and bytes(read) == attribute


def _build(code: int, identifier: int, authenticator: bytes, attributes: Iterable[tuple[int, Value]]) -> bytearray:
    body = b"".join(_attribute(*pair) for pair in attributes)
    head = Radius(code=code, id=identifier, authenticator=authenticator, len=20 + len(body))
    return bytearray(bytes(head) + body)


def _signed(packet: bytearray, secret: bytes) -> None:
    """Fills the Message-Authenticator, which stands first (as the remedy for CVE-2024-3596 demands of answers)."""
    packet[22:38] = hmac.digest(secret, bytes(packet), "md5")


def request(
    code: int,
    identifier: int,
    attributes: Iterable[tuple[int, Value]],
    secret: bytes,
    authenticator: bytes | None = None,
) -> bytes:
    """A request: with `authenticator` (16 random octets) an Access-Request that carries a Message-Authenticator,
    without one an Accounting-Request whose authenticator is computed (RFC 2866 3)."""
    if authenticator is not None:
        packet = _build(code, identifier, authenticator, [(MESSAGE_AUTHENTICATOR, ZEROS), *attributes])
        _signed(packet, secret)
        return bytes(packet)
    packet = _build(code, identifier, ZEROS, attributes)
    packet[4:20] = _md5(bytes(packet) + secret)
    return bytes(packet)


def response(code: int, asked: Message, attributes: Iterable[tuple[int, Value]], secret: bytes) -> bytes:
    """The answer to `asked`, with both authenticators (RFC 5176 3.4)."""
    packet = _build(code, asked.identifier, asked.authenticator, [(MESSAGE_AUTHENTICATOR, ZEROS), *attributes])
    _signed(packet, secret)
    packet[4:20] = _md5(bytes(packet) + secret)
    return bytes(packet)


def hidden_password(password: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """User-Password of up to 16 octets (RFC 2865 5.2)."""
    pad = _md5(secret + authenticator)
    return bytes(a ^ b for a, b in zip(password.ljust(16, b"\0"), pad, strict=True))


def decode(data: bytes) -> Message:
    """Read one datagram. Raises Malformed."""
    if len(data) < 20:
        raise Malformed(f"{len(data)} octets are less than a header")
    (length,) = struct.unpack_from("!H", data, 2)
    if not 20 <= length <= min(len(data), 4096):
        raise Malformed(f"the header says {length} octets, {len(data)} came")
    at, whole = 20, []
    while at < length:
        if at + 2 > length or data[at + 1] < 2 or at + data[at + 1] > length:
            raise Malformed(f"the attribute at octet {at} does not fit")
        whole.append(data[at : at + data[at + 1]])
        at += data[at + 1]
    packet = Radius(data[:20])
    for number, attribute in enumerate(whole, 1):
        if not _fits(attribute):
            raise Malformed(f"the inside of attribute {number} does not fit its type")
    attributes = tuple((one[0], one[2:]) for one in whole)
    return Message(int(packet.code), int(packet.id), bytes(packet.authenticator), attributes)


def _check_message_authenticator(data: bytes, authenticator: bytes, secret: bytes, *, demand: bool) -> None:
    at, length = 20, struct.unpack_from("!H", data, 2)[0]
    while at < length:
        if data[at] == MESSAGE_AUTHENTICATOR:
            if data[at + 1] != 18:
                raise Forged("Message-Authenticator is not 16 octets long")
            blank = data[:4] + authenticator + data[20 : at + 2] + ZEROS + data[at + 18 : length]
            if not hmac.compare_digest(hmac.digest(secret, blank, "md5"), data[at + 2 : at + 18]):
                raise Forged("Message-Authenticator is wrong")
            return
        at += data[at + 1]
    if demand:
        raise Forged("Message-Authenticator is missing")


def verify_request(data: bytes, secret: bytes) -> None:
    """Check a decodable CoA- or Disconnect-Request. Raises Forged."""
    (length,) = struct.unpack_from("!H", data, 2)
    if not hmac.compare_digest(_md5(data[:4] + ZEROS + data[20:length] + secret), data[4:20]):
        raise Forged("Request Authenticator is wrong")
    _check_message_authenticator(data, ZEROS, secret, demand=True)


def verify_response(data: bytes, asked: bytes, secret: bytes, *, demand: bool) -> None:
    """Check a decodable answer to the request `asked`. Raises Forged."""
    (length,) = struct.unpack_from("!H", data, 2)
    if not hmac.compare_digest(_md5(data[:4] + asked[4:20] + data[20:length] + secret), data[4:20]):
        raise Forged("Response Authenticator is wrong")
    _check_message_authenticator(data, asked[4:20], secret, demand=demand)


def warm_up() -> None:
    """Build and read one packet of each kind: scapy's first of a kind costs milliseconds, the next ones do not."""
    secret = b"warm"
    asked = request(
        ACCESS_REQUEST, 1, [(1, b"a"), (4, "127.0.0.1"), (5, 1), (6, 10), (31, b"a"), (61, 15)], secret, ZEROS
    )
    decode(response(ACCESS_ACCEPT, decode(asked), [(25, b"c"), (64, b"\0\0\0\r"), (81, b"1")], secret))
    request(ACCOUNTING_REQUEST, 2, [(40, 1), (44, b"s"), (46, 0), (49, 1), (55, 0)], secret)
    assert RadiusAttr_Message_Authenticator(value=ZEROS).type == MESSAGE_AUTHENTICATOR

"""The RADIUS packet: a strict check before anything else sees a datagram, the authenticators, and building.

Guarantees: `parse` raises nothing but `WireError`, whose `fault` names the one reason; what it returns keeps every
attribute's octets byte for byte. Digests are compared in constant time. A response built here carries its
Message-Authenticator first (the answer to CVE-2024-3596) unless it is told not to, a request too.

Deliberately not here: what an attribute means (`attributes.py`), whom a secret belongs to (`server.py`), and
opening passwords: MAB needs none of it. A vendor-specific attribute whose inside does not add up is kept as
opaque octets and is no error (RFC 2865 5.26; RFC 6929 2.8).

Sources: RFC 2865 3, RFC 2866 3, RFC 3579 3.2 and 3.3, RFC 5176 2.3 and 3.4, RFC 5997 3, RFC 7930.
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from hashlib import md5
from hmac import compare_digest
from typing import NamedTuple

HEADER = 20
LONGEST = 4096
MOST_ATTRIBUTES = 200
"""A cap on attributes, as other servers have it: more is an attack or a defect."""
USER_PASSWORD, CHAP_PASSWORD, EAP_MESSAGE, MESSAGE_AUTHENTICATOR = 2, 3, 79, 80
ZEROES = bytes(16)
_MARK = b"\x50\x12"


class Code(IntEnum):
    """Packet types (RFC 2865 3, 2866 3, 5176 2; Protocol-Error: RFC 7930)."""

    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCOUNTING_REQUEST = 4
    ACCOUNTING_RESPONSE = 5
    ACCESS_CHALLENGE = 11
    STATUS_SERVER = 12
    STATUS_CLIENT = 13
    DISCONNECT_REQUEST = 40
    DISCONNECT_ACK = 41
    DISCONNECT_NAK = 42
    COA_REQUEST = 43
    COA_ACK = 44
    COA_NAK = 45
    PROTOCOL_ERROR = 52


CODES = frozenset(int(code) for code in Code)
RANDOM_REQUESTS = frozenset({1, 12})
"""Requests whose authenticator is random and proves nothing: only Message-Authenticator does (RFC 2865 3, RFC 5997 3)."""
SIGNED_REQUESTS = frozenset({4, 40, 43})
"""Requests whose authenticator is a digest over the packet (RFC 2866 3, RFC 5176 2.3)."""


class Fault(StrEnum):
    """Why a datagram is dropped. Each is a counter of its own."""

    TOO_SHORT = "too_short"
    BAD_LENGTH = "bad_length"
    CUT_OFF = "cut_off"
    UNKNOWN_CODE = "unknown_code"
    ATTRIBUTE_CUT = "attribute_cut"
    ATTRIBUTE_TYPE_ZERO = "attribute_type_zero"
    ATTRIBUTE_LENGTH = "attribute_length"
    ATTRIBUTE_OVERRUN = "attribute_overrun"
    TOO_MANY_ATTRIBUTES = "too_many_attributes"
    MESSAGE_AUTHENTICATOR_LENGTH = "message_authenticator_length"
    MESSAGE_AUTHENTICATOR_TWICE = "message_authenticator_twice"
    EAP_WITHOUT_MESSAGE_AUTHENTICATOR = "eap_without_message_authenticator"
    EAP_WITH_PASSWORD = "eap_with_password"  # noqa: S105 - a fault's name
    MISSING_MESSAGE_AUTHENTICATOR = "missing_message_authenticator"
    BAD_MESSAGE_AUTHENTICATOR = "bad_message_authenticator"
    BAD_REQUEST_AUTHENTICATOR = "bad_request_authenticator"
    BAD_RESPONSE_AUTHENTICATOR = "bad_response_authenticator"
    UNEXPECTED_CODE = "unexpected_code"
    UNKNOWN_CLIENT = "unknown_client"
    STALE_TIMESTAMP = "stale_timestamp"
    PROXY_STATE_TOO_LONG = "proxy_state_too_long"
    NOT_ASKED = "not_asked"


class WireError(Exception):
    """The peer sent something wrong. `fault` is the reason, the message a sentence with the place in the datagram."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


class Packet(NamedTuple):
    """A checked packet. `data` is exactly Length octets, `mark` where Message-Authenticator's value begins (0: none)."""

    code: int
    identifier: int
    authenticator: bytes
    attributes: tuple[tuple[int, bytes], ...]
    data: bytes
    mark: int

    def first(self, number: int) -> bytes | None:
        """The value of the first attribute `number`, or None."""
        for attribute, value in self.attributes:
            if attribute == number:
                return value
        return None

    def all(self, number: int) -> list[bytes]:
        """The values of all attributes `number`, in order."""
        return [value for attribute, value in self.attributes if attribute == number]


class Secret:
    """A shared secret with its two keyed MD5 states (RFC 2104), which spares half of each Message-Authenticator.

    It never shows itself: its `repr` is empty of it. Raises ValueError for an empty secret, which proves nothing.
    """

    __slots__ = ("_inner", "_outer", "octets")

    def __init__(self, octets: bytes) -> None:
        if not octets:
            raise ValueError("an empty RADIUS secret proves nothing: give the NAS one of at least 16 characters")
        self.octets = octets
        key = (md5(octets, usedforsecurity=False).digest() if len(octets) > 64 else octets).ljust(64, b"\0")
        self._inner = md5(bytes(octet ^ 0x36 for octet in key), usedforsecurity=False)
        self._outer = md5(bytes(octet ^ 0x5C for octet in key), usedforsecurity=False)

    def hmac(self, message: bytes) -> bytes:
        """HMAC-MD5 of `message` (16 octets)."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def digest(self, message: bytes) -> bytes:
        """MD5(message + secret): the Request and Response Authenticator."""
        return md5(message + self.octets, usedforsecurity=False).digest()

    def __repr__(self) -> str:
        return "Secret(...)"


def parse(datagram: bytes) -> Packet:
    """Check a datagram and take it apart. Octets behind Length are padding and ignored (RFC 2865 3).

    Raises WireError with the first fault found.
    """
    length = _check_header(datagram)
    code = datagram[0]
    attributes: list[tuple[int, bytes]] = []
    mark = 0
    eap = False
    at = HEADER
    while at < length:
        if at + 2 > length:
            raise WireError(Fault.ATTRIBUTE_CUT, f"the attribute at octet {at} has no room for its header")
        number, extent = datagram[at], datagram[at + 1]
        end = at + extent
        if number == 0 or extent < 2 or end > length:
            raise _bad_attribute(number, extent, at)
        if number == MESSAGE_AUTHENTICATOR:
            if extent != 18:
                raise WireError(
                    Fault.MESSAGE_AUTHENTICATOR_LENGTH, f"Message-Authenticator has length {extent}, not 18"
                )
            if mark:
                raise WireError(Fault.MESSAGE_AUTHENTICATOR_TWICE, "Message-Authenticator stands there twice")
            mark = at + 2
        elif number == EAP_MESSAGE:
            eap = True
        attributes.append((number, datagram[at + 2 : end]))
        at = end
    if len(attributes) > MOST_ATTRIBUTES:
        raise WireError(Fault.TOO_MANY_ATTRIBUTES, f"{len(attributes)} attributes, at most {MOST_ATTRIBUTES} are taken")
    if not mark:
        _check_unmarked(code, eap)
    return Packet(code, datagram[1], datagram[4:20], tuple(attributes), datagram[:length], mark)


def _check_header(datagram: bytes) -> int:
    size = len(datagram)
    if size < HEADER:
        raise WireError(Fault.TOO_SHORT, f"{size} octets are less than the header's 20")
    length = datagram[2] << 8 | datagram[3]
    if not HEADER <= length <= LONGEST:
        raise WireError(Fault.BAD_LENGTH, f"Length says {length}, allowed are 20 to 4096")
    if length > size:
        raise WireError(Fault.CUT_OFF, f"Length says {length}, only {size} octets came")
    if datagram[0] not in CODES:
        raise WireError(Fault.UNKNOWN_CODE, f"code {datagram[0]} is none we know")
    return length


def _bad_attribute(number: int, extent: int, at: int) -> WireError:
    if number == 0:
        return WireError(Fault.ATTRIBUTE_TYPE_ZERO, f"the attribute at octet {at} has type 0")
    if extent < 2:
        return WireError(
            Fault.ATTRIBUTE_LENGTH, f"attribute {number} at octet {at} has length {extent}, 2 is the least"
        )
    return WireError(Fault.ATTRIBUTE_OVERRUN, f"attribute {number} at octet {at} runs past the packet's end")


def _check_unmarked(code: int, eap: bool) -> None:
    if eap and code in (Code.ACCESS_REQUEST, Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE):
        text = "EAP-Message without Message-Authenticator (RFC 3579 3.2)"
        raise WireError(Fault.EAP_WITHOUT_MESSAGE_AUTHENTICATOR, text)
    if code == Code.STATUS_SERVER:
        text = "Status-Server without Message-Authenticator (RFC 5997 3)"
        raise WireError(Fault.MISSING_MESSAGE_AUTHENTICATOR, text)


def verify_request(packet: Packet, secret: Secret, *, require_message_authenticator: bool) -> None:
    """Check who sent a request. `require_message_authenticator` counts for Access-Requests alone: accounting and
    CoA prove themselves by their authenticator, and the flag must not be asked there.

    Raises WireError (missing or bad Message-Authenticator, bad authenticator), ValueError for a response.
    """
    code, mark, data = packet.code, packet.mark, packet.data
    if code in RANDOM_REQUESTS:
        if not mark:
            if code == Code.STATUS_SERVER or require_message_authenticator:
                raise WireError(Fault.MISSING_MESSAGE_AUTHENTICATOR, "the request carries no Message-Authenticator")
            return
        signed = data
    elif code in SIGNED_REQUESTS:
        signed = data[:4] + ZEROES + data[20:]
        if not compare_digest(secret.digest(signed), packet.authenticator):
            raise WireError(Fault.BAD_REQUEST_AUTHENTICATOR, "the Request Authenticator does not fit the shared secret")
    else:
        raise ValueError(f"code {code} is no request")
    if mark and not compare_digest(secret.hmac(signed[:mark] + ZEROES + data[mark + 16 :]), data[mark : mark + 16]):
        raise WireError(Fault.BAD_MESSAGE_AUTHENTICATOR, "the Message-Authenticator does not fit the shared secret")


def verify_response(packet: Packet, request_authenticator: bytes, secret: Secret) -> None:
    """Check that a response answers the request with this authenticator. A Message-Authenticator is checked where
    there is one, and not demanded: FreeRADIUS 3.2 answers CoA without it. Raises WireError."""
    data, mark = packet.data, packet.mark
    signed = data[:4] + request_authenticator + data[20:]
    if not compare_digest(secret.digest(signed), packet.authenticator):
        raise WireError(Fault.BAD_RESPONSE_AUTHENTICATOR, "the Response Authenticator does not fit request and secret")
    if mark and not compare_digest(secret.hmac(signed[:mark] + ZEROES + data[mark + 16 :]), data[mark : mark + 16]):
        raise WireError(Fault.BAD_MESSAGE_AUTHENTICATOR, "the Message-Authenticator does not fit the shared secret")


def attribute(number: int, value: bytes) -> bytes:
    """One attribute as octets. Raises ValueError where it cannot be one."""
    if not 1 <= number <= 255 or len(value) > 253:
        raise ValueError(f"attribute {number} of {len(value)} octets does not fit (1 to 255, at most 253 octets)")
    return bytes((number, len(value) + 2)) + value


def join(attributes: Iterable[tuple[int, bytes]]) -> bytes:
    """Attributes one after the other, as octets."""
    return b"".join([attribute(number, value) for number, value in attributes])


def build_response(code: int, request: Packet, secret: Secret, attributes: bytes = b"", *, mark: bool = True) -> bytes:
    """The answer to `request`: Message-Authenticator first (unless `mark` is False), then `attributes` (octets).

    Raises ValueError if it would not fit into a packet.
    """
    head = _head(code, request.identifier, len(attributes) + (18 if mark else 0))
    if mark:
        signature = secret.hmac(head + request.authenticator + _MARK + ZEROES + attributes)
        attributes = _MARK + signature + attributes
    return head + secret.digest(head + request.authenticator + attributes) + attributes


def build_request(
    code: int,
    identifier: int,
    secret: Secret,
    attributes: bytes = b"",
    *,
    authenticator: bytes | None = None,
    mark: bool = True,
) -> bytes:
    """A request. `authenticator` is 16 random octets for Access-Request and Status-Server, and None for those
    whose authenticator is computed (accounting, Disconnect, CoA). Raises ValueError for our own misuse."""
    if (code in RANDOM_REQUESTS) != (authenticator is not None) or code not in RANDOM_REQUESTS | SIGNED_REQUESTS:
        raise ValueError(f"code {code} {'takes' if code in RANDOM_REQUESTS else 'computes'} its authenticator")
    if authenticator is not None and len(authenticator) != 16:
        raise ValueError("a Request Authenticator has 16 octets")
    head = _head(code, identifier, len(attributes) + (18 if mark else 0))
    base = ZEROES if authenticator is None else authenticator
    if mark:
        attributes = _MARK + secret.hmac(head + base + _MARK + ZEROES + attributes) + attributes
    return head + (authenticator or secret.digest(head + ZEROES + attributes)) + attributes


def _head(code: int, identifier: int, size: int) -> bytes:
    length = HEADER + size
    if length > LONGEST:
        raise ValueError(f"a packet of {length} octets is longer than RADIUS allows (4096)")
    return bytes((code, identifier, length >> 8, length & 255))

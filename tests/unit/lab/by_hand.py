"""RADIUS by hand (RFC 2865, 2866, 5176), so that scapy's packets are read and made by other code in the tests."""

import hashlib
import hmac
import os
import struct

SECRET = b"a-secret-of-the-lab"
ZEROS = bytes(16)


def md5(data: bytes) -> bytes:
    return hashlib.md5(data).digest()


def tlv(kind: int, value: bytes) -> bytes:
    return bytes((kind, len(value) + 2)) + value


def attributes(data: bytes) -> dict[int, bytes]:
    at, found = 20, {}
    while at < struct.unpack_from("!H", data, 2)[0]:
        found.setdefault(data[at], data[at + 2 : at + data[at + 1]])
        at += data[at + 1]
    return found


def coa(identifier: int, named: list[tuple[int, bytes]], *, code: int = 43, secret: bytes = SECRET) -> bytes:
    """A CoA- (43) or Disconnect-Request (40) with a Message-Authenticator, over which zeros stand (RFC 5176 3.4)."""
    body = b"".join(tlv(*pair) for pair in named)
    head = struct.pack("!BBH", code, identifier, 38 + len(body))
    signed = tlv(80, hmac.digest(secret, head + ZEROS + tlv(80, ZEROS) + body, "md5")) + body
    return head + md5(head + ZEROS + signed + secret) + signed


def answer(request: bytes, code: int, given: list[tuple[int, bytes]], *, secret: bytes = SECRET) -> bytes:
    """An answer to `request` with both authenticators."""
    body = b"".join(tlv(*pair) for pair in given)
    head = struct.pack("!BBH", code, request[1], 38 + len(body))
    signed = tlv(80, hmac.digest(secret, head + request[4:20] + tlv(80, ZEROS) + body, "md5")) + body
    return head + md5(head + request[4:20] + signed + secret) + signed


def accept(request: bytes, vlan: str, class_: bytes = b"class-1", *, secret: bytes = SECRET) -> bytes:
    given = [(64, b"\0\0\0\x0d"), (65, b"\0\0\0\x06"), (81, vlan.encode()), (25, class_)]
    return answer(request, 2, given, secret=secret)


def stored(request: bytes, *, secret: bytes = SECRET) -> bytes:
    """An Accounting-Response (RFC 2866 3)."""
    head = struct.pack("!BBH", 5, request[1], 20)
    return head + md5(head + request[4:20] + secret)


def is_from_switch(request: bytes, secret: bytes = SECRET) -> bool:
    """Whether the authenticators of an Access- or Accounting-Request are right."""
    (length,) = struct.unpack_from("!H", request, 2)
    if length != len(request):
        return False
    if request[0] == 4:
        return md5(request[:4] + ZEROS + request[20:] + secret) == request[4:20]
    blank = request[:22] + ZEROS + request[38:]
    return request[20:22] == bytes((80, 18)) and hmac.digest(secret, blank, "md5") == request[22:38]


def password(request: bytes, secret: bytes = SECRET) -> bytes:
    hidden = attributes(request)[2]
    return bytes(a ^ b for a, b in zip(hidden, md5(secret + request[4:20]), strict=True)).rstrip(b"\0")


def authenticator() -> bytes:
    return os.urandom(16)

"""What goes over the wire between NAS and us, put into words: for `pratique nas trace`. Pure; off the hot path.

Guarantees: showing never raises and never shows a password; each packet says whether it fits the shared secret, a
response only where its request was seen.
"""

import struct
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, NamedTuple

from radius_policy.radius.dictionary import show
from radius_policy.radius.wire import (
    RANDOM_REQUESTS,
    SIGNED_REQUESTS,
    Code,
    Packet,
    Secret,
    WireError,
    parse,
    verify_request,
    verify_response,
)

_UDP: Final = 17
_REMEMBERED: Final = 1000
_REQUESTS: Final = RANDOM_REQUESTS | SIGNED_REQUESTS
_TO_NAS: Final = frozenset({Code.DISCONNECT_REQUEST, Code.COA_REQUEST})
_FROM_NAS: Final = frozenset(range(Code.DISCONNECT_ACK, Code.COA_NAK + 1)) - _TO_NAS

Place = tuple[str, int]


class Datagram(NamedTuple):
    """A UDP datagram with its two ends."""

    source: Place
    destination: Place
    octets: bytes


def udp(packet: bytes) -> Datagram | None:
    """The UDP datagram in an IP packet (RFC 791, RFC 8200); None where there is none, or only a fragment of one."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        start, protocol = (packet[0] & 15) * 4, packet[9]
        if struct.unpack_from("!H", packet, 6)[0] & 0x3FFF:
            return None
        ends = [".".join(map(str, packet[at : at + 4])) for at in (12, 16)]
    elif version == 6 and len(packet) >= 40:
        import ipaddress

        start, protocol = 40, packet[6]
        ends = [str(ipaddress.IPv6Address(packet[at : at + 16])) for at in (8, 24)]
    else:
        return None
    if protocol != _UDP or len(packet) < start + 8:
        return None
    source, destination, length = struct.unpack_from("!HHH", packet, start)
    return Datagram((ends[0], source), (ends[1], destination), packet[start + 8 : start + max(8, length)])


class Trace:
    """Follows a conversation. `secrets` are those of the NAS by address, for what they send, and `coa` for what we send
    them."""

    def __init__(self, secrets: Mapping[str, Secret], coa: Mapping[str, Secret]) -> None:
        self._secrets, self._coa = secrets, coa
        self._asked: OrderedDict[tuple[Place, Place, int], bytes] = OrderedDict()

    def lines(self, datagram: Datagram) -> list[str]:
        """What it is, whether it fits the secret, and its attributes."""
        head = f"{_place(datagram.source)} → {_place(datagram.destination)}"
        try:
            packet = parse(datagram.octets)
        except WireError as error:
            return [f"{head}  {len(datagram.octets)} octets that are no RADIUS packet: {error}"]
        named, *attributes = show(packet)
        if packet.code in _REQUESTS:
            key = (datagram.source, datagram.destination, packet.identifier)
            self._asked[key] = packet.authenticator
            if len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)
        return [f"{head}  {named}  ({self._proof(datagram, packet)})", *(f"    {line}" for line in attributes)]

    def _proof(self, datagram: Datagram, packet: Packet) -> str:
        """Which secret counts: what a NAS asks and our answer have the one, what we ask it and its answer the other."""
        source, destination = datagram.source[0], datagram.destination[0]
        try:
            if packet.code in _REQUESTS:
                secret = self._coa.get(destination) if packet.code in _TO_NAS else self._secrets.get(source)
                if secret is None:
                    return "of no NAS that is listed"
                verify_request(packet, secret, require_message_authenticator=False)
                return (
                    "fits the secret" if packet.mark or packet.code in SIGNED_REQUESTS else "unsigned: proves nothing"
                )
            asked = self._asked.get((datagram.destination, datagram.source, packet.identifier))
            secret = self._coa.get(source) if packet.code in _FROM_NAS else self._secrets.get(destination)
            if asked is None or secret is None:
                return "its request was not seen"
            verify_response(packet, asked, secret)
        except WireError as error:
            return f"does NOT fit: {error}"
        return "fits the secret"


def _place(place: Place) -> str:
    host, port = place
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

"""RADIUS packets as the kernel sees them, in both directions: what `pratique nas trace` prints. It sends nothing.

Linux alone (AF_PACKET, packet(7)); needs CAP_NET_RAW. Whoever may do this may read the traffic anyway.
"""

import socket
import time
from collections.abc import Collection, Iterator
from typing import Final

from api.config import Radius
from api.errors import Refused
from radius_policy.model import Nas
from radius_policy.nas import profile
from radius_policy.radius.trace import Trace, udp
from radius_policy.radius.wire import Secret

_EVERY_PROTOCOL: Final = 0x0003
_OUTGOING: Final = 4
_LARGEST: Final = 65_536


def watch(known: Collection[Nas], ours: Radius, *, only: frozenset[str] | None, seconds: float) -> Iterator[str]:
    """Lines, as packets pass; `only` the addresses to look at. Raises Refused."""
    ports = {ours.authentication.port, ours.accounting.port}
    ports |= {nas.coa_port or profile.load(nas.profile).port for nas in known}
    coa = {nas.coa_address or nas.address: Secret(nas.coa_secret or nas.secret) for nas in known}
    trace = Trace({nas.address: Secret(nas.secret) for nas in known}, coa)
    end = time.monotonic() + seconds
    with _socket() as raw:
        while (left := end - time.monotonic()) > 0:
            raw.settimeout(left)
            try:
                packet, (interface, _, kind, *_) = raw.recvfrom(_LARGEST)
            except TimeoutError:
                return
            datagram = udp(packet)
            if datagram is None or (interface == "lo" and kind == _OUTGOING):  # there each packet passes twice
                continue
            ends = (datagram.source, datagram.destination)
            if ports.isdisjoint(port for _, port in ends) or (only and only.isdisjoint(host for host, _ in ends)):
                continue
            yield from trace.lines(datagram)


def _socket() -> socket.socket:
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EVERY_PROTOCOL))
    except PermissionError as error:
        raise Refused("seeing the packets of this machine needs root, or the right CAP_NET_RAW: use sudo") from error
    except (AttributeError, OSError) as error:
        raise Refused(f"this system does not show its packets ({error}); use tcpdump or wireshark here") from error

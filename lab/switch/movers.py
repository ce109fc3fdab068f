"""Two ways to put a port into a VLAN: a veth between Linux bridges, or a row of a table through which frames go.

Guarantees of both: after `place` returns no further frame of the port enters the old VLAN; after `lift` frames flow
in the new one. The bridge mover keeps the carrier away for at least `PAUSE_S`: without the pause the endpoint sees
one carrier event instead of two in some moves, misses that anything happened and keeps its old address. (Of 40 moves
on a busy machine a pause of 2 ms lost one, 5 ms none.)
"""

import socket
import time
from collections import deque
from typing import Any, Final, Protocol

from lab.switch.core import Wiring
from lab.switch.netlink import Links

PAUSE_S: Final = 0.01
FRAMES_KEPT: Final = 100_000


class Mover(Protocol):
    def place(self, port: Wiring, vlan: str | None) -> None:
        """Carrier off, then into the VLAN."""
        ...

    def lift(self, port: Wiring) -> None:
        """Carrier on."""
        ...


class Bridges:
    """Each VLAN is a Linux bridge of this network namespace."""

    def __init__(self, bridges: dict[str, str]) -> None:
        self._bridges = bridges
        self._links = Links()
        self._down: dict[str, float] = {}

    def place(self, port: Wiring, vlan: str | None) -> None:
        self._links.carrier(port.veth, up=False)  # first, because this is where packets stop
        self._down[port.veth] = time.monotonic()
        self._links.master(port.veth, self._bridges[vlan] if vlan else None)

    def lift(self, port: Wiring) -> None:
        left = self._down.pop(port.veth, 0.0) + PAUSE_S - time.monotonic()
        if left > 0:
            time.sleep(left)
        self._links.carrier(port.veth, up=True)


class Table:
    """A port table. Endpoints are processes on loopback; their frames are datagrams: the MAC, then the payload.

    `wire` receives both sides: a frame of an endpoint goes on to the file server, and its answer back, only while
    the endpoint's port is up and in the production VLAN. When each was forwarded is kept, for those who count.
    """

    def __init__(self, ports: list[Wiring], wire: socket.socket, server: Any, production: str) -> None:
        self._ports = {bytes.fromhex(port.mac.replace(":", "")): port for port in ports}
        self._vlan: dict[str, str | None] = {}
        self._up: set[str] = set()
        self._wire, self._server, self._production = wire, server, production
        self._endpoints: dict[bytes, Any] = {}
        self.forwarded: dict[str, deque[int]] = {port.name: deque(maxlen=FRAMES_KEPT) for port in ports}
        self.strangers = 0

    def place(self, port: Wiring, vlan: str | None) -> None:
        self._up.discard(port.name)
        self._vlan[port.name] = vlan

    def lift(self, port: Wiring) -> None:
        self._up.add(port.name)

    def vlan(self, name: str) -> str | None:
        """The VLAN of a port whose carrier is up, else None."""
        return self._vlan.get(name) if name in self._up else None

    def frame(self) -> None:
        """Forward one datagram, or drop it as a switch does."""
        data, source = self._wire.recvfrom(2048)
        port = self._ports.get(data[:6])
        if port is None:
            self.strangers += 1
            return
        inward = source != self._server
        if inward:
            self._endpoints[data[:6]] = source
        if self.vlan(port.name) != self._production:
            return
        if inward:
            self.forwarded[port.name].append(time.time_ns() // 1000)
            self._wire.sendto(data, self._server)
        elif data[:6] in self._endpoints:
            self._wire.sendto(data, self._endpoints[data[:6]])

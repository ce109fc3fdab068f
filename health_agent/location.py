"""Where this endpoint is plugged in: listens for what switches tell of themselves, and keeps the newest by interface.

Guarantees: it only listens; it sends nothing and takes no interface out of its state (the multicast addresses are the
socket's own and go with it). At most `BURST` frames a second and `MOST` neighbours are looked at, so that somebody who
floods the wire costs little; what does not keep the rules is counted. Without the right to listen nothing fails: `reason`
says what is missing, and the service knows the port by accounting or not at all.

What it does not do: it parses nothing (`discovery.py`), and believes nothing beyond what the wire says: any machine on the
segment can pretend to be a switch, and the service treats it as that.
"""

import os
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from health_agent import contract, discovery, network

BURST: Final = 50
MOST: Final = 16
LOOK_S: Final = 10.0
_PROTOCOLS: Final = (discovery.ETHERTYPE, 0x0004)
"""LLDP's EtherType, and ETH_P_802_2, under which the kernel hands out frames with a length, as CDP's are."""
_SOL_PACKET, _ADD_MEMBERSHIP, _MULTICAST = 263, 1, 0
_FRAME: Final = 2048
_LEAST_BUFFER: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Place:
    """What one interface heard. Times are of the monotonic clock, in seconds."""

    interface: str
    mac: str
    neighbour: discovery.Neighbour
    heard: float

    @property
    def until(self) -> float:
        return self.heard + self.neighbour.ttl_s


class Places:
    """The newest of each interface and protocol, for as long as it holds. No socket, no clock: `now` is an argument."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._found: dict[tuple[str, str], Place] = {}

    def take(self, interface: str, mac: str, frame: bytes, now: float) -> bool:
        """A frame came in; whether what the service should know has changed."""
        try:
            neighbour = discovery.parse(frame)
        except discovery.BadFrame:
            self._counts["discovery_malformed"] += 1
            return False
        if neighbour is None:
            return False
        key = (interface, neighbour.protocol)
        self._found = {one: place for one, place in self._found.items() if place.until > now}
        before = self._found.pop(key, None)
        if neighbour.ttl_s and (before is not None or len(self._found) < MOST):
            self._found[key] = Place(interface, mac, neighbour, now)
        return bool(neighbour.ttl_s) and (before is None or _where(before.neighbour) != _where(neighbour))

    def told(self, now: float) -> tuple[contract.Neighbour, ...]:
        """As the heartbeat says it; LLDP before CDP, because a switch that speaks both means the same port."""
        held = sorted((one for one in self._found.values() if one.until > now), key=_order)
        return tuple(
            contract.Neighbour(
                protocol=contract.Discovery(one.neighbour.protocol),
                mac=one.mac,
                switch=one.neighbour.switch,
                port=one.neighbour.port,
                chassis=one.neighbour.chassis,
                description=one.neighbour.description,
                address=one.neighbour.address,
                age_s=max(0, int(now - one.heard)),
            )
            for one in held
        )


def _order(place: Place) -> tuple[str, bool]:
    return place.interface, place.neighbour.protocol != "lldp"


def _where(neighbour: discovery.Neighbour) -> tuple[str, str]:
    return neighbour.switch, neighbour.port


class Listener(threading.Thread):
    """Listens on its own thread and calls `changed` when the service should hear of it. It starts even where it may not."""

    def __init__(self, changed: Callable[[], None], counts: Counter[str]) -> None:
        super().__init__(name="location", daemon=True)
        self._changed = changed
        self._places = Places(counts)
        self._turn = threading.Lock()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC)
        self._joined: set[int] = set()
        self._macs: dict[str, str] = {}
        self._sockets: tuple[socket.socket, ...] = ()
        try:
            self._sockets = tuple(_opened(protocol) for protocol in _PROTOCOLS)
        except PermissionError:
            self.reason = "not listening for LLDP and CDP: that needs the right CAP_NET_RAW"
        except OSError as error:
            self.reason = f"not listening for LLDP and CDP: {error.strerror}"
        else:
            self.reason = "listening for LLDP and CDP"

    def told(self) -> tuple[contract.Neighbour, ...]:
        """What holds now. From any thread."""
        with self._turn:
            return self._places.told(time.monotonic())

    def summary(self) -> str:
        """One line for people: where this endpoint is, or why that is not known."""
        found = [f"{one.port} of {one.switch} ({one.protocol})" for one in self.told()]
        return ", ".join(found) or (f"{self.reason}, none heard" if self._sockets else self.reason)

    def run(self) -> None:
        if not self._sockets:
            return
        poll = select.poll()
        for descriptor in (*(each.fileno() for each in self._sockets), self._bell):
            poll.register(descriptor, select.POLLIN)
        looked, second, room = 0.0, 0.0, BURST
        while True:
            now = time.monotonic()
            if now - looked >= LOOK_S:
                looked = now
                self._look_around()
            if now - second >= 1:
                second, room = now, BURST
            ready = [descriptor for descriptor, _ in poll.poll(LOOK_S * 1000)]
            if self._bell in ready:
                break
            for each in self._sockets:
                if each.fileno() in ready:
                    room -= 1
                    self._receive(each)
            if room <= 0 and self._rests(second + 1 - time.monotonic()):
                break
        for each in self._sockets:
            each.close()
        os.close(self._bell)

    def stop(self) -> None:
        if self.is_alive():
            os.eventfd_write(self._bell, 1)
            self.join(2)

    def _rests(self, seconds: float) -> bool:
        """Let the kernel drop what comes too quickly; whether it was asked to end meanwhile."""
        return bool(select.select([self._bell], [], [], max(0.0, seconds))[0])

    def _receive(self, heard: socket.socket) -> None:
        try:
            frame, (interface, _, packet, _, source) = heard.recvfrom(_FRAME)
        except OSError:  # the interface went down: what it said is gone by its time to live
            return
        mac = self._macs.get(interface)
        if packet == socket.PACKET_OUTGOING or mac is None or bytes(source).hex(":") in self._macs.values():
            return
        with self._turn:
            changed = self._places.take(interface, mac, frame, time.monotonic())
        if changed:
            self._changed()

    def _look_around(self) -> None:
        """Hear on interfaces that came meanwhile."""
        self._macs = network.interfaces()
        for name in self._macs:
            try:
                index = socket.if_nametoindex(name)
                if index not in self._joined:
                    self._join(index)
                    self._joined.add(index)
            except OSError:  # it went between the two questions
                continue

    def _join(self, index: int) -> None:
        lldp, snap = self._sockets
        for each, addresses in ((lldp, discovery.LLDP_ADDRESSES), (snap, (discovery.CDP_ADDRESS,))):
            for address in addresses:
                request = struct.pack("=iHH8s", index, _MULTICAST, len(address), address)
                each.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, request)


def _opened(protocol: int) -> socket.socket:
    """A socket for frames of one protocol, whatever the interface. Raises OSError."""
    made = socket.socket(
        socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, socket.htons(protocol)
    )
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LEAST_BUFFER)
    return made

"""This machine's network as the agent needs it: its MAC addresses, its addresses, and the moment they change.

Names come from the current network namespace (psutil asks the kernel; /sys may show another one's). Virtual interfaces
that container engines make by the dozen are left out, as long as anything else remains.
"""

import os
import select
import socket
import struct
import threading
from collections.abc import Callable
from typing import Final

import psutil

VIRTUAL: Final = ("veth", "docker", "br-", "virbr", "cni", "flannel", "cali", "tap", "vnet", "lxc")
MOST: Final = 64

_HEADER: Final = struct.Struct("=IHHII")
_LINK: Final = struct.Struct("=BxHiII")
_RTM_NEWLINK, _RTM_DELLINK, _RTM_NEWADDR, _RTM_DELADDR = 16, 17, 20, 21
_GROUPS: Final = 0x1 | 0x10 | 0x100
"""RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR."""
_LOWER_UP: Final = 0x10000


def interfaces() -> dict[str, str]:
    """The MAC address of each interface, in canonical text, by name."""
    found = {
        name: address.address.lower()
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if address.family == psutil.AF_LINK and len(address.address) == 17 and address.address != "00:00:00:00:00:00"
    }
    return {name: mac for name, mac in found.items() if not name.startswith(VIRTUAL)} or found


def macs() -> tuple[str, ...]:
    """The MAC addresses of the interfaces, each once, at most 64."""
    return tuple(dict.fromkeys(interfaces().values()))[:MOST]


def addresses() -> tuple[str, ...]:
    """The IP addresses of the interfaces, without those that only this machine or link knows, at most 64."""
    found = [
        address.address.split("%", 1)[0]
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if name != "lo" and address.family in (socket.AF_INET, socket.AF_INET6)
    ]
    return tuple(dict.fromkeys(text for text in found if not text.startswith(("fe80:", "127."))))[:MOST]


class Changes:
    """Reads rtnetlink messages into one question: must old connections be given up? (carrier lost or back, address changed)"""

    def __init__(self) -> None:
        self._carrier: dict[int, bool] = {}

    def in_(self, data: bytes) -> bool:
        """Whether one datagram of the kernel tells such a change."""
        changed, offset = False, 0
        while offset + _HEADER.size <= len(data):
            length, kind, *_ = _HEADER.unpack_from(data, offset)
            if length < _HEADER.size:
                break
            changed |= self._tells(kind, data, offset + _HEADER.size)
            offset += (length + 3) & ~3
        return changed

    def _tells(self, kind: int, data: bytes, offset: int) -> bool:
        if kind == _RTM_NEWADDR:
            # Every router advertisement repeats the IPv6 addresses; only IPv4 ones are news.
            return data[offset : offset + 1] == bytes([socket.AF_INET])
        if kind in (_RTM_DELADDR, _RTM_DELLINK):
            return True
        if kind != _RTM_NEWLINK or offset + _LINK.size > len(data):
            return False
        _, _, index, flags, _ = _LINK.unpack_from(data, offset)
        carrier = bool(flags & _LOWER_UP)
        before = self._carrier.get(index)
        self._carrier[index] = carrier
        return before is not carrier if before is not None else not carrier


class Watcher(threading.Thread):
    """Calls `changed` when the network changes, on its own thread. Raises OSError where netlink is missing."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__(name="network", daemon=True)
        self._changed = changed
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, _GROUPS))
        self._bell = os.eventfd(0, os.EFD_CLOEXEC)
        self._changes = Changes()

    def run(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._bell, select.POLLIN)
        while self._bell not in [descriptor for descriptor, _ in poll.poll()]:
            try:
                data = self._socket.recv(65536)
            except OSError:
                self._changed()  # the kernel dropped messages (ENOBUFS): something changed
                continue
            if self._changes.in_(data):
                self._changed()
        self._socket.close()
        os.close(self._bell)

    def stop(self) -> None:
        os.eventfd_write(self._bell, 1)
        self.join(2)

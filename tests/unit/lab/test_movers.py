"""The port table: whose frames pass, and whose do not."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.switch.core import Wiring
from lab.switch.movers import Table

PORT = Wiring(2, "port2", "02:00:00:00:00:12")
FRAME = bytes.fromhex("020000000012") + b"ping"


@dataclass
class Cable:
    table: Table
    wire: socket.socket
    endpoint: socket.socket
    server: socket.socket

    def send(self, frame: bytes = FRAME) -> None:
        self.endpoint.sendto(frame, self.wire.getsockname())
        self.table.frame()

    def server_got(self) -> bytes | None:
        try:
            return self.server.recv(100)
        except BlockingIOError:
            return None


@pytest.fixture
def cable() -> Iterator[Cable]:
    opened = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for one in opened:
        one.bind(("127.0.0.1", 0))
    wire, endpoint, server = opened
    server.setblocking(False)
    yield Cable(Table([PORT], wire, server.getsockname(), "10"), wire, endpoint, server)
    for one in opened:
        one.close()


def test_a_port_in_production_reaches_the_file_server_and_hears_it(cable: Cable) -> None:
    cable.table.place(PORT, "10")
    cable.table.lift(PORT)
    cable.send()
    assert cable.server_got() == FRAME
    cable.server.sendto(FRAME, cable.wire.getsockname())
    cable.table.frame()
    assert cable.endpoint.recv(100) == FRAME
    assert len(cable.table.forwarded["port2"]) == 1


@pytest.mark.parametrize(("vlan", "up"), [("66", True), ("10", False), (None, True)])
def test_in_remediation_without_carrier_or_nowhere_nothing_passes(cable: Cable, vlan: str | None, up: bool) -> None:
    cable.table.place(PORT, vlan)
    if up:
        cable.table.lift(PORT)
    cable.send()
    assert cable.server_got() is None
    assert not cable.table.forwarded["port2"]


def test_a_frame_of_a_stranger_is_dropped_and_counted(cable: Cable) -> None:
    cable.send(b"\x02\0\0\0\0\x99ping")
    assert cable.server_got() is None
    assert cable.table.strangers == 1

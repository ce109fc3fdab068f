"""The network that needs no rights: endpoints are processes on loopback, and the switch's table decides whose frames
reach the file server.

What it cannot show: DHCP, carrier loss, frames of the agent (its reports take loopback directly, not the port).
An endpoint's address is simulated from the VLAN of its port.
"""

import socket
from pathlib import Path
from typing import Any, Final

from lab.endpoints.page import TEXT
from lab.fabric import ENDPOINTS, PRODUCTION, REMEDIATION, Addresses, Endpoint, FabricError, free_ports
from lab.processes import Processes
from lab.python import module
from lab.switch import control

SUBNETS: Final = {PRODUCTION: "10.77.1", REMEDIATION: "10.77.2"}


class Table:
    """The fabric in the processes of an ordinary user."""

    name = "table"
    sensor = "polling"

    def __init__(self, processes: Processes, state: Path) -> None:
        api, *_ = free_ports(1, socket.SOCK_STREAM)
        authentication, accounting, coa, self._wire, self._files = free_ports(5, socket.SOCK_DGRAM)
        self.addresses = Addresses("127.0.0.1", api, authentication, accounting, coa)
        self._processes, self._state = processes, state

    def build(self) -> None:
        for endpoint in ENDPOINTS:
            self.programs(endpoint).mkdir(parents=True)
        self._processes.start("fileserver", *module("lab.endpoints.fileserver"), str(self._files))

    def switch_config(self) -> dict[str, Any]:
        return {
            "vlans": {PRODUCTION: "production", REMEDIATION: "remediation"},
            "ports": [{"number": e.number, "name": e.port, "mac": e.mac} for e in ENDPOINTS],
            "wire": ["127.0.0.1", self._wire],
            "file_server": ["127.0.0.1", self._files],
            "production": PRODUCTION,
        }

    def join(self, endpoint: Endpoint) -> None:
        """Nothing to start: the address follows the port."""

    def enter(self, endpoint: Endpoint) -> list[str]:
        return []

    def programs(self, endpoint: Endpoint) -> Path:
        return self._state / "programs" / endpoint.name

    def pinger(self, endpoint: Endpoint) -> list[str]:
        return ["--wire", f"127.0.0.1:{self._wire}", "--mac", endpoint.mac]

    def address(self, endpoint: Endpoint) -> str | None:
        vlan = control.command(self._state / "switch.ctl", {"show": True})[endpoint.port]["vlan"]
        return f"{SUBNETS[vlan]}.{100 + endpoint.number}" if vlan in SUBNETS else None

    def frames(self, endpoint: Endpoint, since_us: int, until_us: int) -> list[int]:
        answer = control.command(self._state / "switch.ctl", {"frames": endpoint.port, "since": since_us})
        return [at for at in answer["frames"] if at < until_us]

    def page(self, endpoint: Endpoint) -> str:
        address = self.address(endpoint)
        if address is None or not address.startswith(SUBNETS[REMEDIATION]):
            raise FabricError(f"{endpoint.name} is not in remediation, it has {address}")
        return TEXT

    def close(self) -> None:
        """Nothing is held."""

"""The network of the lab: one interface, two ways to make it.

`netns`: endpoints are network namespaces joined by veth to two Linux bridges; needs root, and some programs.
`table`: endpoints are processes on loopback and the switch's port table decides whose frames pass; needs nothing.
`choose` takes the first that this machine can do and says in one line why.
"""

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

PRODUCTION: Final = "10"
REMEDIATION: Final = "66"
NEEDED: Final = {
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "dnsmasq": "dnsmasq-base",
    "dhcpcd": "dhcpcd-base",
}


class FabricError(Exception):
    """The network could not be built or used; the message says what failed."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One computer of the lab, behind the port of its number."""

    number: int
    mac: str

    @property
    def name(self) -> str:
        return f"endpoint{self.number}"

    @property
    def port(self) -> str:
        return f"port{self.number}"


ENDPOINTS: Final = tuple(Endpoint(number, f"02:00:00:00:00:1{number}") for number in (1, 2, 3))


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the service listens (`host`) and what the switch uses. `coa_host` is the switch's own address."""

    host: str
    api: int
    authentication: int
    accounting: int
    coa: int
    coa_host: str = "127.0.0.1"


class Fabric(Protocol):
    """A network with a production and a remediation VLAN, and three endpoints on a switch."""

    name: str
    sensor: str
    addresses: Addresses

    def build(self) -> None:
        """Make everything up to the ports, which have no carrier yet. Raises FabricError."""
        ...

    def switch_config(self) -> dict[str, Any]:
        """The fabric's part of the switch's configuration."""
        ...

    def join(self, endpoint: Endpoint) -> None:
        """Start what an endpoint needs to get an address once its port has a carrier."""
        ...

    def enter(self, endpoint: Endpoint) -> list[str]:
        """The beginning of a command line that runs on this endpoint."""
        ...

    def programs(self, endpoint: Endpoint) -> Path:
        """The folder whose programs this endpoint runs and its agent watches."""
        ...

    def pinger(self, endpoint: Endpoint) -> list[str]:
        """The pinger's options that make it ping the file server from this endpoint."""
        ...

    def address(self, endpoint: Endpoint) -> str | None:
        """The endpoint's address now."""
        ...

    def frames(self, endpoint: Endpoint, since_us: int, until_us: int) -> list[int]:
        """When frames of this endpoint came to its port in that time."""
        ...

    def page(self, endpoint: Endpoint) -> str:
        """What the endpoint gets when it asks for the remediation page. Raises FabricError when it gets nothing."""
        ...

    def close(self) -> None:
        """Let go of sockets and threads; the processes end with the lab."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """`why` is one line for people."""

    name: str
    why: str


def choose(wanted: str | None = None) -> Choice:
    """`wanted`, or what this machine can do. Raises FabricError if `wanted` is impossible here."""
    if wanted == "table":
        return Choice("table", "a simulated port table on loopback, as asked for")
    obstacle = _obstacle()
    if not obstacle:
        return Choice("netns", "network namespaces and two Linux bridges")
    if wanted == "netns":
        raise FabricError(f"this machine cannot do the netns fabric: {obstacle}")
    return Choice("table", f"a simulated port table on loopback and a polling sensor, because {obstacle}")


def _obstacle() -> str:
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = sorted({package for program, package in NEEDED.items() if find_program(program) is None})
    if missing:
        return f"these packages are missing: {', '.join(missing)}"
    trial = "ip link add lab0 type bridge && ip link add lab1 type veth peer name lab2 && mount -t tmpfs lab /run"
    done = subprocess.run(
        ["unshare", "-n", "-m", "-p", "--fork", "--kill-child", "--mount-proc", "sh", "-c", trial],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return f"the kernel refuses: {done.stderr.strip()}" if done.returncode else ""


def find_program(name: str) -> str | None:
    """A program, in the folders of root too (which are not in everybody's PATH)."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def free_ports(count: int, kind: socket.SocketKind) -> list[int]:
    """Ports of loopback that nobody uses right now."""
    opened = [socket.socket(socket.AF_INET, kind) for _ in range(count)]
    try:
        for one in opened:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in opened]
    finally:
        for one in opened:
            one.close()

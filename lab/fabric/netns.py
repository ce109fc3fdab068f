"""The network of namespaces. It is built inside `unshare -n -m -p`, by the process that is PID 1 there.

Guarantees: nothing of it can be seen or left behind outside, because it all hangs on that one process: interfaces,
mounts, endpoints, DHCP. The service's address 10.77.0.1 is reached through both gateways; nothing is forwarded
between the VLANs. Packets of an endpoint come in only by its port.

Lessons built in: a bridge takes the lowest MAC of its ports unless it has its own; dnsmasq pings 3 s before a first
lease unless told not to; dhcpcd is quick only when configured as below, and without its script (while that runs, it
sees no carrier event); each dhcpcd wants its own /run/dhcpcd.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from lab.endpoints.tap import Tap
from lab.fabric import ENDPOINTS, PRODUCTION, REMEDIATION, Addresses, Endpoint, FabricError, find_program
from lab.processes import Died, Processes
from lab.python import module

SERVICE: Final = "10.77.0.1"
FILE_SERVER: Final = "10.77.1.2"
BRIDGES: Final = {PRODUCTION: "prod", REMEDIATION: "rem"}
PAGE: Final = ("10.77.2.1", 80)

MOUNTS: Final = """\
mount --make-rprivate /
mount -t tmpfs run /run
mkdir -p /run/netns /run/programs
[ -d /var/lib/dhcpcd ] || { mount -t tmpfs lab /var/lib; mkdir /var/lib/dhcpcd; }
mount -t tmpfs lab /var/lib/dhcpcd
touch /run/resolv.conf
if [ -e /etc/resolv.conf ]; then mount --bind /run/resolv.conf /etc/resolv.conf; fi
echo 0 > /proc/sys/net/ipv4/ip_forward
"""

LINKS: Final = f"""\
link set lo up
addr add {SERVICE}/32 dev lo
link add prod address 02:00:00:00:fe:01 type bridge forward_delay 0 stp_state 0
addr add 10.77.1.1/24 dev prod
link set prod up
link add rem address 02:00:00:00:fe:02 type bridge forward_delay 0 stp_state 0
addr add 10.77.2.1/24 dev rem
link set rem up
netns add fileserver
link add p_files type veth peer name eth0 address 02:00:00:00:00:02 netns fileserver
link set p_files master prod
link set p_files up
"""

DHCPCD: Final = """\
ipv4only
noipv4ll
noarp
nodelay
reboot 0
script ""
"""


class Netns:
    """The fabric in the namespaces of this process."""

    name = "netns"
    sensor = "auto"

    def __init__(self, processes: Processes, state: Path) -> None:
        self.addresses = Addresses(SERVICE, 8443, 1812, 1813, 3799)
        self._processes, self._state = processes, state
        self._taps: dict[str, Tap] = {}

    def build(self) -> None:
        if os.getpid() != 1:
            raise FabricError("the netns fabric is built by PID 1 of its own namespaces; use `pratique lab`")
        _run(["sh", "-e", "-c", MOUNTS])
        endpoint_links = "".join(
            f"netns add {e.name}\nlink add p_{e.number} type veth peer name eth0 address {e.mac} netns {e.name}\n"
            for e in ENDPOINTS
        )
        _run([_program("ip"), "-batch", "-"], LINKS + endpoint_links)
        _ip("fileserver", "link set lo up\nlink set eth0 up\n", f"addr add {FILE_SERVER}/24 dev eth0\n")
        for endpoint in ENDPOINTS:
            _ip(endpoint.name, "link set lo up\nlink set eth0 up\n")
            folder = self.programs(endpoint)
            folder.mkdir(parents=True)
            _run(["mount", "-t", "tmpfs", "programs", str(folder)])
            self._taps[endpoint.name] = Tap(f"p_{endpoint.number}")
        Path("/run/dhcpcd.conf").write_text(DHCPCD)
        self._processes.start(
            "dnsmasq", _program("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
            "--bind-interfaces", "--interface=prod", "--interface=rem", "--except-interface=lo", "--user=root",
            "--pid-file=/run/dnsmasq.pid", "--dhcp-leasefile=/run/leases", "--no-ping", "--dhcp-authoritative",
            "--dhcp-rapid-commit", "--dhcp-range=10.77.1.100,10.77.1.200,1h", "--dhcp-range=10.77.2.100,10.77.2.200,1h",
        )  # fmt: skip
        self._processes.start("page", *module("lab.endpoints.page"), PAGE[0], str(PAGE[1]))

    def switch_config(self) -> dict[str, Any]:
        return {
            "vlans": BRIDGES,
            "ports": [{"number": e.number, "name": e.port, "mac": e.mac, "veth": f"p_{e.number}"} for e in ENDPOINTS],
        }

    def join(self, endpoint: Endpoint) -> None:
        own = "mkdir -p /run/dhcpcd && mount -t tmpfs dhcpcd /run/dhcpcd && mount -t tmpfs dhcpcd /var/lib/dhcpcd"
        command = f"{own} && exec {_program('dhcpcd')} --nobackground --config /run/dhcpcd.conf eth0"
        self._processes.start(
            f"dhcp-{endpoint.name}", *self.enter(endpoint), "unshare", "--mount", "sh", "-e", "-c", command
        )

    def enter(self, endpoint: Endpoint) -> list[str]:
        return ["nsenter", f"--net=/run/netns/{endpoint.name}"]

    def programs(self, endpoint: Endpoint) -> Path:
        return Path("/run/programs") / endpoint.name

    def pinger(self, endpoint: Endpoint) -> list[str]:
        return ["--icmp", FILE_SERVER]

    def address(self, endpoint: Endpoint) -> str | None:
        shown = json.loads(_run([_program("ip"), "-n", endpoint.name, "-json", "-4", "address", "show", "dev", "eth0"]))
        return next((str(a["local"]) for link in shown for a in link.get("addr_info", ())), None)

    def frames(self, endpoint: Endpoint, since_us: int, until_us: int) -> list[int]:
        return self._taps[endpoint.name].frames(since_us, until_us)

    def page(self, endpoint: Endpoint) -> str:
        fetch = (
            f"import urllib.request as u; print(u.urlopen('http://{PAGE[0]}:{PAGE[1]}/', timeout=3).read().decode())"
        )
        try:
            return self._processes.run(*self.enter(endpoint), sys.executable, "-I", "-c", fetch, timeout_s=10)
        except Died as error:
            raise FabricError(f"{endpoint.name} cannot get the remediation page: {error}") from error

    def close(self) -> None:
        for tap in self._taps.values():
            tap.close()


def _program(name: str) -> str:
    found = find_program(name)
    if found is None:
        raise FabricError(f"the program {name} is missing")
    return found


def _ip(namespace: str, *batch: str) -> None:
    _run([_program("ip"), "-n", namespace, "-batch", "-"], "".join(batch))


def _run(command: list[str], text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise FabricError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
    return done.stdout

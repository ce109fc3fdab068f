"""Where an endpoint is plugged in without any accounting: a switch tells it by LLDP, its agent tells us, a script shuts the port."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from api.alerts import script_process
from api.alerts.script_payload import payload
from api.alerts.scripts import Script, command
from health_agent.contract import Neighbour
from radius_policy.model import DEFAULT_TENANT, Event, EventKind, HostId, Severity
from tests.integration.switch_over_ssh import MACS, SwitchOverSsh
from tests.unit.api.world import World

REPOSITORY = Path(__file__).resolve().parents[2]
USER = "nobody" if os.geteuid() == 0 else ""
LISTENING = """
import subprocess, sys, threading, time
from collections import Counter
import msgspec
from scapy.contrib import cdp, lldp
from scapy.layers.l2 import LLC, SNAP, Dot3, Ether
from scapy.sendrecv import sendp
from health_agent import network
from health_agent.location import Listener

def ip(*words):
    subprocess.run(["ip", *words], check=True)

def lldp_of(port, to="01:80:c2:00:00:0e"):
    return (Ether(src="02:00:00:00:01:00", dst=to) / lldp.LLDPDUChassisID(subtype=4, id="02:00:00:00:01:00")
        / lldp.LLDPDUPortID(subtype=5, id=port) / lldp.LLDPDUTimeToLive(ttl=120)
        / lldp.LLDPDUSystemName(system_name=b"sw1.example.org") / lldp.LLDPDUEndOfLLDPDU())

def until(what):
    for _ in range(200):
        if what():
            return
        time.sleep(0.02)
    raise AssertionError(listener.told())

ip("link", "add", "eth0", "address", "02:00:00:00:00:12", "type", "veth", "peer", "name", "port2")
ip("link", "set", "port2", "up"); ip("link", "set", "eth0", "up")
changes, counts = threading.Semaphore(0), Counter()
listener = Listener(changes.release, counts)
real = network.interfaces
network.interfaces = lambda: {name: mac for name, mac in real().items() if name == "eth0"}  # the switch has its own
assert listener.summary() == "listening for LLDP and CDP, none heard", listener.summary()
listener.start()
until(lambda: listener._macs)
sendp(lldp_of(b"port1", to="01:80:c2:00:00:03"), iface="port2", verbose=False)
until(lambda: [one.port for one in listener.told()] == ["port1"])
sendp(bytes(lldp_of(b"port9"))[:30], iface="port2", verbose=False)
sendp(lldp_of(b"port2"), iface="port2", verbose=False)
until(lambda: [one.port for one in listener.told()] == ["port2"])
values = [cdp.CDPMsgDeviceID(val=b"sw1"), cdp.CDPMsgPortID(iface=b"port2")]
sendp(Dot3(src="02:00:00:00:01:00", dst="01:00:0c:cc:cc:cc") / LLC() / SNAP() / cdp.CDPv2_HDR(msg=values), iface="port2", verbose=False)
until(lambda: [one.protocol for one in listener.told()] == ["lldp", "cdp"])
sendp([lldp_of(b"port%d" % number) for number in range(400)], iface="port2", verbose=False)  # a flood costs little
until(lambda: changes.acquire(blocking=False))
time.sleep(1.1)
sendp(lldp_of(b"port2"), iface="port2", verbose=False)
until(lambda: [one.port for one in listener.told()] == ["port2", "port2"])
assert counts["discovery_malformed"] == 1, counts
assert "port2 of sw1.example.org (lldp)" in listener.summary()
print(msgspec.json.encode(listener.told()).decode())
listener.stop()
assert not listener.is_alive()
"""


@pytest.fixture
def heard() -> tuple[Neighbour, ...]:
    """What an agent hears of a switch, in a namespace of its own."""
    line = ["unshare", "-n", sys.executable, "-c", LISTENING]
    done = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: tuple[Neighbour, ...] = msgspec.json.decode(done.stdout, type=tuple[Neighbour, ...])
    return found


@pytest.mark.peer("netns")
def test_an_agent_hears_the_switch_it_is_plugged_into(heard: tuple[Neighbour, ...]) -> None:
    assert [(one.protocol, one.switch, one.port, one.mac) for one in heard] == [
        ("lldp", "sw1.example.org", "port2", MACS["port2"]), ("cdp", "sw1", "port2", MACS["port2"])
    ]  # fmt: skip


@pytest.mark.peer("netns")
def test_without_the_right_an_agent_says_so_and_goes_on() -> None:
    story = (
        "from collections import Counter; from health_agent.location import Listener; "
        "listener = Listener(lambda: None, Counter()); listener.start(); listener.stop(); print(listener.summary())"
    )
    line = ["unshare", "-n", "setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", sys.executable, "-c", story]
    done = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    said = "not listening for LLDP and CDP: that needs the right CAP_NET_RAW\n"
    assert (done.returncode, done.stdout) == (0, said), done.stderr


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another user can look into (pytest's own are private)."""
    with tempfile.TemporaryDirectory(prefix="location-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.slow
@pytest.mark.peer("netns")
@pytest.mark.peer("sshd")
def test_the_port_of_a_host_without_accounting_is_found_by_lldp_and_shut(
    heard: tuple[Neighbour, ...], tmp_path: Path, folder: Path
) -> None:
    world = World(tmp_path)
    try:
        agent = world.agent("desk-2", MACS["port2"])
        agent.beat(neighbours=heard)
        event = moved(agent.host_id)
        told = world.read(
            lambda reading: payload(reading, event, script="shut-port", attempt=1, dry_run=False, now=world.now)
        )
    finally:
        world.close()
    assert (told["switch"], told["port"], told["port_source"]) == ("sw1.example.org", "port2", "lldp")
    assert told["session_open"] is False
    switch = SwitchOverSsh(folder / "sw1", USER)
    try:
        made = Script("one", ("pratique:shut_port", "--switches", str(switch.file)), timeout_s=30)
        ended = asyncio.run(script_process.run(command(made, Path("/nonexistent"), USER), json.dumps(told).encode()))
        assert (ended.code, ended.output) == (0, "port2 of sw1 is shut (known by lldp)\n")
        assert switch.down() == ["port2"]
    finally:
        switch.close()


def moved(host_id: str) -> Event:
    return Event(
        DEFAULT_TENANT, "e1", 1, EventKind.MOVED, Severity.INFO, host_id, "moved", HostId(host_id),
        facts={"access": "remediation"},
    )  # fmt: skip

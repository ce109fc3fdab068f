"""The network watcher in a network namespace of its own, with a real interface."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

STORY = """
import subprocess, threading, time
from health_agent.network import Watcher, macs, addresses

changes = threading.Semaphore(0)

def ip(*words):
    subprocess.run(["ip", *words], check=True)

def heard():
    return changes.acquire(timeout=5)

def quiet():
    time.sleep(0.1)
    while changes.acquire(blocking=False):
        pass

ip("link", "add", "eth0", "address", "02:00:00:00:00:10", "type", "veth", "peer", "name", "port")
ip("link", "set", "port", "up")
ip("link", "set", "eth0", "up")
watcher = Watcher(changes.release)
watcher.start()
ip("addr", "add", "10.99.0.1/24", "dev", "eth0"); assert heard(), "an address came"
quiet()
ip("link", "set", "port", "down"); assert heard(), "the carrier went"
quiet()
ip("link", "set", "port", "up"); assert heard(), "the carrier came"
quiet()
ip("addr", "del", "10.99.0.1/24", "dev", "eth0"); assert heard(), "the address went"
assert "02:00:00:00:00:10" in macs(), macs()
assert addresses() == (), addresses()
watcher.stop()
assert not watcher.is_alive()
print("told")
"""


@pytest.mark.peer("netns")
def test_carrier_and_addresses_that_come_and_go_are_heard() -> None:
    line = ["unshare", "-n", sys.executable, "-W", "error", "-c", STORY]
    done = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "told\n"), done.stderr

"""Link changes and the tap, on a veth pair in a network namespace that ends with the test."""

import json
import subprocess
import sys

import pytest

from lab.python import environment

pytestmark = pytest.mark.peer("netns")

STORY = """
import json, subprocess, socket, time
from lab.endpoints.tap import Tap
from lab.switch.core import Wiring
from lab.switch.movers import PAUSE_S, Bridges
from lab.switch.netlink import LinkError, Links

def ip(words): return subprocess.run(["ip", *words.split()], check=True, capture_output=True, text=True).stdout
for words in ("link add prod type bridge", "link add rem type bridge", "link add port type veth peer name host",
              "link set prod up", "link set rem up", "link set host up"):
    ip(words)
def shown(): return json.loads(ip("-j link show port"))[0]
port, mover = Wiring(1, "port1", "02:00:00:00:00:11", "port"), Bridges({"10": "prod", "66": "rem"})
seen = {}
mover.place(port, "10"); seen["placed"] = (shown()["master"], "UP" in shown()["flags"])
begun = time.monotonic(); mover.place(port, "66"); mover.lift(port)
seen["moved"] = (shown()["master"], "UP" in shown()["flags"]); seen["paused"] = time.monotonic() - begun >= PAUSE_S
before = time.time_ns() // 1000; tap = Tap("port")
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); raw.bind(("host", 0))
for _ in range(3): raw.send(bytes(12) + b"\\x88\\xb5" + bytes(46))
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); out.bind(("port", 0)); out.send(bytes(12) + b"\\x88\\xb6" + bytes(46))
time.sleep(0.4); after = time.time_ns() // 1000
seen["frames"] = len(tap.frames(before, after)); seen["earlier"] = len(tap.frames(0, before)); tap.close()
mover.place(port, None); seen["out"] = shown().get("master")
try: Links().master("host", "port")
except LinkError as error: seen["refused"] = str(error)
print(json.dumps(seen))
"""


def test_a_port_is_moved_between_bridges_and_what_its_endpoint_sends_is_counted() -> None:
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", STORY],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["placed"] == ["prod", False]
    assert seen["moved"] == ["rem", True]
    assert seen["paused"]
    assert (seen["frames"] >= 3, seen["earlier"]) == (True, 0)
    assert seen["out"] is None
    assert "the kernel refused a change of host" in seen["refused"]

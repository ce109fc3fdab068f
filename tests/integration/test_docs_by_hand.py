"""The tutorial that is done by hand, done: its files written, its commands typed, in the order of the page."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.docs.blocks import ROOT, Block, blocks

PAGE = ROOT / "docs" / "tutorial" / "by-hand.md"
PORTS = ("9443", "9812", "9813", "9799", "9800", "9801")
pytestmark = pytest.mark.slow


class Reader:
    """A person with a folder and as many terminals as the page wants. Ports are free ones instead of the page's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: dict[str, str] = {}
        self._ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self._running: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "COLUMNS": "200",
        }  # fmt: skip

    def text(self, block: Block) -> str:
        return re.sub(r"\b\d{4}\b", lambda found: self._ports.get(found[0], found[0]), block.text)

    def write(self, block: Block) -> None:
        (self.folder / block.title).write_text(self.text(block) + "\n", encoding="utf-8")

    def type(self, block: Block) -> str:
        """In the second terminal: each line is waited for and must succeed."""
        script = "set -e\n" + self.text(block)
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout}{done.stderr}"
        return done.stdout

    def leave_running(self, block: Block, log: str) -> None:
        """In a terminal of its own."""
        with (self.folder / log).open("wb") as out:
            self._running.append(
                subprocess.Popen(
                    ["bash", "-c", "exec " + self.text(block)],
                    cwd=self.folder,
                    env=self._environment,
                    stdout=out,
                    stderr=out,
                )
            )

    def end(self) -> None:
        for process in reversed(self._running):
            process.send_signal(signal.SIGINT)
        for process in reversed(self._running):
            process.wait(20)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path)
    yield made
    made.end()
    for log in sorted(tmp_path.glob("*.log")):
        print(f"---- {log.name}\n{log.read_text(errors='replace')[-2000:]}")


def test_who_follows_the_page_sees_an_endpoint_moved_and_brought_back(reader: Reader) -> None:
    printed = []
    for number, block in enumerate(blocks(PAGE)):
        if block.language in ("toml", "json"):
            reader.write(block)
        elif block.title == "terminal 2":
            printed.append(reader.type(block))
        elif block.title:
            reader.leave_running(block, f"{block.title.replace(' ', '-')}.log")
            wait_for(lambda n=number: started(reader.folder, n), "the program to start")  # type: ignore[misc]

    person, _, listed, plugged, moved, back = printed
    assert "one-time password" in person
    assert "sw-try at 127.0.0.1 may ask (profile lab)" in listed
    assert re.search(r"sw-try\s+port1\s+02:00:00:00:00:10\s+production", plugged)
    assert re.search(r"sw-try\s+port1\s+02:00:00:00:00:10\s+remediation", moved)
    assert "posture  potential_problem" in moved
    assert re.search(r"remediation\s+confirmed", moved)
    assert "posture  healthy" in back
    assert re.search(r"sw-try\s+port1\s+02:00:00:00:00:10\s+production", back)
    journal = [json.loads(line) for line in (reader.folder / "switch.jsonl").read_text().splitlines()]
    assert [line["vlan"] for line in journal if line["event"] == "moved"] == ["10", "66", "10"]


def started(folder: Path, _: int) -> bool:
    """Whether what was started last does its work: the service is ready, the agent connected, the switch listening."""
    ready = {
        "terminal-1.log": lambda text: '"event": "listening"' in text and (folder / "data" / "radius.bell").exists(),
        "terminal-3.log": lambda text: "answers" in text,
        "terminal-4.log": lambda _: (folder / "switch.ctl").exists(),
    }
    there = [log for log in ready if (folder / log).exists()]
    return all(ready[log]((folder / log).read_text(errors="replace")) for log in there)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    opened = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for one in opened:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in opened]
    for one in opened:
        one.close()
    return ports

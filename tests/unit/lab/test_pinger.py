"""What a journal of pings says."""

import socket
import subprocess
import time
from pathlib import Path

import pytest

from lab.endpoints.pinger import Icmp, Ping, Pings
from lab.python import environment, module


def test_answered_and_lost_pings_are_told_apart_and_half_lines_are_left(tmp_path: Path) -> None:
    journal = tmp_path / "pings"
    journal.write_text("200 15\n100 -\n300 20\n400 1")
    pings = Pings(journal)
    assert pings.between(0) == [Ping(100, None), Ping(200, 15), Ping(300, 20)]
    assert pings.lost(0, 300) == 1
    assert pings.answered(201) == [Ping(300, 20)]


def test_without_a_journal_there_are_no_pings(tmp_path: Path) -> None:
    assert Pings(tmp_path / "none").between(0) == []


def test_the_pinger_keeps_a_line_for_every_ping_on_the_wire(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        target = f"127.0.0.1:{server.getsockname()[1]}"
        journal = tmp_path / "pings"
        process = subprocess.Popen(
            [
                *module("lab.endpoints.pinger"),
                "--journal",
                str(journal),
                "--wire",
                target,
                "--mac",
                "02:00:00:00:00:12",
            ],
            env=environment(),
        )
        try:
            for _ in range(3):
                data, source = server.recvfrom(100)
                server.sendto(data, source)
            until = time.monotonic() + 10
            while len(Pings(journal).answered(0)) < 3 and time.monotonic() < until:
                time.sleep(0.02)
        finally:
            process.kill()
            process.wait()
    assert len(Pings(journal).answered(0)) == 3


@pytest.mark.peer("root")
def test_an_echo_request_is_answered_by_the_kernel_of_this_machine() -> None:
    line = Icmp("127.0.0.1")
    line.socket.settimeout(5)
    line.send(77)
    got = [line.receive() for _ in range(2)]  # on loopback the request itself is heard too
    line.socket.close()
    assert 77 in got

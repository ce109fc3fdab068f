"""Ping the file server without pause, and keep a journal of every ping: `python -m lab.endpoints.pinger --help`.

Each ping is one journal line, `SENT_US RTT_US`, or `SENT_US -` when no reply came within a second or it could not be
sent at all. By ICMP the file server's kernel answers; by `--wire` a datagram goes through the switch's port table.
"""

import argparse
import os
import select
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PATIENCE_US: Final = 1_000_000


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class Icmp:
    """Echo requests of this process (RFC 792) to one address."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._to, self._id = (address, 0), os.getpid() & 0xFFFF

    def send(self, number: int) -> None:
        body = struct.pack("!BBHHH", 8, 0, 0, self._id, number & 0xFFFF) + struct.pack("!Q", number)
        self.socket.sendto(body[:2] + struct.pack("!H", _checksum(body)) + body[4:], self._to)

    def receive(self) -> int | None:
        """The number of the ping that was answered; None for somebody else's packet."""
        packet = self.socket.recv(2048)
        icmp = packet[(packet[0] & 15) * 4 :]
        if len(icmp) < 16 or icmp[0] != 0 or struct.unpack_from("!H", icmp, 4)[0] != self._id:
            return None
        return int(struct.unpack_from("!Q", icmp, 8)[0])


class Wire:
    """Frames through the switch's port table: our MAC, then the number."""

    def __init__(self, host: str, port: int, mac: str) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._to, self._mac = (host, port), bytes.fromhex(mac.replace(":", ""))

    def send(self, number: int) -> None:
        self.socket.sendto(self._mac + struct.pack("!Q", number), self._to)

    def receive(self) -> int | None:
        data = self.socket.recv(2048)
        return int(struct.unpack_from("!Q", data, 6)[0]) if len(data) >= 14 else None


def run(line: Icmp | Wire, journal: Path, interval_us: int) -> None:
    """Ping until the process is ended."""
    out = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    poll = select.poll()
    poll.register(line.socket, select.POLLIN)
    waiting: dict[int, int] = {}
    number, due = 0, time.time_ns() // 1000
    while True:
        now = time.time_ns() // 1000
        if now >= due:
            number, due = number + 1, max(due + interval_us, now)
            try:
                line.send(number)
                waiting[number] = now
            except OSError:  # no route, no carrier: that is a lost ping
                os.write(out, b"%d -\n" % now)
        for old in [n for n, at in waiting.items() if at + PATIENCE_US < now]:
            os.write(out, b"%d -\n" % waiting.pop(old))
        if poll.poll(max(0, (due - time.time_ns() // 1000) / 1000)):
            try:
                got = line.receive()
            except OSError:  # an ICMP error to an earlier ping, which will be counted when its time is over
                continue
            if got in waiting:
                sent = waiting.pop(got)
                os.write(out, b"%d %d\n" % (sent, time.time_ns() // 1000 - sent))


@dataclass(frozen=True, slots=True)
class Ping:
    """One ping: when it was sent and after how long it was answered (microseconds; None = never)."""

    sent_us: int
    rtt_us: int | None


class Pings:
    """The journal of one pinger as it grows. A ping appears when it was answered, or a second after it was sent."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal

    def between(self, since_us: int, until_us: int = 2**62) -> list[Ping]:
        """Pings sent in [since_us, until_us), oldest first."""
        if not self._journal.exists():
            return []
        found = []
        for line in self._journal.read_text().splitlines(keepends=True):
            if not line.endswith("\n"):
                continue
            sent, rtt = line.split()
            if since_us <= int(sent) < until_us:
                found.append(Ping(int(sent), None if rtt == "-" else int(rtt)))
        return sorted(found, key=lambda ping: ping.sent_us)

    def lost(self, since_us: int, until_us: int) -> int:
        """How many pings sent in that time were never answered."""
        return sum(ping.rtt_us is None for ping in self.between(since_us, until_us))

    def answered(self, since_us: int, until_us: int = 2**62) -> list[Ping]:
        return [ping for ping in self.between(since_us, until_us) if ping.rtt_us is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description="ping without pause and keep a journal")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--interval-ms", type=float, default=20.0)
    parser.add_argument("--icmp", metavar="ADDRESS")
    parser.add_argument("--wire", metavar="HOST:PORT")
    parser.add_argument("--mac", default="")
    given = parser.parse_args()
    line: Icmp | Wire
    if given.wire:
        host, _, port = given.wire.rpartition(":")
        line = Wire(host, int(port), given.mac)
    else:
        line = Icmp(given.icmp)
    run(line, given.journal, int(given.interval_ms * 1000))


if __name__ == "__main__":
    main()

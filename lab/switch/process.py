"""The switch as a process: `python -m lab.switch.process CONFIG.json`. Sockets, the clock and the journal; no decisions.

The configuration names the ports, the RADIUS server, the CoA listener, the VLANs and the file with the secret (see
`Config`). The journal is one JSON object a line, with `us` (wall clock, microseconds) and `ns` (monotonic); `moved`
is written when the port is in its new VLAN. The control socket (UNIX datagram) takes one JSON object:
`{"link": "port2", "up": true}`, `{"faults": {"ack_only": true}}`, `{"hurry": true}`, `{"show": true}`, `{"frames": "port2", "since": 0}`;
it answers those who can be answered.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab.switch import codec
from lab.switch.core import Command, Faults, Lift, Note, Place, Switch, ToClient, ToServer, Wiring
from lab.switch.movers import Bridges, Mover, Table


@dataclass(frozen=True, slots=True)
class Config:
    """`vlans` maps a VLAN id to its bridge. With `wire` (host, port) the port table is used, and `file_server` is where
    its production frames go. Addresses are [host, port]."""

    ports: list[dict[str, Any]]
    secret_file: str
    journal: str
    control: str
    vlans: dict[str, str]
    authentication: list[Any] = field(default_factory=lambda: ["127.0.0.1", 1812])
    accounting: list[Any] = field(default_factory=lambda: ["127.0.0.1", 1813])
    coa: list[Any] = field(default_factory=lambda: ["127.0.0.1", 3799])
    name: str = "lab-switch"
    address: str = "127.0.0.1"
    interim_s: float = 20.0
    wire: list[Any] | None = None
    file_server: list[Any] | None = None
    production: str = "10"


def _udp(address: Iterable[Any]) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(tuple(address))
    return opened


class Process:
    """The sockets of one switch and what is done with each. `run` returns after SIGTERM or SIGINT."""

    def __init__(self, config: Config) -> None:
        ports = [Wiring(**port) for port in config.ports]
        self.switch = Switch(
            ports,
            name=config.name,
            address=config.address,
            secret=Path(config.secret_file).read_bytes().strip(),
            vlans=set(config.vlans),
            interim_us=int(config.interim_s * 1e6),
        )
        self._coa = _udp(config.coa)
        self._auth, self._accounting = _udp((config.address, 0)), _udp((config.address, 0))
        self._auth_server, self._accounting_server = tuple(config.authentication), tuple(config.accounting)
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._control.bind(config.control)
        self._journal = os.open(config.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._poll = select.poll()
        self._ready: dict[int, Callable[[], None]] = {}
        self._listen(self._coa, self._from_client)
        self._listen(self._auth, lambda: self._from_server(self._auth, accounting=False))
        self._listen(self._accounting, lambda: self._from_server(self._accounting, accounting=True))
        self._listen(self._control, self._from_control)
        self.table: Table | None = None
        self._mover: Mover
        if config.wire is None:
            self._mover = Bridges(config.vlans)
        else:
            wire = _udp(config.wire)
            self._mover = self.table = Table(ports, wire, tuple(config.file_server or ()), config.production)
            self._listen(wire, self.table.frame)
        self._stopping = False

    def _listen(self, opened: socket.socket, then: Callable[[], None]) -> None:
        self._poll.register(opened, select.POLLIN)
        self._ready[opened.fileno()] = then

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        codec.warm_up()
        gc.collect()
        gc.freeze()
        self._write("ready", {})
        self._do(self.switch.boot(_now()))
        while not self._stopping:
            due = self.switch.next_due()
            wait = 500 if due is None else max(0, min(500, (due - _now()) // 1000 + 1))
            for fd, _ in self._poll.poll(wait):
                self._ready[fd]()
            self._do(self.switch.tick(_now()))

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _do(self, commands: Iterable[Command]) -> None:
        for command in commands:
            match command:
                case ToServer(data, accounting=True):
                    self._send(self._accounting, data, self._accounting_server)
                case ToServer(data):
                    self._send(self._auth, data, self._auth_server)
                case ToClient(data, to):
                    self._send(self._coa, data, to)
                case Place(port, vlan):
                    self._mover.place(port, vlan)
                case Lift(port):
                    self._mover.lift(port)
                case Note(event, facts):
                    self._write(event, facts)

    def _send(self, opened: socket.socket, data: bytes, to: Any) -> None:
        try:
            opened.sendto(data, to)
        except OSError as error:  # nobody listens just now: the retransmission will try again
            self._write("send_failed", {"to": list(to), "why": str(error)})

    def _write(self, event: str, facts: dict[str, Any]) -> None:
        line = {"us": _now(), "ns": time.monotonic_ns(), "event": event, **facts}
        os.write(self._journal, json.dumps(line).encode() + b"\n")

    def _from_client(self) -> None:
        data, source = self._coa.recvfrom(4096)
        self._write("coa_received", {})
        self._do(self.switch.order(data, source, _now()))

    def _from_server(self, opened: socket.socket, *, accounting: bool) -> None:
        try:
            data = opened.recv(4096)
        except ConnectionError as error:
            self._write("server_away", {"why": str(error)})
            return
        if not accounting:
            self._write("access_answer", {})
        self._do(self.switch.answered(data, accounting, _now()))

    def _from_control(self) -> None:
        data, source = self._control.recvfrom(65536)
        try:
            answer = self._command(json.loads(data))
        except (ValueError, KeyError, TypeError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        if source:
            self._control.sendto(json.dumps(answer).encode(), source)

    def _command(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "link" in asked:
            self._do(self.switch.link(asked["link"], bool(asked["up"]), _now()))
        elif "faults" in asked:
            self.switch.faults = Faults(**asked["faults"])
            self._write("faults", asdict(self.switch.faults))
        elif "hurry" in asked:
            self._do(self.switch.hurry(_now()))
        elif "frames" in asked:
            forwarded = self.table.forwarded[asked["frames"]] if self.table else ()
            return {"frames": [at for at in forwarded if at >= asked["since"]]}
        elif "show" not in asked:
            raise ValueError("a command is one of link, faults, hurry, frames, show")
        return {name: {"vlan": port.vlan, "session": port.session.decode()} for name, port in self.switch.ports.items()}


def _now() -> int:
    return time.time_ns() // 1000


if __name__ == "__main__":
    Process(Config(**json.loads(Path(sys.argv[1]).read_text()))).run()

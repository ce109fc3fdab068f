"""A small site: the policy service, a switch, three endpoints with agents, a file server, a mail sink. The lab's wiring.

Stages, each usable by itself: `build` (network), `serve` (policy service), `furnish` (its settings, the switch's
secret, enrolment), `connect` (switch and ports), `watch` (agents and pingers). Raises `FabricError`, `Died` or
`NotInTime` with a sentence that says what did not happen. Everything it starts ends with `close`.
"""

import json
import secrets
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import psutil

from lab.endpoints.pinger import Pings
from lab.fabric import ENDPOINTS, PRODUCTION, Endpoint, Fabric, free_ports
from lab.fabric.netns import Netns
from lab.fabric.table import Table
from lab.mail import MailSink
from lab.policy import SERVICE, Policy
from lab.processes import Processes
from lab.python import STATE_VARIABLE, environment, module, pratique
from lab.switch import control
from lab.switch.control import Journal

T = TypeVar("T")
ADMIN: Final = "admin"
READY_S: Final = 20.0
QUIET_S: Final = 0.4
MAIL_TO: Final = "admin@lab.example"


class NotInTime(Exception):
    """Something that was waited for did not happen."""


class Site:
    """`state` is an empty folder of its own. Make one for each run."""

    def __init__(self, state: Path, fabric: str, console: int = -1) -> None:
        self.state = state
        (state / "logs").mkdir()
        (state / "pings").mkdir()
        self.processes = Processes(state / "logs", environment(**{STATE_VARIABLE: str(state)}))
        self.fabric: Fabric = Netns(self.processes, state) if fabric == "netns" else Table(self.processes, state)
        self.mail = MailSink(free_ports(1, socket.SOCK_STREAM)[0])
        self.journal = Journal(state / "switch.jsonl")
        self.config = state / "pratique.toml"
        self.policy = Policy(self.processes, self.config, self.fabric.addresses, state / "data")
        self.password = ""
        self._console = console
        self.service_start_ms = 0.0

    # ---- stages

    def build(self) -> None:
        """The network, and what belongs to no VLAN: mail sink and console relay."""
        self.fabric.build()
        self.mail.start()
        if self._console >= 0:
            addresses = self.fabric.addresses
            self.processes.start(
                "relay", *module("lab.relay"), str(self._console), addresses.host, str(addresses.api),
                pass_fds=(self._console,),
            )  # fmt: skip

    def serve(self) -> None:
        """Start the policy service and wait until it is ready."""
        self.config.write_text(self._configuration())
        begun = time.monotonic()
        self.start_service()
        try:
            self.wait("the policy service to be ready", self.policy.ready, READY_S)
        except NotInTime as error:
            why = f": {self.policy.unready}{self.processes.last_words(SERVICE)}"
            raise NotInTime(f"{error}{why}") from error
        self.service_start_ms = (time.monotonic() - begun) * 1000

    def start_service(self) -> None:
        self.processes.start(SERVICE, *pratique("serve", "--config", str(self.config)))

    def furnish(self) -> None:
        """Settings, the switch, a person and three enrolled endpoints."""
        (self.state / "secret").write_text(secrets.token_hex(16))
        self.password = self.policy.furnish(self.state / "secret", self.fabric.addresses, ADMIN)
        self.policy.enrol({e.name: (e.mac, self.state / "agents" / e.name) for e in ENDPOINTS})

    def connect(self, **options: Any) -> None:
        """Switch on the switch, plug the endpoints in, wait until each has its address in production."""
        self.start_switch(**options)
        for endpoint in ENDPOINTS:
            self.fabric.join(endpoint)
            self.plug(endpoint, up=True)
        for endpoint in ENDPOINTS:
            self.wait(f"{endpoint.name} to be in production", partial(self.stands_in, endpoint, PRODUCTION), 15)
            self.wait(f"{endpoint.name} to have an address", partial(self.fabric.address, endpoint), 15)

    def start_switch(self, **options: Any) -> None:
        addresses = self.fabric.addresses
        settings = {
            **self.fabric.switch_config(),
            "secret_file": str(self.state / "secret"),
            "journal": str(self.state / "switch.jsonl"),
            "control": str(self.state / "switch.ctl"),
            "authentication": ["127.0.0.1", addresses.authentication],
            "accounting": ["127.0.0.1", addresses.accounting],
            "coa": [addresses.coa_host, addresses.coa],
            **options,
        }
        (self.state / "switch.json").write_text(json.dumps(settings))
        self.processes.start("switch", *module("lab.switch.process"), str(self.state / "switch.json"))
        self.wait("the switch to start", lambda: self.journal.find("ready"), 15)

    def watch(self) -> None:
        """Agents and pingers on every endpoint; returns when each agent was heard and each ping answered."""
        for endpoint in ENDPOINTS:
            self.processes.start(
                f"ping-{endpoint.name}", *self.fabric.enter(endpoint), *module("lab.endpoints.pinger"),
                "--journal", str(self._pings(endpoint)), *self.fabric.pinger(endpoint),
            )  # fmt: skip
            self.start_agent(endpoint)
        for endpoint in ENDPOINTS:
            self.wait(f"the agent of {endpoint.name} to be heard", partial(self.policy.heard, endpoint.mac), 25)
            self.wait(f"{endpoint.name} to reach the file server", partial(self.pings(endpoint).answered, 0), 10)
        self.wait("the agents to have looked around", self._agents_are_quiet, 25)

    def _agents_are_quiet(self) -> bool:
        """Whether the agents hardly compute: at their start they look at all that runs already."""
        agents = [psutil.Process(self.processes.pid(f"agent-{e.name}")) for e in ENDPOINTS]
        before = [sum(agent.cpu_times()[:2]) for agent in agents]
        time.sleep(QUIET_S)
        return all(sum(a.cpu_times()[:2]) - b <= QUIET_S / 10 for a, b in zip(agents, before, strict=True))

    def start_agent(self, endpoint: Endpoint) -> None:
        self.processes.start(
            f"agent-{endpoint.name}", *self.fabric.enter(endpoint), *pratique("agent", "run"),
            "--state", str(self.state / "agents" / endpoint.name), "--watch", str(self.fabric.programs(endpoint)),
            "--sensor", self.fabric.sensor,
        )  # fmt: skip

    def close(self) -> None:
        self.policy.close()
        self.processes.stop_all()
        self.fabric.close()
        self.mail.stop()

    # ---- what can be asked and done

    def plug(self, endpoint: Endpoint, *, up: bool) -> None:
        self.command({"link": endpoint.port, "up": up})

    def faults(self, **faults: Any) -> None:
        """Let the switch go wrong on purpose; without arguments it is good again."""
        self.command({"faults": faults})

    def command(self, asked: dict[str, Any]) -> dict[str, Any]:
        return control.command(self.state / "switch.ctl", asked)

    def vlan(self, endpoint: Endpoint) -> str | None:
        """The VLAN of the endpoint's port, from the switch itself."""
        vlan = self.command({"show": True})[endpoint.port]["vlan"]
        return None if vlan is None else str(vlan)

    def stands_in(self, endpoint: Endpoint, vlan: str) -> bool:
        return self.vlan(endpoint) == vlan

    def pings(self, endpoint: Endpoint) -> Pings:
        return Pings(self._pings(endpoint))

    def _pings(self, endpoint: Endpoint) -> Path:
        return self.state / "pings" / endpoint.name

    def wait(self, what: str, check: Callable[[], T | None], seconds: float, every: float = 0.02) -> T:
        """The first true answer of `check`. Raises NotInTime, or Died when a process of the lab is gone."""
        until = time.monotonic() + seconds
        while True:
            if got := check():
                return got
            self.processes.check()
            if time.monotonic() > until:
                raise NotInTime(f"waited {seconds:g} s for {what}")
            time.sleep(every)

    def _configuration(self) -> str:
        a = self.fabric.addresses
        return f"""\
[service]
data = "{self.state / "data"}"

[api]
listen = "{"0.0.0.0" if self.fabric.name == "netns" else a.host}:{a.api}"
names = ["{a.host}", "127.0.0.1", "localhost"]

[radius]
authentication = "127.0.0.1:{a.authentication}"
accounting = "127.0.0.1:{a.accounting}"
coa_source = "127.0.0.1"

[mail]
server = "127.0.0.1"
port = {self.mail.port}
tls = "none"
from = "pratique@lab.example"
to = ["{MAIL_TO}"]

[site]
name = "main"
"""

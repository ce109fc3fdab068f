"""A dozen endpoints on a lab's site: what `Site` does for three, for twelve, and without twelve times the cost.

Call in this order: `widen` before anything is built; `Site.build`, `Site.serve`; `furnish`; `connect`; `watch`.
Guarantees: what is waited for is waited for on every endpoint; raises as `Site` does. All agents are forks of one
process (`lab.endpoints.agents`), and every endpoint is started before any is waited for.
"""

import json
import secrets
import time
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from lab.fabric import PRODUCTION, Endpoint, FabricError
from lab.fabric.wide import DOZEN, Wide, namespace, widened
from lab.policy import Policy
from lab.processes import children
from lab.python import module
from lab.site import ADMIN, Site

AGENTS: Final = "agents"
QUIET_S: Final = 0.3
PING_MS: Final = 50


def widen(site: Site) -> None:
    """Give a site that was not built yet twelve endpoints."""
    site.fabric = widened(site.fabric, site.processes, site.state)
    site.policy = Policy(site.processes, site.config, site.fabric.addresses, site.state / "data")


def wide(site: Site) -> Wide:
    """The fabric of a site that was widened. Raises FabricError for another."""
    if not isinstance(site.fabric, Wide):
        raise FabricError("this site has three endpoints, not twelve")
    return site.fabric


def furnish(site: Site, *, learn: bool = True) -> None:
    """Settings, the switch, a person; and the endpoints: enrolled, and (`learn`) what lies in their program folders now
    is their inventory."""
    secret = site.state / "secret"
    secret.touch(0o600)
    secret.write_text(secrets.token_hex(16))
    site.password = site.policy.furnish(secret, site.fabric.addresses, ADMIN)
    jobs = []
    for endpoint in DOZEN:
        state = str(site.state / "agents" / endpoint.name)
        token = str(site.policy.ask("POST", "/v1/enrol-tokens", {})["token"])
        enrol = ["enrol", token, "--name", endpoint.name, "--mac", endpoint.mac, "--state", state]
        scan = [["learn", "--watch", str(site.fabric.programs(endpoint)), "--state", state]] if learn else []
        jobs.append(_job(site, endpoint, "", enrol, *scan))
    site.processes.run(*_agents(site, "enrolment", jobs), timeout_s=60)


def connect(site: Site) -> None:
    """Switch on the switch, plug all in, wait until each has its address in production."""
    site.start_switch()
    for endpoint in DOZEN:
        site.fabric.join(endpoint)
        site.plug(endpoint, up=True)
    for endpoint in DOZEN:
        site.wait(f"{endpoint.name} to be in production", partial(site.stands_in, endpoint, PRODUCTION), 20)
        site.wait(f"{endpoint.name} to have an address", partial(site.fabric.address, endpoint), 20)


def watch(site: Site, *, pings: bool = False) -> None:
    """An agent on every endpoint (and a pinger); returns when each was heard and has looked around."""
    jobs = []
    for endpoint in DOZEN:
        state, programs = site.state / "agents" / endpoint.name, site.fabric.programs(endpoint)
        run = ["run", "--state", str(state), "--watch", str(programs), "--sensor", site.fabric.sensor]
        jobs.append(_job(site, endpoint, namespace(site.fabric, endpoint), run))
    site.processes.start(AGENTS, *_agents(site, AGENTS, jobs))
    for endpoint in DOZEN if pings else ():
        site.processes.start(
            f"ping-{endpoint.name}", *site.fabric.enter(endpoint), *module("lab.endpoints.pinger"), "--interval-ms",
            str(PING_MS), "--journal", str(site.state / "pings" / endpoint.name), *site.fabric.pinger(endpoint),
        )  # fmt: skip
    for endpoint in DOZEN:
        site.wait(f"the agent of {endpoint.name} to be heard", partial(site.policy.heard, endpoint.mac), 40)
        if pings:
            site.wait(f"{endpoint.name} to reach the file server", partial(site.pings(endpoint).answered, 0), 20)
    site.wait("the agents to have looked around", partial(_quiet, site), 40)


def healthy(site: Site) -> bool:
    """Whether all are."""
    return all(site.policy.host(endpoint.mac)["posture"] == "healthy" for endpoint in DOZEN)


def moved(site: Site, since_us: int) -> set[str]:
    """The ports that the switch has put anywhere else than into production since then."""
    lines = site.journal.lines()
    return {str(l["port"]) for l in lines if l["event"] == "moved" and l["us"] >= since_us and l["vlan"] != PRODUCTION}  # noqa: E741


def _job(site: Site, endpoint: Endpoint, netns: str, *commands: list[str]) -> dict[str, object]:
    log = site.state / "logs" / f"agent-{endpoint.name}.log"
    return {"name": endpoint.name, "netns": netns, "log": str(log), "commands": list(commands)}


def _agents(site: Site, name: str, jobs: list[dict[str, object]]) -> list[str]:
    file: Path = site.state / f"{name}.json"
    file.write_text(json.dumps(jobs))
    return [*module("lab.endpoints.agents"), str(file)]


def _quiet(site: Site) -> bool:
    """Whether the agents hardly compute: at their start they look at all that runs already."""
    agents = [psutil.Process(pid) for pid in children(site.processes.pid(AGENTS))]
    before = sum(sum(agent.cpu_times()[:2]) for agent in agents)
    time.sleep(QUIET_S)
    used = sum(sum(agent.cpu_times()[:2]) for agent in agents) - before
    return len(agents) >= len(DOZEN) and used <= QUIET_S / 3

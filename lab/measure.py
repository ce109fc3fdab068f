"""Measure first light many times in one lab: each run there and back, every hop that can be seen from outside.

Times are taken by the process that does the thing, on one machine's clock: execve by the starting process, the
switch's hops by its journal, `stored` and `confirmed` by the service. The API is asked only after the port has moved.
"""

import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Final

import psutil

from lab.endpoints import programs
from lab.fabric import ENDPOINTS, PRODUCTION, REMEDIATION
from lab.narrator import Narrator
from lab.site import Site
from lab.stories import first_light

SECOND: Final = ENDPOINTS[1]
WARM_UP: Final = 2
IDLE_S: Final = 5.0
PAUSE_S: Final = 0.15
UNWATCHED_S: Final = 0.05
"""For so long nothing is asked after a start: reading the journal takes a core for longer than a hop."""
PATH: Final = (
    "execve",
    "stored",
    "coa_received",
    "coa_ack",
    "access_request",
    "access_answer",
    "moved",
    "start_sent",
    "confirmed",
)
"""The order in which a run passes its marks; a hop is from one to the next."""


def measure(site: Site, narrator: Narrator, runs: int) -> dict[str, Any]:
    """p50, p95 and max of every figure over `runs` runs. Raises StoryFailed naming the run that failed."""
    first_light.prepare(site, narrator)
    with narrator.step("idle agents"):
        idle = _idle(site)
    rows = []
    for number in range(WARM_UP + runs):
        with narrator.step(f"run {number + 1}"):
            row = _run(site)
        if number >= WARM_UP:
            rows.append(row)
            narrator.say(f"run {number + 1 - WARM_UP} of {runs}", row["exec_to_moved_ms"])
    figures = {name: _quantiles([row[name] for row in rows]) for name in rows[0] if name != "marks"}
    hops = {
        f"{a} → {b}": _quantiles([_ms(row["marks"][a], row["marks"][b]) for row in rows]) for a, b in pairwise(PATH)
    }
    return {
        "ok": True,
        "fabric": site.fabric.name,
        "sensor": site.policy.host(SECOND.mac)["sensor"],
        "runs": runs,
        **figures,
        "hops_ms": hops,
        "service_start_ms": round(site.service_start_ms, 1),
        **idle,
    }


BUDGETS: Final = {
    ("exec_to_moved_ms", "p50"): 12.0,
    ("exec_to_moved_ms", "p95"): 20.0,
    ("agent_rss_mb", ""): 70.0,
    ("agent_idle_percent", ""): 1.0,
    ("service_start_ms", ""): 2000.0,
}


def judged(result: dict[str, Any]) -> dict[str, Any]:
    """The result with the budgets it missed; `ok` only without one. Judged on the netns fabric with fanotify alone."""
    if (result["fabric"], result["sensor"]) != ("netns", "fanotify"):
        return {**result, "missed": []}
    missed = []
    for (name, quantile), most in BUDGETS.items():
        value = result[name][quantile] if quantile else result[name]
        if value > most:
            missed.append(f"{name} {quantile}".strip() + f": {value} > {most:g}")
    return {**result, "ok": not missed, "missed": missed}


def table(result: dict[str, Any]) -> list[str]:
    """The result as lines for people."""
    rows = {name: value for name, value in result.items() if isinstance(value, dict) and name != "hops_ms"}
    lines = [f"{'':34}{'p50':>9}{'p95':>9}{'max':>9}"]
    for name, value in (rows | result["hops_ms"]).items():
        lines.append(f"{name:34}{value['p50']:9.2f}{value['p95']:9.2f}{value['max']:9.2f}")
    lines += [f"{name:34}{result[name]:9.1f}" for name in ("service_start_ms", "agent_rss_mb", "agent_idle_percent")]
    return lines + [f"MISSED {one}" for one in result["missed"]]


def _run(site: Site) -> dict[str, Any]:
    program = programs.make(site.fabric.programs(SECOND), "bench")
    time.sleep(PAUSE_S)
    start = programs.start(site.fabric.enter(SECOND), program, 30)
    marks: dict[str, int] = {"execve": start.us}
    try:
        time.sleep(UNWATCHED_S)
        site.wait("the session in remediation", partial(_session, site, REMEDIATION, start.us), 10, 0.05)
        for event in PATH[2:-1]:
            line = site.journal.find(event, since_us=start.us)
            marks[event] = int(line["us"]) if line else start.us
        marks["stored"] = site.wait("the report", partial(site.policy.received_us, SECOND.mac, program.sha256), 5)
        marks["confirmed"] = _confirmed(site, "remediation", start.us)
        site.wait("an address in remediation", partial(first_light.address_in, site, REMEDIATION), 10)
        packets = len(site.fabric.frames(SECOND, start.us, marks["moved"]))
        allowed = _now()
        site.policy.allow_by_api(program.sha256)
        site.wait("the session in production", partial(_session, site, PRODUCTION, allowed), 10)
        back = site.journal.find("moved", since_us=allowed)
        _confirmed(site, "production", allowed)
        site.wait("the ping to resume", partial(site.pings(SECOND).answered, allowed), 10)
    finally:
        start.process.kill()
        start.process.wait()
        program.path.unlink()
    assert back is not None
    return {
        "marks": marks,
        "exec_to_report_ms": _ms(start.us, marks["stored"]),
        "exec_to_moved_ms": _ms(start.us, marks["moved"]),
        "confirmed_ms": _ms(start.us, marks["confirmed"]),
        "allow_to_released_ms": _ms(allowed, back["us"]),
        "packets_after_exec": packets,
    }


def _session(site: Site, vlan: str, since_us: int) -> bool:
    return site.journal.find("start_sent", since_us=since_us, port=SECOND.port, vlan=vlan) is not None


def _confirmed(site: Site, access: str, since_us: int) -> int:
    return site.wait(f"{access} to be confirmed", partial(site.policy.confirmed_us, SECOND.mac, access, since_us), 10)


def _idle(site: Site) -> dict[str, float]:
    """Memory of the largest agent, and what share of a core the busiest one uses while nothing happens."""
    agents = [psutil.Process(site.processes.pid(f"agent-{e.name}")) for e in ENDPOINTS]
    before = [sum(agent.cpu_times()[:2]) for agent in agents]
    time.sleep(IDLE_S)
    after = [sum(agent.cpu_times()[:2]) for agent in agents]
    return {
        "agent_rss_mb": round(max(agent.memory_info().rss for agent in agents) / 2**20, 1),
        "agent_idle_percent": round(max(b - a for a, b in zip(before, after, strict=True)) / IDLE_S * 100, 2),
    }


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    last = len(ordered) - 1
    return {
        "p50": ordered[len(ordered) // 2],
        "p95": ordered[min(last, int(len(ordered) * 0.95))],
        "max": ordered[last],
    }


def _now() -> int:
    return time.time_ns() // 1000


def _ms(begin_us: int, end_us: int) -> float:
    return round((end_us - begin_us) / 1000, 2)

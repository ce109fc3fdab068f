"""The roll-out, told on both fabrics; what happens without the trust in its tool; and that nothing is left behind."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from lab import dozen
from lab.endpoints import programs
from lab.endpoints.deployment import Deployment
from lab.fabric.wide import DOZEN
from lab.narrator import Narrator
from lab.python import environment, pratique
from lab.site import Site
from lab.stories import rollout
from tests.acceptance.left_behind import ended_after

FABRICS = [pytest.param("netns", marks=pytest.mark.peer("netns")), "table"]
LIMIT = 3
"""Hosts that one executable may move before it is contained instead (the breaker's default)."""
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("fabric", FABRICS)
def test_only_patient_zero_moves_and_comes_back_when_its_program_is_allowed(fabric: str) -> None:
    begun = time.monotonic()
    command = pratique("lab", "story", "rollout", "--json", "--fabric", fabric)
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment(), check=False)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])

    assert result["ok"], json.dumps(result)
    assert done.returncode == 0
    assert (result["patient_zero_moved"], result["others_moved"], result["contained"]) == (True, 0, 0)
    assert (result["fabric"], result["rolled_out"]) == (fabric, 11)
    assert 0 < result["free_after_allow_ms"] < 15_000
    assert "trust grace" in done.stderr
    assert time.monotonic() - begun < 50


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A dozen endpoints on the port table, in this process."""
    state = tmp_path / "lab"
    state.mkdir()
    made = Site(state, "table")
    try:
        rollout.prepare(made, Narrator(json_only=True))
        yield made
    finally:
        made.close()
        for log in sorted((state / "logs").glob("*.log")):
            print(f"---- {log.name}\n{log.read_text(errors='replace')[-2000:]}")


def test_it_can_be_told_again_on_the_same_site_and_without_the_trust_the_program_is_stopped_and_not_the_fleet(
    site: Site,
) -> None:
    """Twice as it should be; then the tool's role is taken away, and an unproven roll-out begins."""
    for _ in range(2):
        assert rollout.play(site, Narrator(json_only=True))["ok"]

    (tool,) = json.loads(site.policy.cli("tool", "list", "--role", "deployment", "--json"))
    site.policy.cli("tool", "remove", tool["sha256"])
    deployment = Deployment(site.state / "depot", site.state / "orders")
    unproven = programs.make(deployment.depot, "unproven")
    since = time.time_ns() // 1000
    for endpoint in DOZEN:
        deployment.order(endpoint.name, unproven)

    site.wait("all twelve to have a potential problem", partial(nobody_is_healthy, site), 30, 0.3)
    stopped = dozen.moved(site, since)
    assert 1 <= len(stopped) <= LIMIT, "patient zero's earlier places count too"
    reasons = [reason for endpoint in DOZEN for reason in site.policy.host(endpoint.mac)["reasons"]]
    assert sum(bool(reason["contained"]) for reason in reasons) == len(DOZEN) - len(stopped)

    site.policy.allow(unproven.sha256, "it was a roll-out after all")
    site.wait("all to be healthy by one decision", partial(dozen.healthy, site), 15, 0.2)
    site.wait("all ports to be back in production", partial(all_in_production, site), 15, 0.2)


def nobody_is_healthy(site: Site) -> bool:
    return all(site.policy.host(endpoint.mac)["posture"] == "potential_problem" for endpoint in DOZEN)


def all_in_production(site: Site) -> bool:
    return all(site.stands_in(endpoint, "10") for endpoint in DOZEN)


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A short folder for state folders (UNIX sockets have short names)."""
    folder = Path(f"/tmp/rollout-{os.getpid()}")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("fabric", FABRICS)
@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_ended_in_the_middle_of_the_roll_out_nothing_of_it_is_left(
    fabric: str, how: signal.Signals, code: int, temporary: Path
) -> None:
    command = pratique("lab", "story", "rollout", "--fabric", fabric)
    with ended_after(command, "The deployment agents start", temporary, more_than=24, seconds=15) as lab:
        os.kill(lab.pid, how)
        assert lab.wait(20) == code

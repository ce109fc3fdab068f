"""The lab's deployment agent: what it starts really runs, and its parent chain says by whom."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lab.endpoints import programs
from lab.endpoints.deployment import NAME, Deployment
from lab.processes import kill_descendants
from radius_policy.facts.roles import role_for
from radius_policy.model import ToolRole


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    made = Deployment(tmp_path / "depot", tmp_path / "orders")
    made.found()
    return made


@pytest.fixture
def agent(deployment: Deployment, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The agent of endpoint1, running."""
    here = tmp_path / "endpoint1"
    here.mkdir()
    deployment.install("endpoint1", here)
    process = subprocess.Popen(deployment.command("endpoint1", here))
    yield process
    kill_descendants(process.pid)
    process.kill()
    process.wait()


def started(folder: Path, name: str) -> psutil.Process:
    """The process that runs a program of this folder, once there is one."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for pid in psutil.pids():
            try:
                process = psutil.Process(pid)  # a new one each time: it remembers its first exe
                if process.exe() == str(folder / name):
                    return process
            except (psutil.AccessDenied, psutil.NoSuchProcess):
                continue
        time.sleep(0.02)
    raise AssertionError(f"{name} was not started")


def test_an_ordered_program_is_fetched_and_started_by_the_agent(
    deployment: Deployment, agent: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    for _ in range(2):
        program = programs.make(deployment.depot, "editor")
        until = time.monotonic() + 10
        while True:
            try:
                deployment.order("endpoint1", program)
                break
            except OSError:  # it has not opened its pipe yet
                assert time.monotonic() < until
                time.sleep(0.02)
        runs = started(tmp_path / "endpoint1", program.path.name)
        assert runs.parents()[0].exe() == str(tmp_path / "endpoint1" / NAME)
        assert agent.pid in [parent.pid for parent in runs.parents()]


def test_all_endpoints_have_the_same_agent_and_no_shell_of_this_machine_is_it(
    deployment: Deployment, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        deployment.install(name, tmp_path / name)
    agent = (tmp_path / "one" / NAME).read_bytes()
    assert agent == (tmp_path / "two" / NAME).read_bytes()
    assert agent != Path("/bin/sh").read_bytes()


def test_its_name_proposes_the_role_that_the_story_needs() -> None:
    assert role_for(NAME) is ToolRole.DEPLOYMENT


def test_an_order_that_nobody_reads_is_an_error(deployment: Deployment, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    deployment.install("one", tmp_path / "one")
    with pytest.raises(OSError, match="No such device"):
        deployment.order("one", programs.make(deployment.depot, "editor"))

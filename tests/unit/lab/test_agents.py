"""Several agents from one Python: what their starter promises, with commands that only say where they are."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lab.python import environment

DRIVER = """\
import os, sys, time
from pathlib import Path
import msgspec
from lab.endpoints import agents

def main(argv):
    word, *rest = argv
    print(*argv, os.readlink("/proc/self/ns/net"), flush=True)
    if word == "wait":
        time.sleep(60)
    return int(word == "fail")

agents.cli.main = main
sys.exit(agents.run(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=list[agents.Job])))
"""


def jobs(folder: Path, netns: str = "", **commands: list[list[str]]) -> list[str]:
    """The command line of a starter whose endpoints have these commands."""
    made = [
        {"name": name, "netns": netns, "log": str(folder / f"{name}.log"), "commands": todo}
        for name, todo in commands.items()
    ]
    (folder / "jobs.json").write_text(json.dumps(made))
    return [sys.executable, "-c", DRIVER, str(folder / "jobs.json")]


def waiting(folder: Path, *names: str) -> "subprocess.Popen[str]":
    """A starter whose endpoints all wait."""
    command = jobs(folder, **{name: [["wait"]] for name in names})
    starter = subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 20
    while not all((folder / f"{name}.log").exists() and (folder / f"{name}.log").read_text() for name in names):
        assert time.monotonic() < until
        time.sleep(0.02)
    return starter


def gone(process: psutil.Process, within_s: float = 5) -> bool:
    """Whether it ends in time (nobody may collect it: a zombie is gone)."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def test_each_endpoint_is_told_its_commands_one_after_the_other_and_tells_its_own_log(tmp_path: Path) -> None:
    command = jobs(tmp_path, one=[["enrol", "token"], ["learn"]], two=[["run"]])
    assert subprocess.run(command, env=environment(), timeout=30, check=False).returncode == 0
    logs = {name: (tmp_path / f"{name}.log").read_text().splitlines() for name in ("one", "two")}
    words = {name: [line.split()[0] for line in log] for name, log in logs.items()}
    assert words == {"one": ["enrol", "learn"], "two": ["run"]}


def test_the_first_that_fails_ends_all_others_and_is_told(tmp_path: Path) -> None:
    command = jobs(tmp_path, good=[["wait"]], bad=[["fail", "reason"], ["never"]])
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "the agent of bad ended with 1:\nfail reason" in done.stderr
    assert "never" not in (tmp_path / "bad.log").read_text()


def test_a_command_line_that_makes_no_sense_is_a_failure_and_no_second_starter(tmp_path: Path) -> None:
    command = jobs(tmp_path, odd=[[]])
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "ValueError" in done.stderr


def test_sigterm_ends_all_in_order(tmp_path: Path) -> None:
    starter = waiting(tmp_path, "one", "two")
    below = psutil.Process(starter.pid).children()
    assert [os.getsid(child.pid) for child in below] == [child.pid for child in below], (
        "each has its own share of the processors"
    )
    assert len(below) == 2
    starter.send_signal(signal.SIGTERM)
    assert starter.wait(10) == 0
    assert all(gone(child) for child in below)
    assert starter.communicate()[1] == ""


def test_they_end_with_their_starter_even_when_it_is_killed(tmp_path: Path) -> None:
    starter = waiting(tmp_path, "one", "two")
    below = psutil.Process(starter.pid).children()
    starter.kill()
    starter.communicate()
    assert all(gone(child) for child in below)


@pytest.mark.peer("netns")
def test_an_endpoint_is_in_the_network_that_its_job_names(tmp_path: Path) -> None:
    other = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo there; read x"], stdin=-1, stdout=-1, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "there\n"
        command = jobs(tmp_path, netns=f"/proc/{other.pid}/ns/net", one=[["run"]])
        assert subprocess.run(command, env=environment(), timeout=30, check=False).returncode == 0
        there = os.readlink(f"/proc/{other.pid}/ns/net")
        assert there != os.readlink("/proc/self/ns/net")
        assert (tmp_path / "one.log").read_text() == f"run {there}\n"
    finally:
        other.communicate("\n")


def test_a_network_that_is_not_there_is_told(tmp_path: Path) -> None:
    command = jobs(tmp_path, netns=str(tmp_path / "nowhere"), one=[["run"]])
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "nowhere" in done.stderr

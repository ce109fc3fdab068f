"""Children that are started, watched and ended."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.processes import Died, Processes, children
from lab.python import environment


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path, environment())


def test_a_process_that_ends_by_itself_is_told_with_the_end_of_its_log(processes: Processes) -> None:
    processes.start("radio", "sh", "-c", "echo no antenna; exit 3").wait(5)
    with pytest.raises(Died, match=r"(?s)radio ended with 3.*no antenna"):
        processes.check()


def test_a_command_that_fails_is_told_with_its_words(processes: Processes) -> None:
    assert processes.run("echo", "hello") == "hello\n"
    with pytest.raises(Died, match="ended with 2: bad luck"):
        processes.run("sh", "-c", "echo bad luck >&2; exit 2")
    with pytest.raises(Died, match="did not end within"):
        processes.run("sleep", "5", timeout_s=0.2)


def test_commands_beside_each_other_answer_in_order(processes: Processes) -> None:
    begun = time.monotonic()
    assert processes.run_all([["sh", "-c", f"sleep 0.4; echo {n}"] for n in (1, 2, 3)]) == ["1\n", "2\n", "3\n"]
    assert time.monotonic() - begun < 1.1
    with pytest.raises(Died, match="ended with 1"):
        processes.run_all([["true"], ["false"]])


def test_one_that_does_not_listen_is_killed(processes: Processes) -> None:
    stubborn = processes.start("stubborn", "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
    time.sleep(0.3)
    processes.stop_all()
    assert stubborn.returncode == -9


def test_children_die_with_their_parent(tmp_path: Path) -> None:
    code = (
        "import sys,time; from pathlib import Path; from lab.processes import Processes; from lab.python import environment\n"
        f"p = Processes(Path({str(tmp_path)!r}), environment()).start('child', 'sleep', '60'); print(p.pid, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment()) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert child in children(os.getpid())
        parent.kill()
    until = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and _state(child) != "Z" and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(f"/proc/{child}").exists() or _state(child) == "Z"


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"

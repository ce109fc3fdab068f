"""What a lab may have left behind: for the tests that end one the hard way."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from lab.processes import children
from lab.python import STATE_VARIABLE, environment


def alive(pids: list[int]) -> list[int]:
    """Those that still run (a namespace lives as long as its last process)."""
    found = []
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except psutil.NoSuchProcess:
            continue
    return found


def marked(state: Path) -> list[int]:
    """Processes that belong to the lab of this state folder."""
    marker, found = f"{STATE_VARIABLE}={state}".encode(), []
    for pid in psutil.pids():
        try:
            if marker in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
        except OSError:
            continue
    return found


@contextmanager
def ended_after(
    command: list[str], text: str, temporary: Path, *, more_than: int, seconds: float
) -> Iterator["subprocess.Popen[str]"]:
    """A lab that has just told `text` and has more than so many processes below it, for the test to end; `seconds` after
    that at the latest nothing of it may be left. `temporary` is where its state folder goes."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment(TMPDIR=str(temporary)), start_new_session=True
    ) as lab:
        assert lab.stdout is not None
        told = []
        for line in lab.stdout:
            told.append(line)
            if text in line:
                break
        assert told, "the lab told nothing"
        assert text in told[-1], "".join(told)
        (state,) = temporary.glob("pratique-lab-*")
        running = children(lab.pid)
        assert len(running) > more_than
        yield lab

    until = time.monotonic() + seconds
    while (alive(running) or marked(state) or state.exists()) and time.monotonic() < until:
        time.sleep(0.05)
    assert alive(running) == []
    assert marked(state) == []
    assert not state.exists()

"""What a lab may have left behind: for the tests that end one the hard way."""

from pathlib import Path

import psutil

from lab.python import STATE_VARIABLE


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

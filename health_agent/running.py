"""Which reported starts have no end yet, on disk, so that a new run of the agent can tell their ends.

A journal of lines: `+ EXECUTION PID BIRTH SHA256` when a start is reported, `- EXECUTION` when its end is. The first
line names the boot: pids of another boot are not alive. It survives the death of the agent (the kernel holds what was
written); what a power cut loses of it are starts that ended with the power.

Deliberately not synced: the spool is what must be durable.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from health_agent.dialogue import Restored
from health_agent.files import write_whole

NO_HASH = "-"


class Running:
    """The journal in `path`. Raises OSError where it cannot be written."""

    def __init__(self, path: Path, boot: str) -> None:
        self._path = path
        self._boot = boot
        self.restored = tuple(_read(path, boot))
        self._lines = 0
        self._alive = {start.execution: start for start in self.restored}
        self._file = self._rewrite()

    def remember(self, start: Restored) -> None:
        self._alive[start.execution] = start
        self._append(_line(start))

    def forget(self, execution: str) -> None:
        if self._alive.pop(execution, None) is not None:
            self._append(f"- {execution}\n")

    def close(self) -> None:
        os.close(self._file)

    def _append(self, line: str) -> None:
        os.write(self._file, line.encode())
        self._lines += 1
        if self._lines > 1000 and self._lines > 4 * len(self._alive):
            os.close(self._file)
            self._file = self._rewrite()

    def _rewrite(self) -> int:
        self._lines = 0
        write_whole(self._path, "".join([f"{self._boot}\n", *map(_line, self._alive.values())]).encode())
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)


def _line(start: Restored) -> str:
    return f"+ {start.execution} {start.pid} {start.birth} {start.sha256 or NO_HASH}\n"


def _read(path: Path, boot: str) -> Iterable[Restored]:
    try:
        first, *lines = path.read_text("utf-8", "replace").splitlines() or [""]
    except FileNotFoundError:
        return []
    alive: dict[str, Restored] = {}
    for line in lines:
        match line.split():
            case ["+", execution, pid, birth, sha256] if pid.isdigit() and birth.removeprefix("-").isdigit():
                # Of an older boot nothing lives, but its ends are still owed: a birth that no process can have.
                alive[execution] = Restored(
                    execution, int(pid), int(birth) if first == boot else -1, None if sha256 == NO_HASH else sha256
                )
            case ["-", execution]:
                alive.pop(execution, None)
            case _:
                continue  # the torn last line of a power cut: its start ended with the power
    return alive.values()

"""Reading /proc: who a process is, who started it, and whose it is.

Guarantees: a process that ends meanwhile is None or an end of the chain, never an exception; a process is named by
(pid, birth), because pids come back. `birth` is its start in clock ticks since boot (proc_pid_stat(5), field 22).

User names come from /etc/passwd alone: a directory service may be unreachable in just the minute that matters, and
asking it would make the sensor wait. A user that is not there is named by its number.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from health_agent.content import printable
from health_agent.contract import Program

DEPTH: Final = 8
TICKS: Final = os.sysconf("SC_CLK_TCK")
DELETED: Final = " (deleted)"


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    birth: int
    parent: int
    user: int = 0

    @property
    def started_us(self) -> int:
        """When it was born, by this machine's clock (microseconds since the epoch, to about 10 ms)."""
        boot_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return boot_ns // 1000 + self.birth * 1_000_000 // TICKS


def process(pid: int) -> Process | None:
    """The process that has this pid now. `user` is the number of its effective user."""
    fields, user = _stat(pid)
    return Process(pid, int(fields[19]), int(fields[1]), user) if fields else None


def lives(pid: int, birth: int) -> bool:
    """Whether this very process still runs (a zombie does not)."""
    fields, _ = _stat(pid)
    return bool(fields) and fields[0] not in (b"Z", b"X") and int(fields[19]) == birth


def _stat(pid: int) -> tuple[list[bytes], int]:
    """The fields of /proc/PID/stat behind the name (which may hold anything), from field 3 on, and whose it is; no fields
    where it is gone."""
    try:
        file = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            line, user = os.read(file, 1024), os.fstat(file).st_uid
        finally:
            os.close(file)
    except OSError:
        return [], 0
    return line[line.rfind(b")") + 2 :].split(None, 20), user


def path_of(pid: int) -> str | None:
    """The path of the image it runs, without the kernel's mark for deleted ones; None for kernel threads and the dead."""
    try:
        return image_path(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return None


def image_path(link: str) -> str:
    """What /proc says of an open file, as a path for people."""
    return printable(link).removesuffix(DELETED)[:4096]


class Users:
    """Names of users by number; a change of /etc/passwd is noticed within a second."""

    def __init__(self, path: Path = Path("/etc/passwd")) -> None:
        self._path = path
        self._stamp = -1
        self._fresh_until = 0.0
        self._names: dict[int, str] = {}

    def name(self, number: int) -> str:
        if (now := time.monotonic()) >= self._fresh_until:
            self._fresh_until = now + 1
            self._read()
        return self._names.get(number, str(number))

    def _read(self) -> None:
        try:
            stamp = self._path.stat().st_mtime_ns
            if stamp != self._stamp:
                self._names, self._stamp = dict(_users(self._path.read_text("utf-8", "replace"))), stamp
        except OSError:
            self._names = {}


def _users(text: str) -> Iterator[tuple[int, str]]:
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) > 2 and fields[2].isdigit():
            yield int(fields[2]), fields[0]


def parents(
    child: Process | None, users: Users, sha256_of: Callable[[int], str | None] = lambda pid: None
) -> tuple[Program, ...]:
    """The chain upwards from `child` (itself not in it), nearest first, at most `DEPTH` long.

    `sha256_of` gives the hash of a running image if it is cheap to know.
    """
    chain: list[Program] = []
    pid = child.parent if child else 0
    while pid > 0 and len(chain) < DEPTH and (path := path_of(pid)) is not None:
        here = process(pid)
        user = users.name(here.user) if here else None
        chain.append(Program(path=path, pid=pid, user=user, sha256=sha256_of(pid)))
        pid = here.parent if here else 0
    return tuple(chain)


def boot_id() -> str:
    """Names this boot, so that pids remembered from before it are never taken for living ones. Raises OSError."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()

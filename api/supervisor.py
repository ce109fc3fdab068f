"""`pratique serve`: keeps the processes of the service alive, each for itself.

Guarantees: a process that ends is started again, at once the first time and then with growing pauses (a run of
`HEALTHY_S` begins anew); one that cannot start at all (a port in use, a wrong database) ends the whole service at its first
start, with its own sentence, and is tried again and again later, when the others are needed. SIGTERM and SIGINT end
all; a supervisor that is killed takes its processes with it (Linux: PR_SET_PDEATHSIG).

`next_step` is the whole decision, without clock and processes; `Supervisor` is the shell around it.
"""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from api.start import EXIT_CANNOT_START

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 10.0
HEALTHY_S: Final = 30.0
GRACE_S: Final = 5.0
"""How long a process may take to end before it is killed."""
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True)
class History:
    """How one process has fared: runs that ended in a row too soon, and whether it ever ran well."""

    failures: int = 0
    ever_ran: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """Start it again after `pause_s`."""

    pause_s: float
    history: History


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End the service with this exit code."""

    code: int


def next_step(history: History, *, code: int, ran_s: float) -> Again | GiveUp:
    """What to do when a process ended by itself with `code` (negative: by that signal) after `ran_s` seconds."""
    if code == EXIT_CANNOT_START and not history.ever_ran and not history.failures:
        return GiveUp(1)
    if code != EXIT_CANNOT_START and ran_s >= HEALTHY_S:
        return Again(FIRST_PAUSE_S, History(1, ever_ran=True))
    pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**history.failures)
    ran = history.ever_ran or code != EXIT_CANNOT_START
    return Again(pause, replace(history, failures=history.failures + 1, ever_ran=ran))


class Supervisor:
    """Keeps `commands` (name → command line) running until told to end."""

    def __init__(self, commands: dict[str, Sequence[str]]) -> None:
        self._commands = commands
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._end = asyncio.Event()
        self._code = 0

    async def run(self) -> int:
        """Until SIGTERM, SIGINT or a process that cannot start at all. Returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end.set)
        keepers = [asyncio.create_task(self._keep(name)) for name in self._commands]
        ending = asyncio.create_task(self._end.wait())
        try:
            await asyncio.wait([*keepers, ending], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._end.set()
            await self._stop()
            await asyncio.gather(*keepers)
            ending.cancel()
        return self._code

    async def _keep(self, name: str) -> None:
        history = History()
        while not self._end.is_set():
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(*self._commands[name], start_new_session=True)
            self._processes[name] = process
            if self._end.is_set():  # told to end while it was being started: `_stop` may not have seen it
                process.terminate()
            code = await process.wait()
            if self._end.is_set():
                return
            step = next_step(history, code=code, ran_s=time.monotonic() - began)
            if isinstance(step, GiveUp):
                self._code = step.code
                self._end.set()
                return
            _log("process_ended", process=name, code=code, again_in_s=step.pause_s)
            history = step.history
            try:
                await asyncio.wait_for(self._end.wait(), step.pause_s)
            except TimeoutError:
                continue

    async def _stop(self) -> None:
        running = [process for process in self._processes.values() if process.returncode is None]
        for process in running:
            process.terminate()
        waits = [asyncio.create_task(process.wait()) for process in running]
        if waits:
            await asyncio.wait(waits, timeout=GRACE_S)
        for process in running:
            if process.returncode is None:
                _log("process_killed", pid=process.pid)
                process.kill()


def _log(event: str, **values: Any) -> None:
    """Logging is set up when there is something to tell: a start must not wait for it."""
    from api import logs

    logs.configure()
    logs.logger(__name__).error(event, **values)


def commands(roles: Sequence[str], options: Sequence[str]) -> dict[str, Sequence[str]]:
    """The command line of each role's process."""
    parent = str(os.getpid())
    base = [sys.executable, "-m", "api.process"]
    return {str(role): [*base, str(role), *options, "--parent", parent] for role in roles}


def die_with(parent: int) -> None:
    """Ask the kernel to end this process when its parent ends; leave at once where that has happened already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)

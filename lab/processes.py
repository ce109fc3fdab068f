"""The lab's child processes: started with a log file each, ended with the lab, never by name.

Guarantees: a child dies when its parent does (PR_SET_PDEATHSIG through `setpriv`); `stop_all` first asks, then kills;
`Died` carries the tail of the log, so that a failure tells its reason.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

STOP_S: Final = 2.0
PR_SET_CHILD_SUBREAPER: Final = 36


class Died(Exception):
    """A process of the lab ended though it should run, or a command failed; the message holds the end of its log."""


class Processes:
    """Named children; logs are `folder/NAME.log`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str, pass_fds: tuple[int, ...] = ()) -> "subprocess.Popen[bytes]":
        """Start one; an earlier one of this name must have ended."""
        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        self._running[name] = process
        return process

    def run(self, *command: str, timeout_s: float = 20.0) -> str:
        """Run a command to its end; its standard output. Raises Died with its words if it fails."""
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, env=self._environment, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Died(f"`{' '.join(command)}` did not end within {timeout_s:g} s") from error
        if done.returncode:
            raise Died(f"`{' '.join(command)}` ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def run_all(self, commands: list[list[str]], *, text: str = "", timeout_s: float = 30.0) -> list[str]:
        """Run commands beside each other; their outputs in order. `text` is what each may read from its standard
        input. Raises Died with the words of the first that failed."""
        running = [
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=self._environment,
            )
            for command in commands
        ]
        said = []
        try:
            for command, process in zip(commands, running, strict=True):
                out, error = process.communicate(text, timeout=timeout_s)
                if process.returncode:
                    raise Died(f"`{' '.join(command)}` ended with {process.returncode}: {(error or out).strip()}")
                said.append(out)
        except subprocess.TimeoutExpired as error:
            raise Died(f"`{' '.join(error.cmd)}` did not end within {timeout_s:g} s") from error
        finally:
            for process in running:
                if process.poll() is None:
                    process.kill()
                    process.communicate()
        return said

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def pids(self) -> set[int]:
        return {process.pid for process in self._running.values()}

    def check(self) -> None:
        """Raises Died if a process has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise Died(f"the lab's {name} ended with {process.returncode}:\n{self.tail(name)}")

    def tail(self, name: str, lines: int = 15) -> str:
        path = self._folder / f"{name}.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def last_words(self, name: str) -> str:
        """The end of its log as a paragraph behind a failure: the reason often stands there alone."""
        return f"\nThe log of the lab's {name} ends:\n{self.tail(name) or '(nothing was written)'}"

    def stop(self, *names: str) -> None:
        """End these (all at once, each within `STOP_S`)."""
        stopping = [self._running.pop(name) for name in names if name in self._running]
        for process in stopping:
            process.terminate()
        until = time.monotonic() + STOP_S
        for process in stopping:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def stop_all(self) -> None:
        self.stop(*reversed(list(self._running)))

    def command_environment(self) -> dict[str, str]:
        return dict(self._environment)


def subreaper() -> None:
    """From now on orphaned descendants become children of this process, so that it can find and end them."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid: int) -> list[int]:
    """All living descendants of a process, as /proc shows them now."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError, ValueError):  # it ended while we looked
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def kill_descendants(pid: int) -> list[int]:
    """SIGKILL everything below a process; whom it hit."""
    below = children(pid)
    for child in below:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return below


def reap_orphans(own: set[int]) -> None:
    """Collect what ended and was left to this process, but not the children that somebody here waits for."""
    for pid in children(os.getpid()):
        if pid not in own:
            with contextlib.suppress(ChildProcessError):  # somebody else's child
                os.waitpid(pid, os.WNOHANG)


def end_descendants(within_s: float = 3.0) -> None:
    """SIGKILL everything below this process and collect it, until nothing is left. For the very end: no `Popen` of
    this process learns its exit code afterwards."""
    until = time.monotonic() + within_s
    while kill_descendants(os.getpid()) and time.monotonic() < until:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.02)

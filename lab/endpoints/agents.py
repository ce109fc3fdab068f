"""Several agents from one Python: `python -m lab.endpoints.agents JOBS.json`.

The agent is imported once and each endpoint gets a fork of it, so a dozen agents take hardly more memory and hardly
more time to start than one. Each child enters its endpoint's network and is then told the command lines of
`pratique agent …` that its job names, one after the other.

Guarantees: the children end with this process, however that ends. The exit code is 0 when every command of every
endpoint was done; the first that is not ends all the others, and is told with the last lines of its log. SIGTERM
ends all in order.
"""

import ctypes
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec

from health_agent import cli

CLONE_NEWNET: Final = 0x40000000
PR_SET_PDEATHSIG: Final = 1
TOLD: Final = 5
LATER: Final = tuple(f"health_agent.{name}" for name in ("baseline", "enrol", "learning", "network", "service"))


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one endpoint does: `netns` is the file of its network namespace ('' = this one), `log` where it tells."""

    name: str
    netns: str
    log: str
    commands: list[list[str]]


def warm_up() -> None:
    """Import all that the commands import when they run, so that the forks need not."""
    for name in LATER:
        import_module(name)


def run(jobs: list[Job]) -> int:
    """Fork, wait, and answer with the exit code."""
    warm_up()
    parent = os.getpid()
    children: dict[int, Job] = {}
    stopping: list[int] = []

    def stop(number: int, frame: Any) -> None:
        stopping.append(number)
        _signal(children, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for job in jobs:
        pid = os.fork()
        if pid == 0:
            _become(job, parent)
        children[pid] = job
    if stopping:
        _signal(children, signal.SIGTERM)
    failed = ""
    while children:
        pid, status = os.wait()
        ended = children.pop(pid, None)
        code = os.waitstatus_to_exitcode(status)
        if ended is not None and code and not failed and not stopping:
            failed = f"the agent of {ended.name} ended with {code}:\n{_tail(Path(ended.log))}"
            _signal(children, signal.SIGTERM)
    if failed:
        print(failed, file=sys.stderr)
    return 1 if failed else 0


def _become(job: Job, parent: int) -> None:
    """The child: never returns."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()  # the kernel shares processors between sessions: twelve agents want twelve shares, not one
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        log = os.open(job.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if os.getppid() != parent:  # it ended before it could be told to take us along
            raise ProcessLookupError("the process that started this agent is gone")
        if job.netns:
            _enter(libc, job.netns)
        for command in job.commands:
            code = cli.main(command)
            if code:
                break
    except BaseException as error:  # whatever it is, a fork must not run on in its parent's frames
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _enter(libc: Any, netns: str) -> None:
    file = os.open(netns, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(file, CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, f"cannot enter {netns}: {os.strerror(number)}")
    finally:
        os.close(file)


def _signal(pids: dict[int, Job], number: int) -> None:
    for pid in list(pids):
        os.kill(pid, number)


def _tail(log: Path) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-TOLD:])


if __name__ == "__main__":
    sys.exit(run(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=list[Job])))

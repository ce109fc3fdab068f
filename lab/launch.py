"""The outer half of the lab: the process that a person started and may end at any time.

It chooses the fabric, makes the state folder, binds the console's socket on the host, and starts the inner half
(`inside.py`), in namespaces of its own where the fabric wants that. Guarantees: after Ctrl-C, SIGTERM, SIGHUP, or a
kill -9 of either half nothing is left: the inner half ends when the pipe between them closes, everything below it
ends with it, and a state folder whose owner is gone is swept by the next run. Two labs at once share nothing.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from lab.processes import end_descendants, kill_descendants, subreaper
from lab.python import STATE_VARIABLE, environment, module

PREFIX: Final = "pratique-lab-"
CONSOLE_PORT: Final = 8443
UNSHARE: Final = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


@dataclass(frozen=True, slots=True)
class Order:
    """What the inner half shall do. `console` and `life` are descriptors it inherits; `stay` keeps the console up."""

    action: str
    fabric: str
    why: str
    state: str
    life: int
    console: int = -1
    console_address: str = ""
    story: str = ""
    json: bool = False
    stay: bool = False
    keep: bool = False
    runs: int = 0


def launch(
    action: str,
    *,
    fabric: str,
    why: str,
    story: str = "",
    json_only: bool = False,
    stay: bool = False,
    keep: bool = False,
    listen: str = "127.0.0.1",
    runs: int = 0,
) -> int:
    """Run the inner half to its end; its exit code (130 when it was interrupted, 137 when it was killed)."""
    sweep()
    state = Path(tempfile.mkdtemp(prefix=PREFIX))
    subreaper()
    lock = _locked(state)
    console = _console(listen)
    ours, theirs = os.pipe()
    host, port = console.getsockname()[:2]
    order = Order(
        action, fabric, why, str(state), ours, console.fileno(), f"{host}:{port}", story, json_only, stay, keep, runs
    )
    command = [*(UNSHARE if fabric == "netns" else ()), *module("lab.inside"), json.dumps(asdict(order))]
    try:
        inner = subprocess.Popen(
            command,
            pass_fds=(ours, console.fileno()),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            env=environment(),
        )
        os.close(ours)
        console.close()
        _pass_on(theirs)
        code = inner.wait()
        return code if code >= 0 else 128 - code
    finally:
        end_descendants()
        if keep:
            print(f"The state folder was kept: {state}", file=sys.stderr)
            (state / "kept").touch()
        else:
            shutil.rmtree(state, ignore_errors=True)
        os.close(lock)


def _pass_on(pipe: int) -> None:
    """Ctrl-C and the like close the pipe, which asks the inner half to end; a second one kills."""
    open_ = [pipe]

    def stop(number: int, frame: object) -> None:
        if open_:
            os.close(open_.pop())
        else:
            kill_descendants(os.getpid())

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _console(listen: str) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((listen, CONSOLE_PORT))
    except OSError:  # somebody has the well-known port, perhaps another lab
        opened.bind((listen, 0))
    opened.listen(32)
    return opened


def _locked(state: Path) -> int:
    """The lock that says the folder is in use. It is held by this process and everything it starts may not inherit it."""
    lock = os.open(state / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def sweep(folder: Path | None = None) -> list[Path]:
    """Remove the state folders of labs that are gone, and end what still runs for them; which they were."""
    swept = []
    for state in (folder or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        try:
            if state.stat().st_uid != os.geteuid() or (state / "kept").exists():
                continue
            lock = os.open(state / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # vanished, or of a lab that is just starting
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            _end_processes_of(state)
            shutil.rmtree(state, ignore_errors=True)
            swept.append(state)
        finally:
            os.close(lock)
    return swept


def _end_processes_of(state: Path) -> None:
    marker = f"{STATE_VARIABLE}={state}\0".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):  # ended, or not ours to read
                if marker in (entry / "environ").read_bytes() + b"\0":
                    os.kill(int(entry.name), signal.SIGKILL)

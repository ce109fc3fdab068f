"""Start one script and see it end, within its limits.

Guarantees: no shell; an environment of three fixed variables; no descriptor but the three standard ones; no new
privileges, and where this process is root, another user without groups and capabilities. What is beyond the output
limit is read and thrown away, so that a talkative script neither waits nor fills memory. At its time limit the script
and all of its process group are killed; they are killed too when this process dies.

A script that leaves its process group on purpose lives on: scripts are the administrator's own programs, and the limits
are against mistakes. `setpriv` (util-linux) does what has to happen between fork and exec.
"""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import BinaryIO, Final

from api.alerts.scripts import ENVIRONMENT, BadScripts, Command

CHUNK: Final = 65536
LINGER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a script ended. `code` is its exit code, negative for a signal (waitpid), None when it was killed at its time
    limit. `output` is what it said on either stream, at most as much as was allowed."""

    code: int | None
    output: str
    truncated: bool
    seconds: float


def prefix(user: str) -> list[str]:
    """The words before a script's own. Raises BadScripts."""
    setpriv = shutil.which("setpriv", path="/usr/bin:/bin:/usr/sbin:/sbin")
    if setpriv is None:
        raise BadScripts("scripts need the program setpriv, which comes with util-linux")
    words = [setpriv, "--no-new-privs", "--pdeathsig", "KILL"]
    if os.geteuid() != 0:
        return [*words, "--"]
    try:
        who = pwd.getpwnam(user)
    except KeyError as error:
        raise BadScripts(f'there is no user "{user}" to run scripts as; scripts.user names another') from error
    if who.pw_uid == 0:
        raise BadScripts("scripts run as an unprivileged user: scripts.user cannot be root")
    drop = ["--reuid", str(who.pw_uid), "--regid", str(who.pw_gid), "--clear-groups"]
    return [*words, *drop, "--inh-caps=-all", "--"]


async def run(command: Command, told: bytes) -> Ended:
    """Start it, tell it `told` on standard input, and wait for its end. Raises BadScripts when it cannot be started."""
    began = time.monotonic()
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb", 0) as pipe:
        try:
            process = _started(command, told, theirs)
        finally:
            os.close(theirs)
        heard = _Heard(command.output)
        hearing = asyncio.ensure_future(heard.listen(pipe))
        try:
            in_time = await _ended(process, command.timeout_s)
        finally:
            _kill(process.pid)
            await _ended(process, LINGER_S)
            # What it left behind in another session may hold the pipe open: nobody waits for that.
            await asyncio.wait([hearing], timeout=LINGER_S)
            hearing.cancel()
            await asyncio.wait([hearing])
        code = process.poll() if in_time else None
    return Ended(code, heard.text(), heard.lost > 0, time.monotonic() - began)


def _started(command: Command, told: bytes, output: int) -> "subprocess.Popen[bytes]":
    """Started by the standard library, not by the event loop: uvloop passes descriptors on. In this thread, because the
    death signal follows the thread that forked."""
    event = os.memfd_create("event")
    try:
        os.write(event, told)
        os.lseek(event, 0, os.SEEK_SET)
        return subprocess.Popen(
            [*prefix(command.user), *command.argv],
            stdin=event,
            stdout=output,
            stderr=output,
            env=dict(ENVIRONMENT),
            cwd="/",
            start_new_session=True,
            umask=0o077,
        )
    except OSError as error:
        raise BadScripts(f"{command.argv[0]} cannot be started: {error.strerror}") from error
    finally:
        os.close(event)


async def _ended(process: "subprocess.Popen[bytes]", within_s: float) -> bool:
    """Whether it ended within this time; then its exit code is known."""
    if process.poll() is not None:
        return True
    loop = asyncio.get_running_loop()
    pidfd, over = os.pidfd_open(process.pid), asyncio.Event()
    loop.add_reader(pidfd, over.set)
    try:
        async with asyncio.timeout(within_s):
            await over.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
    return process.poll() is not None


class _Heard:
    """What a script says, as far as there is room."""

    def __init__(self, room: int) -> None:
        self._kept, self._room = bytearray(), room
        self.lost = 0

    async def listen(self, pipe: BinaryIO) -> None:
        """Until the last writer has closed it."""
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            while chunk := await reader.read(CHUNK):
                taken = chunk[: self._room - len(self._kept)]
                self._kept += taken
                self.lost += len(chunk) - len(taken)
        finally:
            transport.close()

    def text(self) -> str:
        return self._kept.decode("utf-8", "replace")


def _kill(group: int) -> None:
    """The whole process group, the script's own children included."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all of it has ended
        os.killpg(group, signal.SIGKILL)

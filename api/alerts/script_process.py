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
import time
from dataclasses import dataclass
from typing import Final

from api.alerts.scripts import ENVIRONMENT, BadScripts, Command

CHUNK: Final = 65536
LINGER_S: Final = 1.0
TOO_LONG: Final = "time limit"


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
    try:
        process = await asyncio.create_subprocess_exec(
            *prefix(command.user),
            *command.argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(ENVIRONMENT),
            cwd="/",
            start_new_session=True,
            umask=0o077,
        )
    except OSError as error:
        raise BadScripts(f"{command.argv[0]} cannot be started: {error.strerror}") from error
    kept = bytearray()
    lost = 0
    assert process.stdin is not None
    assert process.stdout is not None

    async def tell(stdin: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # it need not listen
            stdin.write(told)
            await stdin.drain()
        stdin.close()

    async def listen(stdout: asyncio.StreamReader) -> None:
        nonlocal lost
        while chunk := await stdout.read(CHUNK):
            room = max(0, command.output - len(kept))
            kept.extend(chunk[:room])
            lost += len(chunk[room:])

    telling, hearing = asyncio.ensure_future(tell(process.stdin)), asyncio.ensure_future(listen(process.stdout))
    try:
        async with asyncio.timeout(command.timeout_s):
            code: int | None = await process.wait()
    except TimeoutError:
        code = None
    finally:
        _kill(process.pid)
        await process.wait()
        # What it left behind in another session may hold the pipe open: nobody waits for that.
        await asyncio.wait((telling, hearing), timeout=LINGER_S)
        for task in (telling, hearing):
            task.cancel()
        await asyncio.gather(telling, hearing, return_exceptions=True)
    return Ended(code, kept.decode("utf-8", "replace"), lost > 0, time.monotonic() - began)


def _kill(group: int) -> None:
    """The whole process group, the script's own children included."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all of it has ended
        os.killpg(group, signal.SIGKILL)

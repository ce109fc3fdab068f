"""Programs that nobody has ever seen: a copy of `sleep` with random octets behind its end, so that it runs as well as
the original and its SHA-256 differs every time. Needs no compiler.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lab.endpoints import starter


@dataclass(frozen=True, slots=True)
class NewProgram:
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Start:
    """A program that was started: just before its execve, by wall clock (microseconds) and monotonic clock."""

    process: "subprocess.Popen[bytes]"
    us: int
    ns: int


def make(folder: Path, name: str) -> NewProgram:
    """Write a new program into `folder`; `name` gets a random ending. Raises OSError."""
    original = shutil.which("sleep")
    if original is None:
        raise FileNotFoundError("there is no `sleep` on this machine to make a program from")
    content = Path(original).read_bytes() + os.urandom(32)
    path = folder / f"{name}-{os.urandom(3).hex()}"
    path.write_bytes(content)
    path.chmod(0o755)
    return NewProgram(path, hashlib.sha256(content).hexdigest())


def start(prefix: list[str], program: NewProgram, seconds: int) -> Start:
    """Run it for `seconds`; `prefix` is the command that enters the endpoint. Raises OSError if it did not start."""
    command = [*prefix, sys.executable, "-I", "-S", starter.__file__, str(program.path), "sleep", str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        line = process.stdout.readline().split()
    if len(line) != 2:
        raise OSError(f"{program.path} did not start (exit {process.wait(5)})")
    return Start(process, int(line[0]), int(line[1]))

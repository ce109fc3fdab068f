"""The lab's deployment agent: a copy of the shell under the name of a software distribution's agent.

It reads names from a pipe, fetches each program from the depot into its endpoint's program folder, and starts it: the
new program's parent chain leads to it. All endpoints have the same content, which nobody else has.
"""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.endpoints.programs import NewProgram

NAME: Final = "opsiclientd"
SCRIPT: Final = """\
exec 3<>"$3"
while read -r name <&3; do
  cp "$1/$name" "$2/$name" && "$2/$name" 90 &
done
"""


def disguised(path: Path) -> NewProgram:
    """A copy of the shell under another name, with random octets behind its end: a program that nobody else has and that
    does what it is told. Raises OSError."""
    shell = shutil.which("dash") or shutil.which("sh")
    if shell is None:
        raise FileNotFoundError("there is no `sh` on this machine to make a program from")
    content = Path(shell).read_bytes() + os.urandom(32)
    path.write_bytes(content)
    path.chmod(0o755)
    return NewProgram(path, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, slots=True)
class Deployment:
    """The distribution's server side: `depot` holds programs and the agent itself, `orders` a pipe for each endpoint."""

    depot: Path
    orders: Path

    def found(self) -> None:
        """Make the folders, and the agent's program. Raises OSError."""
        self.depot.mkdir()
        self.orders.mkdir()
        disguised(self.depot / NAME)

    def install(self, name: str, programs: Path) -> None:
        """Put the agent on an endpoint."""
        shutil.copy(self.depot / NAME, programs / NAME)
        os.mkfifo(self.orders / name, 0o600)

    def command(self, name: str, programs: Path) -> list[str]:
        """The command line that runs the agent of an endpoint."""
        return [str(programs / NAME), "-c", SCRIPT, NAME, str(self.depot), str(programs), str(self.orders / name)]

    def order(self, name: str, program: NewProgram) -> None:
        """Let the agent of an endpoint fetch and start a program of the depot. Raises OSError where nobody reads."""
        pipe = os.open(self.orders / name, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, f"{program.path.name}\n".encode())
        finally:
            os.close(pipe)

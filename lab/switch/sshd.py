"""A real sshd in front of the switch's command line: Debian's openssh-server, with keys of its own in the lab's folder.

Guarantees: it listens on loopback alone and lets in one key, and whoever comes in gets the switch's shell and nothing
else. Nothing of the machine's own SSH is read or changed; what sshd wants below /run as root it gets on a private tmpfs.
"""

import getpass
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.fabric import FabricError, find_program
from lab.python import module

CONFIG: Final = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin forced-commands-only
PermitTTY yes
AllowTcpForwarding no
AllowAgentForwarding no
X11Forwarding no
PermitUserRC no
PrintMotd no
PrintLastLog no
LogLevel VERBOSE
"""


@dataclass(frozen=True, slots=True)
class Sshd:
    """`folder` is this sshd's own; `command` runs for whoever comes in, with `environment`."""

    folder: Path
    port: int
    command: tuple[str, ...]

    def found(self, environment: dict[str, str]) -> None:
        """Make keys and configuration. Raises FabricError where there is no sshd."""
        if find_program("sshd") is None:
            raise FabricError("there is no sshd on this machine; it comes with the package openssh-server")
        try:
            import asyncssh
        except ModuleNotFoundError as error:
            raise FabricError("the package asyncssh is missing: pip install 'pratique[ssh]'") from error
        self.folder.mkdir(mode=0o755)
        host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        self._write("host_key", host.export_private_key().decode())
        self._write("client_key", client.export_private_key().decode())
        words = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
        forced = " ".join(["exec", "env", *words, *map(shlex.quote, self.command)])
        self._write("run", f"#!/bin/sh\n{forced}\n", 0o700)
        own = client.export_public_key().decode().strip()
        self._write("authorized_keys", f'restrict,pty,command="{self.folder}/run" {own}\n')
        self._write("known_hosts", f"[127.0.0.1]:{self.port} {host.export_public_key().decode()}", 0o644)
        self._write("sshd_config", CONFIG.format(port=self.port, folder=self.folder))

    def words(self) -> list[str]:
        """The command line that runs it in the foreground."""
        sshd = [find_program("sshd") or "sshd", "-D", "-e", "-f", str(self.folder / "sshd_config")]
        if os.geteuid() != 0:
            return sshd
        private = "mount -t tmpfs sshd /run && mkdir /run/sshd && exec " + shlex.join(sshd)
        return ["unshare", "--mount", "sh", "-e", "-c", private]

    def device(self, name: str, key: Path, uplinks: tuple[str, ...]) -> str:
        """This switch as a table of the file of devices (api/alerts/devices.py)."""
        return (
            f'[switches.{name}]\nhost = "127.0.0.1"\nport = {self.port}\nuser = "{getpass.getuser()}"\n'
            f'key = "{key}"\nknown_hosts = "{self.folder / "known_hosts"}"\nuplinks = {list(uplinks)!r}\n'
        ).replace("'", '"')

    def key_for(self, user: str, path: Path) -> Path:
        """A copy of the client's key that `user` alone may read."""
        shutil.copy(self.folder / "client_key", path)
        path.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(path, user)
        return path

    def _write(self, name: str, text: str, mode: int = 0o600) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)


def shell(folder: Path) -> tuple[str, ...]:
    """The command of a lab switch's own shell."""
    return (*module("lab.switch.shell"), str(folder))

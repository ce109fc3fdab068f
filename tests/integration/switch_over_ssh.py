"""A switch behind a real sshd for tests: the lab's command line on two ports, with a switch that only remembers."""

import json
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.fabric import free_ports
from lab.python import environment
from lab.switch.shell import UPLINK
from lab.switch.sshd import Sshd, shell

MACS = {"port1": "02:00:00:00:00:11", "port2": "02:00:00:00:00:12"}


@dataclass
class SwitchOverSsh:
    """`folder` becomes the switch's; `links` is what its ports were told, `file` names it for the scripts."""

    folder: Path
    user: str
    links: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o755)
        ports = [{"number": n, "name": name, "mac": mac} for n, (name, mac) in enumerate(MACS.items(), 1)]
        (self.folder / "switch.json").write_text(json.dumps({"ports": ports}))
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._control.bind(str(self.folder / "switch.ctl"))
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()
        self.sshd = Sshd(self.folder / "sshd", free_ports(1, socket.SOCK_STREAM)[0], shell(self.folder))
        self.sshd.found({key: environment()[key] for key in ("PATH", "PYTHONPATH")})
        key = self.sshd.key_for(self.user, self.folder / "key")
        self.file = self.folder / "switches.toml"
        self.file.write_text(self.sshd.device("sw1", key, (UPLINK,)))
        self.file.chmod(0o644)
        self.log = (self.folder / "sshd.log").open("w")
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self.sshd.words()], stderr=self.log, stdin=subprocess.DEVNULL
        )
        self._wait()

    def _answer(self) -> None:
        while True:
            data, source = self._control.recvfrom(65536)
            asked = json.loads(data)
            if asked.get("end"):
                return
            if "link" in asked:
                self.links.append(asked)
            self._control.sendto(json.dumps({name: {"vlan": "10"} for name in MACS}).encode(), source)

    def _wait(self) -> None:
        until = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.sshd.port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None, (self.folder / "sshd.log").read_text()
                assert time.monotonic() < until
                time.sleep(0.05)

    def down(self) -> list[str]:
        """The ports that are shut."""
        file = self.folder / "switch.admin"
        return json.loads(file.read_text())["down"] if file.exists() else []

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self.log.close()

    def close(self) -> None:
        self.stop()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ending:
            ending.sendto(b'{"end": true}', str(self.folder / "switch.ctl"))
        self._thread.join(5)
        self._control.close()

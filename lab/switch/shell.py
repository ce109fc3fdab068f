"""The switch's command line, as people and scripts have it over SSH: `python -m lab.switch.shell FOLDER`.

Reads lines on standard input and answers them like an IOS switch, in the few words that are needed: tables of MACs,
shutting and opening ports, access lists. A port is really shut: its link goes down. What was configured is kept in
`FOLDER/switch.admin`, so that every connection sees it. There is one uplink, which shuts like any other port: a script
that shuts it is a bad script.
"""

import fcntl
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

from lab.switch import control

UPLINK: Final = "uplink1"
BEHIND_UPLINK: Final = tuple(f"02:00:00:00:fe:{number:02x}" for number in range(1, 6))
WRONG: Final = "% Invalid input detected"


class Shell:
    """One connection. `folder` is the lab's state folder, with the switch's configuration and its control socket."""

    def __init__(self, folder: Path, out: TextIO) -> None:
        self._folder, self._out = folder, out
        self._ports = {port["name"]: port["mac"] for port in json.loads((folder / "switch.json").read_text())["ports"]}
        self._mode, self._subject = "", ""

    def run(self, lines: Iterator[str]) -> None:
        """Until the end of the lines, or `exit` outside of any configuration."""
        for line in lines:
            words = line.split()
            self._say(f"lab-switch{f'({self._mode})' if self._mode else ''}# {' '.join(words)}")
            if words == ["exit"] and not self._mode:
                return
            self._obey(words)

    def _obey(self, words: list[str]) -> None:
        if words in ([], ["terminal", "length", "0"]):
            return
        if words in (["end"], ["exit"]):
            self._mode = ""
        elif not (self._configure(words) if self._mode else self._show(words)):
            self._say(WRONG)

    def _show(self, words: list[str]) -> bool:
        """Outside of any configuration; False for what is not understood."""
        match words:
            case ["configure", "terminal"]:
                self._mode = "config"
            case ["show", "mac", "address-table"]:
                self._show_macs()
            case ["show", "interface", name] if self._is_port(name):
                down = name in self._admin()["down"]
                line = "administratively down, line protocol is down" if down else "up, line protocol is up"
                self._say(f"{name} is {line}")
            case ["show", "access-lists", name]:
                self._say(f"Extended MAC access list {name}")
                for mac in self._admin()["lists"].get(name, []):
                    self._say(f"    deny   host {mac} any")
            case _:
                return False
        return True

    def _configure(self, words: list[str]) -> bool:
        """In a configuration; False for what is not understood."""
        match words:
            case ["interface", name] if self._is_port(name):
                self._mode, self._subject = "config-if", name
            case ["mac", "access-list", "extended", name]:
                self._mode, self._subject = "config-ext-macl", name
            case ["shutdown"] | ["no", "shutdown"] if self._mode == "config-if":
                self._set(down=words == ["shutdown"])
            case ["deny", "host", mac, "any"] | ["no", "deny", "host", mac, "any"] if self._mode == "config-ext-macl":
                self._list(mac, there=words[0] == "deny")
            case _:
                return False
        return True

    def _is_port(self, name: str) -> bool:
        return name in self._ports or name == UPLINK

    def _show_macs(self) -> None:
        down = self._admin()["down"]
        shown = control.command(self._folder / "switch.ctl", {"show": True})
        self._say("Vlan    Mac Address       Type        Ports")
        for name, mac in self._ports.items():
            if shown[name]["vlan"] and name not in down:
                self._say(f"{shown[name]['vlan']:>4}    {_dotted(mac)}    DYNAMIC     {name}")
        for mac in BEHIND_UPLINK:
            self._say(f"   1    {_dotted(mac)}    DYNAMIC     {UPLINK}")

    def _set(self, *, down: bool) -> None:
        with self._changed() as admin:
            names = set(admin["down"]) - {self._subject}
            admin["down"] = sorted(names | {self._subject}) if down else sorted(names)
        if self._subject != UPLINK:
            control.command(self._folder / "switch.ctl", {"link": self._subject, "up": not down})

    def _list(self, mac: str, *, there: bool) -> None:
        with self._changed() as admin:
            macs = set(admin["lists"].get(self._subject, [])) - {mac}
            admin["lists"][self._subject] = sorted(macs | {mac}) if there else sorted(macs)

    def _admin(self) -> dict[str, Any]:
        file = self._folder / "switch.admin"
        found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"down": [], "lists": {}}
        return found

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Any]]:
        with (self._folder / "switch.admin.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            admin = self._admin()
            yield admin
            (self._folder / "switch.admin").write_text(json.dumps(admin))

    def _say(self, line: str) -> None:
        self._out.write(f"{line}\r\n")
        self._out.flush()


def _dotted(mac: str) -> str:
    return ".".join(re.findall("....", mac.replace(":", "")))


def main() -> None:
    Shell(Path(sys.argv[1]), sys.stdout).run(iter(sys.stdin.readline, ""))


if __name__ == "__main__":
    main()

"""Talk to a switch process: send it a control command, read its journal."""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any


class NoAnswer(Exception):
    """The switch did not answer; it is not running, or stuck."""


def command(control: Path, asked: dict[str, Any], timeout_s: float = 5.0) -> dict[str, Any]:
    """Send one command (see `process.py`) and return the answer. Raises NoAnswer."""
    mine = control.with_name(f"{control.name}.{os.getpid()}.{time.monotonic_ns()}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        asking.bind(str(mine))
        try:
            asking.settimeout(timeout_s)
            asking.sendto(json.dumps(asked).encode(), str(control))
            answer: dict[str, Any] = json.loads(asking.recv(1 << 20))
            return answer
        except OSError as error:
            raise NoAnswer(f"the switch at {control} did not answer: {error}") from error
        finally:
            mine.unlink()


class Journal:
    """The journal as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> list[dict[str, Any]]:
        """All whole lines so far; none where there is no journal yet."""
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_bytes().split(b"\n")[:-1]]

    def find(self, event: str, *, since_us: int = 0, **facts: Any) -> dict[str, Any] | None:
        """The first line of this event at or after `since_us` with these facts, or None."""
        for line in self.lines():
            if line["event"] == event and line["us"] >= since_us and all(line.get(k) == v for k, v in facts.items()):
                return line
        return None

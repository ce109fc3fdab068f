"""The file server's share: `python -m lab.endpoints.share FOLDER --listen HOST:PORT [--frames]`.

One datagram, one JSON object (with an `id` that is sent back), one answer: `{"do": "list", "after": NAME}`, `{"do": "read", "name"}`,
`{"do": "write", "name", "data"}` (hexadecimal), `{"do": "rename", "name", "to"}`. Whatever else comes is sent back, so that pings
have an echo. With `--frames` each datagram begins with the MAC of the endpoint, as the port table passes them on.

Guarantees: it touches nothing but plain files of its own folder: a name with a slash, or of dots, is refused.
"""

import argparse
import json
import re
import socket
import sys
from pathlib import Path
from typing import Any, Final

MAC: Final = 6
PAGE: Final = 20
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}", re.ASCII)


def answer(folder: Path, payload: bytes) -> bytes:
    """The answer to one datagram, without any MAC."""
    if not payload.startswith(b"{"):
        return payload
    asked: dict[str, Any] = {}
    try:
        asked = json.loads(payload)
        done = _done(folder, asked)
    except (ValueError, KeyError, TypeError, OSError) as error:
        done = {"error": str(error)}
    return json.dumps({**done, "id": asked.get("id")}).encode()


def _done(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    match asked["do"]:
        case "list":
            names = sorted(path.name for path in folder.iterdir())
            return {"names": [name for name in names if name > asked.get("after", "")][:PAGE]}
        case "read":
            return {"data": _file(folder, asked["name"]).read_bytes().hex()}
        case "write":
            _file(folder, asked["name"]).write_bytes(bytes.fromhex(asked["data"]))
        case "rename":
            _file(folder, asked["name"]).rename(_file(folder, asked["to"]))
        case other:
            raise ValueError(f"{other!r} is not done here")
    return {}


def _file(folder: Path, name: object) -> Path:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a file here")
    return folder / name


def _read(payload: bytes) -> dict[str, Any]:
    """An answer, {} for anything else: on the port table all processes of an endpoint share its MAC."""
    try:
        got = json.loads(payload)
    except ValueError:
        return {}
    return got if isinstance(got, dict) else {}


class Client:
    """One user of a share, waiting `patience_s` for each answer. With a MAC its datagrams are frames of the port table."""

    def __init__(self, address: str, mac: str = "", patience_s: float = 0.5) -> None:
        host, _, port = address.rpartition(":")
        self._to, self._mac = (host, int(port)), bytes.fromhex(mac.replace(":", ""))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(patience_s)
        self._asked = 0

    def ask(self, **asked: Any) -> dict[str, Any] | None:
        """The answer, or None where none came: not connected, moved, or away."""
        self._asked += 1
        try:
            self._socket.sendto(self._mac + json.dumps({**asked, "id": self._asked}).encode(), self._to)
            while True:
                got = _read(self._socket.recv(65536)[len(self._mac) :])
                if got.get("id") == self._asked:  # not the late answer to an earlier question, nor a ping's echo
                    return got
        except OSError:  # no route, no carrier, no answer
            return None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="serve a share")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--frames", action="store_true")
    given = parser.parse_args(sys.argv[1:])
    given.folder.mkdir(exist_ok=True)
    host, _, port = given.listen.rpartition(":")
    head = MAC if given.frames else 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((host, int(port)))
        while True:
            data, source = server.recvfrom(65536)
            server.sendto(data[:head] + answer(given.folder, data[head:]), source)


if __name__ == "__main__":
    main()

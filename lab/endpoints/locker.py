"""A harmless stand-in for ransomware: `python locker.py --share HOST:PORT [--mac MAC] [--go PIPE]`.

It waits until somebody writes into the pipe (so that whoever does that harms at once, without waiting for an interpreter
to start). Then it takes each file of the lab's own share, turns its octets over (XOR, so `restored` gives them back), gives it another
name, and leaves a note; then the next one, until there is none or the network is gone. It knows no other files and no
other hosts.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final

from lab.endpoints.share import Client

ENDING: Final = ".locked"
NOTE: Final = "HOW_TO_DECRYPT"
KEY: Final = 0x5A
BEGINS: Final = b"lab: "
"""How every file of the share begins, which tells whether it was turned over."""
PAUSE_S: Final = 0.02
TIRED_S: Final = 60.0


def turned(data: bytes) -> bytes:
    """The octets turned over; twice gives them back."""
    return bytes(octet ^ KEY for octet in data)


def run(share: Client) -> int:
    """How many files it got."""
    got, until = 0, time.monotonic() + TIRED_S
    while time.monotonic() < until:
        page = share.ask(do="list")
        after, names = "", page.get("names", []) if page else []
        fresh: list[str] = []
        while names and not fresh:
            fresh = [name for name in names if not name.endswith(ENDING) and not name.startswith(NOTE)]
            after = names[-1]
            page = share.ask(do="list", after=after)
            names = page.get("names", []) if page else []
        for name in fresh:
            got += _lock(share, name, first=not got)
            time.sleep(PAUSE_S)
    return got


def _lock(share: Client, name: str, *, first: bool) -> bool:
    if first:
        share.ask(
            do="write", name=f"{NOTE}.txt", data=b"your files are locked (they are not: this is a rehearsal)\n".hex()
        )
    read = share.ask(do="read", name=name)
    if read is None or "data" not in read:
        return False
    written = share.ask(do="write", name=name, data=turned(bytes.fromhex(read["data"])).hex())
    return written is not None and share.ask(do="rename", name=name, to=name + ENDING) is not None


def restored(folder: Path) -> int:
    """Give back every file of this folder that was taken, also one that was interrupted half way; how many."""
    back = 0
    for path in sorted(folder.iterdir()):
        if path.name.startswith(NOTE):
            path.unlink()
            continue
        data = path.read_bytes()
        if data.startswith(turned(BEGINS)):
            path.write_bytes(turned(data))
            back += 1
        path.rename(path.with_name(path.name.removesuffix(ENDING)))
    return back


def _wait(pipe: Path) -> None:
    """Until a line comes. It is opened for both ways, so that somebody who only looks ends no waiting."""
    file = os.open(pipe, os.O_RDWR)
    while b"\n" not in os.read(file, 100):
        continue
    os.close(file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="a harmless stand-in for ransomware, on the lab's own share")
    parser.add_argument("--share", required=True, metavar="HOST:PORT")
    parser.add_argument("--mac", default="")
    parser.add_argument("--go", type=Path, metavar="PIPE", help="wait for a line in this pipe")
    given = parser.parse_args(sys.argv[1:])
    if given.go:
        _wait(given.go)
    with Client(given.share, given.mac) as client:
        run(client)

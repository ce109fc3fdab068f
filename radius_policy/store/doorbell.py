"""The bell between the processes: "look at the change sequence". A UNIX datagram socket, one octet a ring.

A ring carries no truth: it may be lost, doubled or come when nobody listens, and a slow poll stands behind it. So
`Doorbell.ring` never raises and never waits; what it could not deliver it counts. `Bell` is the hearing side.
"""

import asyncio
import contextlib
import os
import socket
import stat
from collections import Counter

_LONGEST = 107
"""Octets of a socket's path: sun_path of unix(7) less its end mark."""
_MOST_RINGS = 1000
"""At most so many are taken at once: a flood must not keep the listener from looking."""


class DoorbellError(Exception):
    """The bell cannot be put up; the message says why and what to do."""


def _address(path: str | os.PathLike[str]) -> str:
    """The path as text. DoorbellError where the kernel would refuse it for its length."""
    address = os.fspath(path)
    length = len(os.fsencode(address))
    if length > _LONGEST:
        raise DoorbellError(
            f"the path of the doorbell has {length} octets, the system allows {_LONGEST}: {address}\n"
            "Choose a data directory with a shorter path ([service] data)."
        )
    return address


def _identity(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino


class Doorbell:
    """Rings the bells at any number of paths. `failures` counts by path and error name what nobody heard."""

    def __init__(self) -> None:
        self.failures: Counter[tuple[str, str]] = Counter()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def ring(self, path: str | os.PathLike[str]) -> bool:
        """Ring at `path`; whether it was delivered. A full queue counts as delivered: whoever has not emptied it
        yet will look anyway."""
        try:
            self._socket.sendto(b"\n", os.fspath(path))
        except BlockingIOError:
            return True
        except (OSError, ValueError) as error:  # ValueError: a path that the system cannot even take
            self.failures[os.fspath(path), type(error).__name__] += 1
            return False
        return True

    def close(self) -> None:
        self._socket.close()


class Bell:
    """Hears rings at `path`. One process owns it: a socket left behind by a dead one is replaced, and so is a living
    one's (the supervisor starts one listener only); anything else at that path is an error.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Bind. Raises DoorbellError: path too long, something else stands there, no right to the directory."""
        self.path = _address(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._unlink_stale()
            self._socket.bind(self.path)
            os.chmod(self.path, 0o660)
            self._identity = _identity(self.path)
        except DoorbellError:
            self._socket.close()
            raise
        except OSError as error:
            self._socket.close()
            raise DoorbellError(f"cannot put up the doorbell at {self.path}: {error.strerror}") from error

    def fileno(self) -> int:
        """The descriptor, readable when it rang: for selectors."""
        return self._socket.fileno()

    def drain(self) -> int:
        """Take the rings that wait; how many. Call it *before* looking, so that no change is missed."""
        for rings in range(_MOST_RINGS):
            try:
                self._socket.recv(16)
            except BlockingIOError:
                return rings
        return _MOST_RINGS

    async def wait(self, timeout: float) -> bool:  # noqa: ASYNC109 - a time-out is an answer here, not an error
        """Wait for a ring, at most `timeout` seconds; True if it rang (several rings count as one)."""
        if self.drain():
            return True
        loop = asyncio.get_running_loop()
        rang = asyncio.Event()
        loop.add_reader(self._socket, rang.set)
        try:
            with contextlib.suppress(TimeoutError):  # the poll behind the bell: no ring is an ordinary answer
                await asyncio.wait_for(rang.wait(), timeout)
        finally:
            loop.remove_reader(self._socket)
        return self.drain() > 0

    def close(self) -> None:
        """Take the bell down. The path is removed only if it still is this bell's."""
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):  # somebody took it down before: that is what we want
            if _identity(self.path) == self._identity:
                os.unlink(self.path)

    def _unlink_stale(self) -> None:
        try:
            mode = os.lstat(self.path).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise DoorbellError(f"{self.path} is in the way of the doorbell and is no socket: remove it")
        os.unlink(self.path)

"""The files of the RADIUS process in the data folder: the key of its Class attributes, the snapshot, the figures.

Guarantees: what `Files.keep` was given is in the snapshot's file when it returns, so that a process killed afterwards
answers it at its next start; the disk has it within a second (a power cut costs that second, and the database knows).
A file is replaced as a whole or not at all, and readable by its owner alone, because it holds the shared secrets. That
the disk is full or a file damaged is told in a sentence and stops no answer and no order.
"""

import contextlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from radius_policy.radius.snapshot import Delta, Snapshot
from radius_policy.radius.snapshot_file import SnapshotError, piece, pieces

SNAPSHOT_FILE = "radius-snapshot"
STATS_FILE = "radius-stats.json"
CLASS_KEY_FILE = "class.key"
BELL_FILE, API_BELL_FILE = "radius.bell", "api.bell"
APPENDED_MOST: Final = 1 << 20
"""When so many octets were appended, or as many as the whole has, the file is written anew, in a quiet second."""
_NOT_QUIET: Final = 16
"""At so many times that it is written anew however busy we are."""


def class_key(data: Path) -> bytes:
    """The installation's key for Class attributes, made at the first start. Raises OSError."""
    path = data / CLASS_KEY_FILE
    if not path.exists():
        beside = data / f"{CLASS_KEY_FILE}.{os.getpid()}"
        write_file(beside, secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):  # another process was quicker: its key is the key
            os.link(beside, path)
        beside.unlink()
    key = path.read_bytes()
    if len(key) != 32:
        raise OSError(f"{path} is damaged ({len(key)} octets, not 32): remove it, then sessions re-authenticate once")
    return key


def write_file(path: Path, octets: bytes, *, sync: bool = True) -> None:
    """Replace `path` as a whole, readable by its owner alone; `sync` waits for the disk. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    descriptor = _create(beside)
    try:
        _write(descriptor, octets)
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(beside, path)


class Files:
    """`warn` takes sentences. All but `to_disk` runs in the loop's thread."""

    def __init__(self, data: Path, snapshot: Snapshot, warn: Callable[[str], None]) -> None:
        self.data = data
        self._snapshot = snapshot
        self._warn = warn
        self._descriptor: int | None = None
        self._whole = self._appended = 0
        self._unsynced = False

    def load(self) -> bool:
        """Take over the snapshot of the last run. Whether there was one that could be used."""
        path = self.data / SNAPSHOT_FILE
        known = False
        try:
            octets = path.read_bytes()
            for delta in pieces(octets):
                self._snapshot.apply(delta)
                known = True
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
            self._appended = len(octets)
        except FileNotFoundError:
            return False
        except (SnapshotError, OSError) as error:
            self._warn(str(error))
            if known:
                self.renew()
        return known

    def keep(self, delta: Delta) -> None:
        """What was just taken into the snapshot, into its file too. Nothing is sent to the network before."""
        if not delta.answers:
            return
        if delta.whole or self._descriptor is None:
            self.renew()
            return
        try:
            octets = piece(delta)
            _write(self._descriptor, octets)
        except OSError as error:
            self._lost(error)
        else:
            self._appended += len(octets)
            self._unsynced = True

    def renew(self) -> None:
        """Write the file anew from the snapshot; waits for the disk, so that a power cut leaves the old one or this."""
        self.close()
        path = self.data / SNAPSHOT_FILE
        beside = path.with_name(path.name + ".new")
        octets = piece(self._snapshot.whole())
        try:
            self._descriptor = _create(beside)
            _write(self._descriptor, octets)
            os.fsync(self._descriptor)
            os.replace(beside, path)
        except OSError as error:
            self._lost(error)
        else:
            self._whole, self._appended, self._unsynced = len(octets), 0, False

    def each_second(self) -> int | None:
        """A descriptor for `to_disk`, where something was kept since; in a quiet second a long file is written anew."""
        most = max(APPENDED_MOST, self._whole)
        if self._appended > (_NOT_QUIET * most if self._unsynced else most):
            self.renew()
        if not self._unsynced or self._descriptor is None:
            return None
        self._unsynced = False
        return os.dup(self._descriptor)

    def to_disk(self, stats: dict[str, Any], descriptor: int | None) -> None:
        """Write the figures, and have the disk take what was kept. It waits: call it in a thread."""
        try:
            write_file(self.data / STATS_FILE, json.dumps(stats).encode(), sync=False)
            if descriptor is not None:
                os.fsync(descriptor)
        except OSError as error:
            self._complain(error)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _lost(self, error: OSError) -> None:
        """What could not be appended may have left half a piece: the next change writes the file anew."""
        self.close()
        self._complain(error)

    def _complain(self, error: OSError) -> None:
        why = error.strerror or error
        self._warn(f"cannot write to {self.data}: {why}; after a restart without database old answers would be given")


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)


def _write(descriptor: int, octets: bytes) -> None:
    """All of it: a disk that is nearly full takes a part and tells the rest only when asked again."""
    while octets:
        octets = octets[os.write(descriptor, octets) :]

"""The files of the RADIUS process in the data folder: the key of its Class attributes, the snapshot, the figures.

Guarantees: a file is replaced as a whole or not at all. That the disk is full or a file damaged is told in a sentence
and stops no answer.
"""

import contextlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from radius_policy.snapshot import Snapshot, SnapshotError, write_file

SNAPSHOT_FILE = "radius-snapshot"
STATS_FILE = "radius-stats.json"
CLASS_KEY_FILE = "class.key"
BELL_FILE, API_BELL_FILE = "radius.bell", "api.bell"


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


class Files:
    """`warn` takes sentences. `save_wanted` is set by whoever changed the snapshot."""

    def __init__(self, data: Path, snapshot: Snapshot, warn: Callable[[str], None]) -> None:
        self.data = data
        self.save_wanted = False
        self._snapshot = snapshot
        self._warn = warn

    def load(self) -> bool:
        """Take over the snapshot of the last run. Whether there was one that could be used."""
        path = self.data / SNAPSHOT_FILE
        try:
            self._snapshot.load(path.read_bytes())
        except FileNotFoundError:
            return False
        except (SnapshotError, OSError) as error:
            self._warn(str(error))
            return False
        return True

    def content(self) -> bytes | None:
        """The snapshot's octets where saving is wanted: taken in the loop, so that they are of one moment."""
        if not self.save_wanted:
            return None
        self.save_wanted = False
        return self._snapshot.save()

    def write(self, stats: dict[str, Any], content: bytes | None) -> None:
        """Write the figures, and the snapshot where there is one to save. It waits for the disk: call it in a thread."""
        try:
            write_file(self.data / STATS_FILE, json.dumps(stats).encode(), sync=False)
            if content is not None:
                write_file(self.data / SNAPSHOT_FILE, content)
        except OSError as error:
            self.save_wanted = self.save_wanted or content is not None
            why = error.strerror or error
            self._warn(
                f"cannot write to {self.data}: {why}; after a restart without database old answers would be given"
            )

"""Alerts as lines of JSON in a file, for log collectors that read files.

Guarantees: each line is whole (one write, appended) and on disk before the alert counts as told; the file is opened
anew for each alert, so that logrotate needs no signal. The folder must exist: a misspelt path is refused, not made.
"""

import asyncio
import os
from pathlib import Path

import msgspec

from api.alerts.channels import ChannelDown, ChannelRefused
from api.alerts.content import Alert
from api.alerts.formats import FORMS, Format


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="file"):
    """A file, readable by its owner and group."""

    path: str
    format: Format = "ocsf"

    def __post_init__(self) -> None:
        if not Path(self.path).is_absolute():
            raise ValueError(f'the path of an alert file is absolute, not "{self.path}"')


class FileChannel:
    """Appends alerts to one file."""

    def __init__(self, spec: File) -> None:
        self._spec = spec

    async def send(self, alert: Alert) -> str:
        line = FORMS[self._spec.format].write(alert) + b"\n"
        try:
            await asyncio.to_thread(_append, self._spec.path, line)
        except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
            raise ChannelRefused(f"the alert file {self._spec.path} cannot be written: {error.strerror}") from error
        except OSError as error:
            raise ChannelDown(f"the alert file {self._spec.path} cannot be written now: {error.strerror}") from error
        return ""


def _append(path: str, line: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o640)
    try:
        written = os.write(handle, line)
        if written < len(line):  # the disk filled up: end the piece, so that the next line is whole
            os.write(handle, b"\n")
            raise OSError(28, "no space left on the device")
        os.fsync(handle)
    finally:
        os.close(handle)

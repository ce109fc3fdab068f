"""What every process of the service begins with: the clock, the data folder, and why it could not begin."""

import time
from pathlib import Path

from radius_policy.model import Micros


class CannotStart(Exception):
    """The process cannot do its work; the message is for the person who started it."""


class Undone(Exception):
    """Ends a rehearsal (`rehearsal.py`, `radius_process/rehearsal.py`), so that the store forgets it."""


EXIT_CANNOT_START = 78
"""Exit code (EX_CONFIG of sysexits.h) of a process that cannot start: the supervisor does not try for ever."""


def now_us() -> Micros:
    """The service's clock, microseconds."""
    return time.time_ns() // 1000


def data_folder(path: Path) -> Path:
    """The folder of keys, snapshot and database; made, for its owner alone, where it is missing. Raises CannotStart."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = path / ".writable"
        probe.write_bytes(b"x")
        probe.unlink()
    except FileExistsError as error:
        raise CannotStart(f"{path} is no folder; service.data names the folder of the service's data") from error
    except PermissionError as error:
        raise CannotStart(f"{path} cannot be written by this user; service.data chooses another folder") from error
    except OSError as error:
        raise CannotStart(f"the data folder {path} cannot be used: {error.strerror or error}") from error
    return path

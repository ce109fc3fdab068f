"""One agent for one state directory: a lock that ends with the process that holds it."""

import fcntl
from pathlib import Path
from typing import IO


def hold(state: Path) -> IO[str] | None:
    """Take the lock; None when another process has it. It lasts until the file is closed. Raises OSError."""
    file = (state / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def is_held(state: Path) -> bool:
    """Whether an agent is running with this state directory. Raises OSError."""
    if (file := hold(state)) is None:
        return True
    file.close()
    return False

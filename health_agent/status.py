"""What a running agent says about itself: `status.json`, for `pratique agent status` and for people.

Guarantees: the file is whole; it is written when something changed, at most once a second. Deliberately not synced and
not secret.
"""

from pathlib import Path

import msgspec


class Status(msgspec.Struct, frozen=True):
    """`lost` counts by name, as in the heartbeat. `connected` is None before the first answer or failure."""

    pid: int
    version: str
    host_id: str
    site: str
    url: str
    sensor: str
    sensor_reason: str
    watch: tuple[str, ...]
    started_us: int
    connected: bool | None
    problem: str
    last_answer_us: int
    offset_us: int
    reported: int
    alive: int
    spooled: int
    baseline: int
    lost: dict[str, int]
    running: bool = True
    location: str = ""


def text(status: Status) -> str:
    """The same for people."""
    link = {None: "not asked yet", True: "connected", False: f"not connected: {status.problem}"}[status.connected]
    lines = {
        "agent": f"{'running' if status.running else 'NOT running'} (pid {status.pid}, version {status.version})",
        "endpoint": f"{status.host_id} at site {status.site}",
        "service": f"{status.url}, {link}",
        "sensor": status.sensor_reason,
        "location": status.location or "not known",
        "watching": ", ".join(status.watch) or "all local file systems",
        "baseline": f"{status.baseline} executables",
        "reported": f"{status.reported}, {status.spooled} of them not acknowledged yet; {status.alive} not ended",
        "clock": f"{status.offset_us / 1e6:+.3f} s to the service's",
        "lost": ", ".join(f"{name} {count}" for name, count in status.lost.items()) or "nothing",
    }
    return "\n".join(f"{name + ':':<10}{value}" for name, value in lines.items())


def write(path: Path, status: Status) -> None:
    """Raises OSError."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(status), indent=2) + b"\n")
    beside.replace(path)


def read(path: Path) -> Status:
    """Raises OSError, or ValueError where the file is of another release."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Status)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path} is not understood: {error}") from error

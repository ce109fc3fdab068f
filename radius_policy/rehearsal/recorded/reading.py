"""Which kind of history lies at a path, and how it is read: one door for `history load` and the backtest.

A folder with events.jsonl and baseline.jsonl is the scenario format (`history.Folder`). Otherwise the logs in it, or the
one file: *.evtx (Windows), *.jsonl, *.ndjson, *.json, also .gz (ECS), *.log (auditd); a baseline.jsonl and a hosts.jsonl
beside them are the inventory and the hosts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from radius_policy.model import DEFAULT_TENANT, Host, HostId, Micros, Operation, Tool
from radius_policy.rehearsal.history import (
    LONG_AGO,
    MONDAY,
    BaselineLine,
    Folder,
    HistoryError,
    HostLine,
    Start,
    lines,
    load_baseline,
    load_hosts,
)
from radius_policy.rehearsal.recorded import auditd, ecs, windows
from radius_policy.rehearsal.recorded.told import Ended, Told, with_ends
from radius_policy.store.interface import Tx

READERS: Final[dict[str, Callable[[Path], Iterator[Told | Ended]]]] = {
    ".evtx": windows.read,
    ".jsonl": ecs.read,
    ".ndjson": ecs.read,
    ".json": ecs.read,
    ".log": auditd.read,
}
BASELINE, HOSTS, EVENTS = "baseline.jsonl", "hosts.jsonl", "events.jsonl"


def source(
    path: Path, operation: Operation = Operation.NOTIFY, epoch: Micros = MONDAY, *, pilot_percent: float = 0.0
) -> "Folder | Recording":
    """What lies at `path`. `epoch` and `pilot_percent` are the scenario format's. HistoryError where nothing can be read."""
    if (path / EVENTS).is_file() and (path / BASELINE).is_file():
        return Folder(path, operation, pilot_percent, epoch)
    if not path.exists():
        raise HistoryError(f"{path}: there is no such file or folder")
    found = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    logs = [each for each in found if _reader(each) is not None and each.name not in (BASELINE, HOSTS)]
    if not logs:
        raise HistoryError(
            f"{path}: no recorded starts here: {EVENTS} with {BASELINE}, or *.evtx, *.jsonl (ECS), *.log (auditd)"
        )
    return Recording(tuple(logs), path if path.is_dir() else path.parent, operation)


def _reader(path: Path) -> Callable[[Path], Iterator[Told | Ended]] | None:
    name = path.name.removesuffix(".gz")
    return READERS.get(Path(name).suffix.lower())


@dataclass(slots=True)
class Recording:
    """Logs, read once and put in the order of time."""

    logs: tuple[Path, ...]
    folder: Path
    operation: Operation = Operation.NOTIFY
    _told: list[Told] | None = field(default=None, repr=False)

    def told(self) -> list[Told]:
        if self._told is None:
            self._told = with_ends(one for log in self.logs for one in self._read(log))
        return self._told

    @staticmethod
    def _read(log: Path) -> Iterator[Told | Ended]:
        reader = _reader(log)
        if reader is None:
            raise HistoryError(f"{log.name}: no kind of log is named like this")
        return reader(log)

    def load(self, tx: Tx) -> dict[str, Tool]:
        """As `Folder.load`: into an empty store."""
        return {str(tool.sha256): tool for step in self.steps() for tool in step(tx)}

    def steps(self) -> Iterator[Callable[[Tx], list[Tool]]]:
        """Inventory and hosts, where they are told, in short works. The inventory is older than the first start."""
        told = self.told()
        before = (told[0].at if told else 0) - LONG_AGO
        if (self.folder / BASELINE).is_file():
            yield from load_baseline(list(lines(self.folder / BASELINE, BaselineLine)), before)
        if (self.folder / HOSTS).is_file():
            yield from load_hosts(
                list(lines(self.folder / HOSTS, HostLine)), lambda line: self._host(line, before), before
            )

    def starts(self) -> Iterator[Start]:
        held = self.operation is Operation.HOLD
        return (one.start(held) for one in self.told())

    def newcomer(self, name: str) -> Host:
        return self._host(HostLine(name), 0)

    def _host(self, line: HostLine, enrolled: Micros) -> Host:
        return Host(
            DEFAULT_TENANT, HostId(line.host), line.host, site=line.site or "main", groups=line.groups,
            role=line.role or "", user=line.user or "", enrolled_at=enrolled, operation=self.operation, sensor="replay",
            image=line.image or "",
        )  # fmt: skip

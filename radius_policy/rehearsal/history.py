"""Recorded starts to replay: a folder of JSON lines, or the starts that a store kept. Reading only.

A folder holds `hosts.jsonl` (host, mac, user, role, image, and where known site and groups), `baseline.jsonl` (the
inventory, all confirmed: sha256, path, signer, images) and `events.jsonl` (id, t, host, sha256, path, parent_path,
parent_sha256, signer, package_provenance, user). `t` is in seconds since a Monday 00:00 local time, `end` (the same, where it is known) when the program had ended.

Guarantees: a field that is null or missing is a missing fact, never a guess. A line that cannot be read is refused with
file, line and what is wrong. Nothing but these three files is opened.

What it does not do: it judges nothing; the parent stands for the writer (issue of the replay: nothing else is told), and
provenance of the channels in `PROVEN` counts as checked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Protocol, TypeVar

import msgspec

from radius_policy.breaker import DAY
from radius_policy.facts.places import place
from radius_policy.facts.roles import propose
from radius_policy.judgement import precedents
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    Executable,
    Execution,
    Host,
    HostId,
    ListEntry,
    ListKind,
    Mac,
    MacBinding,
    Micros,
    Operation,
    ParentRef,
    Precedent,
    Sha256,
    TenantId,
    Tool,
    VerdictWord,
)
from radius_policy.quick import maker
from radius_policy.store.interface import Reading, Tx

MONDAY: Final = 1_704_067_200 * SECOND
"""Monday 2024-01-01 00:00: where `t` = 0 is placed."""
PROVEN: Final = ("ccm:", "image:", "updater:")
LONG_AGO: Final = 30 * DAY
BLOCK: Final = 1 << 18
"""So many octets of a file are decoded at once."""
PART: Final = 250
"""Lines to one work."""

Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class HistoryError(Exception):
    """The recorded starts cannot be read. The message names file and line and says what is wrong."""


class HostLine(msgspec.Struct, frozen=True):
    """One line of `hosts.jsonl`: an endpoint of the recording."""

    host: str
    mac: str | None = None
    user: str | None = None
    role: str | None = None
    image: str | None = None
    site: str | None = None
    groups: tuple[str, ...] = ()


class BaselineLine(msgspec.Struct, frozen=True):
    """One line of `baseline.jsonl`: what was installed; `images` are the images that hold it."""

    sha256: Hash
    path: str
    signer: str | None = None
    images: tuple[str, ...] = ()


class EventLine(msgspec.Struct, frozen=True, gc=False):
    """One line of `events.jsonl`: a start. `t` and `end` are seconds since the Monday that the recording counts from."""

    id: str
    t: float
    host: str
    sha256: Hash | None = None
    path: str | None = None
    parent_path: str | None = None
    parent_sha256: Hash | None = None
    signer: str | None = None
    package_provenance: str | None = None
    user: str | None = None
    mac: str | None = None
    end: float | None = None


Line = TypeVar("Line", bound=msgspec.Struct)


class Start:
    """One start to replay: the id, time and MAC that it is named by, and what says whether it was replayed before.

    `execution` is what an agent would have reported; of a line it is made only when it is asked for, as it costs more
    than a look at the line.
    """

    __slots__ = ("_execution", "_line", "_told", "at", "host_id", "mac", "name", "parent", "path", "sha256", "t")

    def __init__(self, execution: Execution, name: str, t: float, mac: str | None = None) -> None:
        self.name, self.t, self.mac = name, t, mac
        self.at, self.host_id, self.path = execution.started, execution.host_id, execution.path
        self.sha256: str | None = execution.sha256
        self.parent: str | None = execution.parents[0].sha256 if execution.parents else None
        self._execution: Execution | None = execution

    _line: "EventLine"
    _told: tuple[bool, Micros]

    @classmethod
    def of_line(cls, line: "EventLine", held: bool, epoch: Micros) -> "Start":
        start = cls.__new__(cls)
        start.name, start.t, start.mac = line.id, line.t, line.mac
        start.at, start.host_id, start.path = epoch + round(line.t * SECOND), HostId(line.host), line.path or ""
        start.sha256, start.parent = line.sha256, line.parent_sha256
        start._execution, start._line, start._told = None, line, (held, epoch)
        return start

    @property
    def execution(self) -> Execution:
        if self._execution is None:
            self._execution = _execution(self._line, *self._told)
        return self._execution


def lines(path: Path, kind: type[Line]) -> Iterator[Line]:
    """The lines of a file as `kind`; empty ones are passed over. `HistoryError` for the first that is none."""
    decoder = msgspec.json.Decoder(kind)
    number = 0
    try:
        with path.open("rb") as file:
            while block := file.readlines(BLOCK):
                try:
                    found = decoder.decode_lines(b"".join(block))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    found = list(_one_by_one(path, decoder, block, number))
                number += len(block)
                yield from found
    except OSError as error:
        raise HistoryError(
            f"{path}: {error.strerror or error}; a history folder holds hosts, baseline and events .jsonl"
        ) from error


def _one_by_one(path: Path, decoder: "msgspec.json.Decoder[Line]", block: list[bytes], before: int) -> Iterator[Line]:
    for number, text in enumerate(block, before + 1):
        if not text.isspace():
            try:
                yield decoder.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise HistoryError(f"{path.name}, line {number}: {error}") from error


@dataclass(frozen=True, slots=True)
class Folder:
    """A history folder. `pilot_percent` puts that share of its hosts, chosen by name, into the group `pilot`;
    `epoch` is where `t` = 0 is placed."""

    path: Path
    operation: Operation = Operation.HOLD
    pilot_percent: float = 0.0
    epoch: Micros = MONDAY

    def load(self, tx: Tx) -> dict[str, Tool]:
        """Put hosts, inventory and precedents into an empty store; the tools that the inventory proposes."""
        return {str(tool.sha256): tool for step in self.steps() for tool in step(tx)}

    def steps(self) -> Iterator[Callable[[Tx], list[Tool]]]:
        """The same in short works, one after another. What is there already stays as it is."""
        baseline = list(lines(self.path / "baseline.jsonl", BaselineLine))
        images = {image for line in baseline for image in line.images}
        before = self.epoch - LONG_AGO
        yield from load_baseline(baseline, before)
        yield from load_hosts(
            list(lines(self.path / "hosts.jsonl", HostLine)),
            lambda line: self._host(line, before if line.image is None or line.image in images else 0),
            self.epoch,
        )

    def _host(self, line: HostLine, enrolled: Micros) -> Host:
        groups = line.groups
        if self.pilot_percent and _share(line.host) < self.pilot_percent and "pilot" not in groups:
            groups = (*groups, "pilot")
        return Host(
            DEFAULT_TENANT,
            HostId(line.host),
            line.host,
            site=line.site or "main",
            groups=groups,
            role=line.role or "",
            user=line.user or "",
            enrolled_at=enrolled,
            operation=self.operation,
            sensor="replay",
            image=line.image or "",
        )

    def starts(self) -> Iterator[Start]:
        """The events in the order of the file."""
        held = self.operation is Operation.HOLD
        for line in lines(self.path / "events.jsonl", EventLine):
            yield Start.of_line(line, held, self.epoch)

    def newcomer(self, name: str) -> Host:
        """A host that an event names and hosts.jsonl does not."""
        return self._host(HostLine(name), 0)


def _share(name: str) -> float:
    """0 to 100, the same for a name at every run."""
    import zlib

    return zlib.crc32(name.encode()) % 10_000 / 100


Step = Callable[[Tx], list[Tool]]


def load_baseline(baseline: list[BaselineLine], at: Micros) -> Iterator[Step]:
    """Works that put an inventory and the tools it proposes, as of `at`; what is there already stays as it is."""
    for part in _parts(baseline):
        yield partial(_load_lines, part, at)
    tools = list(propose(baseline).values())
    yield lambda tx: [tool for tool in tools if tx.add(tool) or True]


def load_hosts(hosts: list[HostLine], made: Callable[[HostLine], Host], bound: Micros) -> Iterator[Step]:
    """Works that put hosts, with their MAC addresses as proved at `bound`; those that are there stay as they are."""
    for part in _parts(hosts):
        yield partial(_load_hosts, part, made, bound)


def _parts(of: list[Line]) -> Iterator[list[Line]]:
    return (of[start : start + PART] for start in range(0, len(of), PART))


def _load_lines(lines: Iterable[BaselineLine], at: Micros, tx: Tx) -> list[Tool]:
    load_inventory(tx, lines, at=at)
    return []


def _load_hosts(hosts: Iterable[HostLine], made: Callable[[HostLine], Host], bound: Micros, tx: Tx) -> list[Tool]:
    for line in hosts:
        host = made(line)
        if tx.add(host) and line.mac:
            tx.add(MacBinding(host.tenant, Mac(line.mac), host.host_id, bound, bound))
    return []


_made: Callable[..., Execution] = maker(Execution)
_parent: Callable[..., ParentRef] = maker(ParentRef)


def _execution(line: EventLine, held: bool, epoch: Micros) -> Execution:
    at = epoch + round(line.t * SECOND)
    told = line.parent_sha256 is not None or bool(line.parent_path)
    parent = _parent(line.parent_path or "", line.parent_sha256) if told else None
    provenance = line.package_provenance
    return _made(
        DEFAULT_TENANT,
        line.id,
        HostId(line.host),
        Sha256(line.sha256) if line.sha256 else None,
        line.path or "",
        0,
        at,
        at,
        user=line.user or "",
        held=held,
        parents=(parent,) if parent is not None else (),
        writer=parent,
        ended=epoch + round(line.end * SECOND) if line.end is not None else None,
        provenance=provenance,
        proven=provenance is not None and provenance.startswith(PROVEN),
        signer=line.signer,
        signer_state="valid" if line.signer else None,
    )


def load_inventory(
    tx: Tx, baseline: Iterable[BaselineLine], tenant: TenantId = DEFAULT_TENANT, *, at: Micros = MONDAY - LONG_AGO
) -> None:
    """Confirmed inventory lines as allow entries, with the precedents that they set. What is there already stays."""
    for line in baseline:
        sha = Sha256(line.sha256)
        here = place(line.path)
        state = "valid" if line.signer else None
        entry = ListEntry(
            tenant,
            f"inventory-{sha[:24]}",
            "allow",
            ListKind.HASH,
            sha,
            author="inventory",
            why="inventory",
            created=at,
            name=line.path,
        )
        tx.add(entry)
        tx.add(Executable(tenant, sha, name=here.name, signer=line.signer, signer_state=state, first_seen=at))
        deed = precedents.Deed(tenant, sha, here, at, VerdictWord.ALLOWED, line.signer, state)
        precedents.remember(tx, deed)


@dataclass(frozen=True, slots=True)
class Kept:
    """The starts that a store kept since `since`, to be replayed with its own lists and hosts."""

    hosts: tuple[Host, ...]
    entries: tuple[ListEntry, ...]
    tools: tuple[Tool, ...]
    executables: tuple[Executable, ...]
    precedents: tuple[Precedent, ...]
    executions: tuple[Execution, ...]

    @classmethod
    def read(cls, reading: Reading, tenant: TenantId, since: Micros) -> "Kept":
        executions = reading.find(Execution, tenant=tenant, order="started", after=since)
        before = [each for each in reading.find(Executable, tenant=tenant) if each.first_seen <= since]
        shas = {each.sha256 for each in before}
        known = [each for each in reading.find(Precedent, tenant=tenant) if each.sha256 in shas]
        return cls(
            tuple(reading.find(Host, tenant=tenant)),
            tuple(reading.find(ListEntry, tenant=tenant)),
            tuple(reading.find(Tool, tenant=tenant)),
            tuple(before),
            tuple(known),
            tuple(executions),
        )

    def load(self, tx: Tx) -> dict[str, Tool]:
        tx.put(*(replace(host, cleared_at=None) for host in self.hosts))
        tx.put(*self.entries, *self.tools, *self.executables, *self.precedents)
        return {str(tool.sha256): tool for tool in self.tools}

    def starts(self) -> Iterator[Start]:
        for each in self.executions:
            yield Start(each, each.id, each.started / SECOND)

    def newcomer(self, name: str) -> Host:
        return Host(self.hosts[0].tenant if self.hosts else DEFAULT_TENANT, HostId(name), name, sensor="replay")


class History(Protocol):
    """Recorded starts to replay: `Folder`, `Kept`, or logs (`recorded.reading.Recording`)."""

    def load(self, tx: Tx) -> dict[str, Tool]:
        """Put hosts, inventory and precedents into an empty store; the tools of the inventory by hash."""
        ...

    def starts(self) -> Iterator[Start]:
        """The starts in their order."""
        ...

    def newcomer(self, name: str) -> Host:
        """A host that a start names and nothing lists."""
        ...

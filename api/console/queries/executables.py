"""Executables: the list of new ones, everything about one, and the allow and deny lists."""

from collections.abc import Collection
from dataclasses import dataclass

from api import words
from api.console.queries.common import HostLine, Standing, host_lines, hosts_by_id, standings
from api.console.queries.events import EventLine, event_lines
from api.console.queries.hosts import ExecutionLine, execution_line
from radius_policy.model import (
    Executable,
    Execution,
    HostExecutable,
    ListEntry,
    ListKind,
    Micros,
    Prevalence,
    TenantId,
)
from radius_policy.store.interface import Reading

PAGE = 50
NAMED = 20
STARTS = 20


@dataclass(frozen=True, slots=True)
class ExecutableLine:
    """One line of the list."""

    sha256: str
    name: str
    kind: str
    signer: str
    first: Micros
    first_host_id: str
    first_host: str
    standing: Standing
    hosts: int


def executable_lines(
    reading: Reading, tenant: TenantId, now: Micros, *, before: Micros | None = None
) -> list[ExecutableLine]:
    """The newest executables of the fleet, before a moment where one is given."""
    found = reading.find(Executable, tenant=tenant, order="first_seen", descending=True, limit=PAGE, before=before)
    return _lines(reading, tenant, found, now)


def search_executables(reading: Reading, tenant: TenantId, text: str, now: Micros) -> list[ExecutableLine]:
    """Those whose hash is this, or whose name contains it among the newest 5,000."""
    wanted = text.strip().casefold()
    if len(wanted) == 64 and set(wanted) <= set("0123456789abcdef"):
        found = reading.find(Executable, tenant=tenant, sha256=wanted)
    else:
        newest = reading.find(Executable, tenant=tenant, order="first_seen", descending=True, limit=5000)
        found = [e for e in newest if wanted in e.name.casefold() or (len(wanted) >= 6 and e.sha256.startswith(wanted))]
    return _lines(reading, tenant, found[:PAGE], now)


def _lines(reading: Reading, tenant: TenantId, found: list[Executable], now: Micros) -> list[ExecutableLine]:
    shas = [executable.sha256 for executable in found]
    standing = standings(reading, tenant, shas, now)
    fleet = reading.find(Prevalence, tenant=tenant, sha256=shas, scope="fleet") if shas else []
    hosts = {prevalence.sha256: prevalence.hosts for prevalence in fleet}
    names = hosts_by_id(reading, tenant, [e.first_host for e in found if e.first_host])
    return [
        ExecutableLine(
            sha256=executable.sha256,
            name=words.visible(words.base_name(executable.name)) or "without a name",
            kind=executable.kind,
            signer=words.visible(executable.signer or ""),
            first=executable.first_seen,
            first_host_id=executable.first_host,
            first_host=words.visible(names[executable.first_host].name) if executable.first_host in names else "",
            standing=standing[executable.sha256],
            hosts=hosts.get(executable.sha256, 0),
        )
        for executable in found
    ]


@dataclass(frozen=True, slots=True)
class ExecutableView:
    """Everything about one executable. `further` hosts are not named."""

    executable: Executable
    name: str
    names: tuple[str, ...]
    standing: Standing
    prevalence: tuple[Prevalence, ...]
    hosts: tuple[tuple[HostLine, Micros, str], ...]
    further: int
    starts: tuple[tuple[ExecutionLine, str, str], ...]
    entries: tuple[ListEntry, ...]
    events: tuple[EventLine, ...]


def executable_view(
    reading: Reading, tenant: TenantId, sha256: str, now: Micros, sites: Collection[str] = ()
) -> ExecutableView | None:
    """None where no host ever reported it."""
    executable = reading.get(Executable, tenant, sha256)
    if executable is None:
        return None
    sightings = reading.find(HostExecutable, tenant=tenant, sha256=sha256, order="first", limit=NAMED)
    total = reading.count(HostExecutable, tenant=tenant, sha256=sha256)
    lines = host_lines(reading, tenant, [sighting.host_id for sighting in sightings])
    starts = reading.find(Execution, tenant=tenant, sha256=sha256, order="started", descending=True, limit=STARTS)
    start_hosts = hosts_by_id(reading, tenant, [start.host_id for start in starts])
    named = [
        (lines[sighting.host_id], sighting.first, str(sighting.verdict))
        for sighting in sightings
        if sighting.host_id in lines and (not sites or lines[sighting.host_id].site in sites)
    ]
    paths = [executable.name, *(sighting.path for sighting in sightings), *(start.path for start in starts)]
    return ExecutableView(
        executable=executable,
        name=words.visible(words.base_name(executable.name)) or "without a name",
        names=tuple(dict.fromkeys(words.visible(path) for path in paths if path))[:20],
        standing=standings(reading, tenant, [sha256], now)[sha256],
        prevalence=tuple(reading.find(Prevalence, tenant=tenant, sha256=sha256)),
        hosts=tuple(named),
        further=max(0, total - len(sightings)),
        starts=tuple(
            (execution_line(start), start.host_id, words.visible(start_hosts[start.host_id].name))
            for start in starts
            if start.host_id in start_hosts and (not sites or start_hosts[start.host_id].site in sites)
        ),
        entries=tuple(reading.find(ListEntry, tenant=tenant, kind=ListKind.HASH, value=sha256)),
        events=tuple(event_lines(reading, tenant, limit=30, sha256=sha256, sites=sites)),
    )


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One line of a list. `name` is that of the executable, where it is known."""

    entry: ListEntry
    value: str
    name: str
    why: str
    expired: bool


def list_lines(
    reading: Reading, tenant: TenantId, action: str, now: Micros, *, before: Micros | None = None
) -> list[EntryLine]:
    """The newest lines of the allow or deny list."""
    found = reading.find(
        ListEntry, tenant=tenant, action=action, order="created", descending=True, limit=PAGE, before=before
    )
    shas = [entry.value for entry in found if entry.kind is ListKind.HASH]
    known = reading.find(Executable, tenant=tenant, sha256=shas) if shas else []
    names: dict[str, str] = {executable.sha256: executable.name for executable in known}
    return [
        EntryLine(
            entry,
            words.visible(entry.value),
            words.visible(words.base_name(names.get(entry.value, ""))),
            words.visible(entry.why),
            entry.expires is not None and entry.expires <= now,
        )
        for entry in found
    ]

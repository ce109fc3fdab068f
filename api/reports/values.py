"""What reports are made of: frozen values, times in `Micros`, no text for people yet."""

from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from radius_policy.model import Micros, VerdictWord

SECTIONS: Final[dict[str, frozenset[VerdictWord]]] = {
    "unknown when it ran": frozenset((VerdictWord.UNKNOWN, VerdictWord.DENIED, VerdictWord.UNJUDGEABLE)),
    "graced": frozenset((VerdictWord.GRACED,)),
    "new and allowed": frozenset((VerdictWord.ALLOWED,)),
}
"""The sections of a day, by the verdict on the first execution."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which report this is: the site ('' = all of them) and the zone that its times are told in."""

    site: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class NewExecutable:
    """An executable whose first execution in the fleet was on the day. `hosts` and `users` are those of that day;
    `hosts_now` counts all that ever ran it, `last_execution` is the latest known. `curve`: hosts that had it at the end
    of each hour of the day. `grace_until` is the end of the grace of the first execution."""

    sha256: str
    path: str
    kind: str
    family: str
    signer: str
    provenance: str
    first_execution: Micros
    first_host: str
    last_execution: Micros
    verdict_then: VerdictWord
    reason_then: str
    rule: str
    verdict_now: VerdictWord
    reason_now: str
    grace_until: Micros | None
    hosts: tuple[str, ...]
    users: tuple[str, ...]
    parents: tuple[str, ...]
    action: str
    hosts_now: int
    curve: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NewHere:
    """An executable known from before the day that ran on some hosts for the first time."""

    sha256: str
    path: str
    first_execution: Micros
    verdict_now: VerdictWord
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A start whose content could not be read: it has no hash, so it is new by itself."""

    execution: str
    host: str
    path: str
    start: Micros
    verdict: VerdictWord


@dataclass(frozen=True, slots=True)
class DayReport:
    scope: Scope
    day: str
    begin: Micros
    end: Micros
    executables: tuple[NewExecutable, ...]
    new_here: tuple[NewHere, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    def section(self, name: str) -> tuple[NewExecutable, ...]:
        words = SECTIONS[name]
        return tuple(each for each in self.executables if each.verdict_then in words)


@dataclass(frozen=True, slots=True)
class Running:
    """One executable at work on a host. `end` is None while it runs; `uncertain` says that it may have been outside the
    window: its clock or its end is not known well enough. `sha256` is None where the content could not be read."""

    sha256: str | None
    path: str
    start: Micros
    end: Micros | None
    uncertain: bool
    verdict: VerdictWord
    reason: str
    user: str
    parent: str
    execution: str


@dataclass(frozen=True, slots=True)
class Patient:
    """A host with what ran there, earliest first, and where it was on the network then ('' = not known): by which source
    (`accounting`, `lldp`, `cdp`, `mac-table`), and when that was last so."""

    host_id: str
    host: str
    site: str
    mac: str
    switch: str
    port: str
    executables: tuple[Running, ...]
    port_source: str = ""
    port_seen: Micros | None = None

    @property
    def first(self) -> Micros:
        return self.executables[0].start


@dataclass(frozen=True, slots=True)
class WindowReport:
    """`begin` and `end` belong to the window. `notes` says what it was made from, where it was made from notes."""

    scope: Scope
    begin: Micros
    end: Micros
    hosts: tuple[Patient, ...]
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An executable's first execution on one host: `parent` started it there, `wrote` is who wrote the file."""

    host: str
    host_id: str
    site: str
    at: Micros
    verdict: VerdictWord
    user: str
    path: str
    parent: str
    wrote: str
    provenance: str


@dataclass(frozen=True, slots=True)
class SpreadReport:
    scope: Scope
    sha256: str
    path: str
    signer: str
    family: str
    verdict_now: VerdictWord
    reason_now: str
    arrivals: tuple[Arrival, ...]
    hosts: int
    doubling_s: float | None = None
    sites: dict[str, int] = field(default_factory=dict)

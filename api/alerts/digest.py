"""What a digest says: everything of a period that nobody was mailed at once for, and what still waits for a decision.

Guarantees: reads only; bounded (`ROWS` of the store, `LINES` a section, `UNDECIDED` of those; what is left out is counted and said); nothing
that an endpoint named reaches it with its control characters. An undecided unknown stands in every digest until it is
decided, whenever it ran first: there is no silence about one.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from api import words
from api.alerts.periods import Period
from radius_policy.model import (
    Event,
    EventKind,
    Executable,
    HostExecutable,
    Micros,
    Posture,
    PostureReason,
    Severity,
    TenantId,
    VerdictWord,
)
from radius_policy.store.interface import Reading

ROWS: Final = 100_000
LINES: Final = 40
UNDECIDED: Final = 200
_CHUNK: Final = 500
_INVENTORY: Final = "inventory-"
_PROGRAM_KINDS: Final = frozenset(
    {EventKind.UNKNOWN_RAN, EventKind.DENIED_RAN, EventKind.DENIED_REFUSED, EventKind.HELD, EventKind.UNJUDGEABLE}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One executable (or family). `at` is its first start in the period, `starts` how often it was told of, `hosts` on how
    many endpoints; `why` the rule that let it run."""

    sha256: str
    name: str
    at: Micros
    hosts: int
    starts: int = 0
    why: str = ""
    family: int = 1


@dataclass(frozen=True, slots=True)
class Happening:
    """Events of one kind: how many, on how many endpoints, and what the first ones said."""

    kind: str
    title: str
    count: int
    hosts: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of one sort, the newest first; `further` were left out."""

    title: str
    lines: tuple[Line, ...] = ()
    further: int = 0

    @property
    def total(self) -> int:
        return len(self.lines) + self.further


@dataclass(frozen=True, slots=True)
class Digest:
    """One digest. `name` is `daily` or `weekly`; `cut` says that there was more than could be read."""

    name: str
    begin: Micros
    end: Micros
    zone: ZoneInfo
    undecided: Section
    told: Section
    graced: Section
    allowed: Section
    happenings: tuple[Happening, ...] = ()
    cut: bool = False

    @property
    def sections(self) -> tuple[Section, ...]:
        """In the order of their urgency."""
        return (self.undecided, self.told, self.graced, self.allowed)

    @property
    def empty(self) -> bool:
        return not self.happenings and not any(section.total for section in self.sections)

    @property
    def span(self) -> str:
        """`Friday 20 November 2026`, or from that day to the last one."""
        first, last = words.local(self.begin, self.zone), words.local(self.end - 1, self.zone)
        said = f"{first:%A} {first.day} {first:%B %Y}"
        return said if first.date() == last.date() else f"{said} to {last:%A} {last.day} {last:%B %Y}"

    @property
    def summary(self) -> str:
        """`2 undecided, 3 graced, 1 new and allowed`, or that nothing happened."""
        counts = (
            (self.undecided.total, "undecided"),
            (self.told.total, "told at once"),
            (self.graced.total, "graced"),
            (self.allowed.total, "new and allowed"),
            (sum(happening.count for happening in self.happenings), "other events"),
        )
        return ", ".join(f"{count:,} {name}" for count, name in counts if count) or "nothing happened"

    def plain(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "name": self.name,
            "from": words.iso(self.begin),
            "to": words.iso(self.end),
            "zone": self.zone.key,
            "summary": self.summary,
            "sections": [
                {
                    "title": section.title,
                    "further": section.further,
                    "executables": [
                        {
                            "sha256": line.sha256,
                            "name": line.name,
                            "first": words.iso(line.at),
                            "hosts": line.hosts,
                            "starts": line.starts,
                            "why": line.why,
                            "family": line.family,
                        }
                        for line in section.lines
                    ],
                }
                for section in self.sections
            ],
            "events": [
                {"kind": each.kind, "title": each.title, "count": each.count, "hosts": each.hosts}
                for each in self.happenings
            ],
        }


def read(
    reading: Reading, tenant: TenantId, name: str, period: Period, zone: ZoneInfo, *, sites: Collection[str] = ()
) -> Digest:
    """The digest of a period. `sites`: only what belongs to these (a person's own); empty means all."""
    within: dict[str, Any] = {"after": period.begin - 1, "before": period.end}
    of_sites: dict[str, Any] = {"site": [*sites, ""]} if sites else {}
    told = ("at", "kind", "severity", "sha256", "host_id", "text")
    found = reading.pick(Event, told, tenant=tenant, order="at", limit=ROWS, **within, **of_sites)
    events = [_Event(*row) for row in found]
    hosts = {event.host_id for event in events} if sites else None
    fields = ("sha256", "host_id", "first", "verdict", "rule")
    ran = reading.pick(HostExecutable, fields, tenant=tenant, order="first", limit=ROWS, **within)
    seen = [_Seen(*row) for row in ran if hosts is None or row[1] in hosts]
    about = [event for event in events if event.sha256 and event.kind in _PROGRAM_KINDS]
    others = [event for event in events if event.severity is Severity.INFO and event.kind not in _PROGRAM_KINDS]
    opened = _undecided(reading, tenant, hosts)
    graced = [each for each in seen if each.verdict is VerdictWord.GRACED]
    allowed = [each for each in seen if each.verdict is VerdictWord.ALLOWED and not each.rule.startswith(_INVENTORY)]
    named = _named(reading, tenant, {e.sha256 for e in about} | {s.sha256 for s in (*opened, *graced, *allowed)})
    new = [each for each in allowed if each.sha256 in named and named[each.sha256].first_seen >= period.begin]
    return Digest(
        name,
        period.begin,
        period.end,
        zone,
        undecided=_section("Undecided: each waits for somebody to allow or deny it", opened, named, UNDECIDED),
        told=_section("Unknown or denied, with every repeat", [_as_seen(event) for event in about], named),
        graced=_section("Ran under grace", graced, named),
        allowed=_section("New and allowed", new, named),
        happenings=_happenings(others),
        cut=len(events) == ROWS or len(ran) == ROWS,
    )


@dataclass(frozen=True, slots=True)
class _Event:
    at: Micros
    kind: str
    severity: Severity
    sha256: str
    host_id: str
    text: str


@dataclass(frozen=True, slots=True)
class _Seen:
    sha256: str
    host_id: str
    first: Micros
    verdict: VerdictWord = VerdictWord.UNKNOWN
    rule: str = ""


def _as_seen(event: _Event) -> _Seen:
    return _Seen(event.sha256, event.host_id, event.at, rule=words.event_title(event.kind))


def _undecided(reading: Reading, tenant: TenantId, hosts: Collection[str] | None) -> list[_Seen]:
    found = reading.find(
        PostureReason, tenant=tenant, posture=Posture.POTENTIAL_PROBLEM, order="at", descending=True, limit=ROWS
    )
    return [
        _Seen(reason.key, reason.host_id, reason.at, rule=words.visible(reason.reason.text, 200))
        for reason in found
        if hosts is None or reason.host_id in hosts
    ]


def _named(reading: Reading, tenant: TenantId, shas: Collection[str]) -> dict[str, Executable]:
    every = sorted(shas)
    return {
        executable.sha256: executable
        for begin in range(0, len(every), _CHUNK)
        for executable in reading.find(Executable, tenant=tenant, sha256=every[begin : begin + _CHUNK])
    }


def _section(title: str, seen: Iterable[_Seen], named: dict[str, Executable], most: int = 0) -> Section:
    """One line for each executable, the members of a family as one."""
    groups: dict[str, list[_Seen]] = defaultdict(list)
    for each in seen:
        executable = named.get(each.sha256)
        groups[(executable.family if executable else "") or each.sha256].append(each)
    lines = []
    for group in groups.values():
        first = min(group, key=lambda each: each.first)
        executable = named.get(first.sha256)
        lines.append(
            Line(
                first.sha256,
                words.visible(words.base_name(executable.name), 120) if executable and executable.name else "no name",
                first.first,
                len({each.host_id for each in group}),
                len(group),
                words.visible(first.rule, 200),
                len({each.sha256 for each in group}),
            )
        )
    lines.sort(key=lambda line: (-line.at, line.sha256))
    most = most or LINES
    return Section(title, tuple(lines[:most]), max(0, len(lines) - most))


def _happenings(events: Iterable[_Event]) -> tuple[Happening, ...]:
    by_kind: dict[str, list[_Event]] = defaultdict(list)
    for event in events:
        by_kind[event.kind].append(event)
    counted = Counter({kind: len(found) for kind, found in by_kind.items()})
    return tuple(
        Happening(
            str(kind),
            words.event_title(kind),
            count,
            len({event.host_id for event in by_kind[kind] if event.host_id}),
            tuple(dict.fromkeys(words.visible(event.text, 200) for event in by_kind[kind][:20]))[:5],
        )
        for kind, count in counted.most_common()
    )

"""The policy of a tenant as one value: modes, limits, rules, lists and tools, read once and cached by version.

Guarantees: a decision looks at one `Policy` from beginning to end, and the rule version in it is kept with what it
decided. A tenant without settings is in mode `learn` with the default limits and the shipped rules: it moves nobody.
A setting that makes no sense is refused when it is written (`checked`), so loading one never fails half way.

What it does not do: it decides nothing, and it does not watch the store; `PolicyCache` looks when it is asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any, Final

from radius_policy import zones
from radius_policy.access import Choices
from radius_policy.breaker import DAY, MINUTE, Limits, limits_of
from radius_policy.grace import RuleSet, parse
from radius_policy.grace.builtin import builtin
from radius_policy.lists import Lists, Reference
from radius_policy.model import (
    SECOND,
    Access,
    Host,
    ListEntry,
    ListKind,
    Micros,
    Mode,
    Outcome,
    Setting,
    TenantId,
    Tool,
)
from radius_policy.store.interface import Reading

LISTS: Final = "lists"
"""The key of the `settings` change that a changed list entry or tool is noted under."""
HEARTBEAT: Final = 30 * SECOND
_MOVE: Final = frozenset((Outcome.MOVE,))
_CUT: Final = frozenset((Outcome.MOVE, Outcome.CUT))


@dataclass(frozen=True, slots=True)
class Modes:
    """The group's mode, else the site's, else the default (tables.md, Access row 4)."""

    default: Mode = Mode.LEARN
    sites: Mapping[str, Mode] = field(default_factory=dict)
    groups: Mapping[str, Mode] = field(default_factory=dict)

    def of(self, site: str, groups: Iterable[str]) -> Mode:
        if self.groups:
            for group in groups:
                if group in self.groups:
                    return self.groups[group]
        return self.sites.get(site, self.default)


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window: from `start` to `end`, for a site or group ('' = any)."""

    start: Micros
    end: Micros
    site: str = ""
    group: str = ""


@dataclass(slots=True)
class Memo:
    """What a replay, which is alone with its store, need not do again: `deeds` whose precedents are set, plainly allowed
    `starts` of a (content, path, parent), and which of these each host had (`listed`). `counts`: some rule asks for
    prevalence."""

    counts: bool
    deeds: set[tuple[object, ...]] = field(default_factory=set)
    starts: set[tuple[object, ...]] = field(default_factory=set)
    listed: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """`hosts` counts the endpoints of each site for the percent limits ({} = not known). `unknown_cut` says of a
    site ('' = every other one) whether unknown programs get no network there, `denies` says that the deny list is not empty, `allowed` are the hashes that
    the allow list has for the whole fleet.

    `replay`: recorded events are being replayed, nobody decides meanwhile, and `memo` spares what was done already (a
    service has none: another process may undo it). `loading`: recorded events are loaded to stay, so all is stored.
    """

    tenant: TenantId
    modes: Modes = field(default_factory=Modes)
    paused: bool = False
    limits: Limits = field(default_factory=Limits)
    rules: RuleSet = field(default_factory=RuleSet)
    entries: Mapping[str, ListEntry] = field(default_factory=dict)
    lists: Lists = field(default_factory=Lists)
    allowed: Mapping[str, ListEntry] = field(default_factory=dict)
    denies: bool = False
    tools: Mapping[str, Tool] = field(default_factory=dict)
    min_available: Mapping[str, int] = field(default_factory=dict)
    choices: Mapping[str, Choices] = field(default_factory=dict)
    unknown_cut: Mapping[str, bool] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    pilot: str = "pilot"
    zone: tzinfo = UTC
    silent_after: Micros = 3 * HEARTBEAT
    answer_within: Micros = 30 * MINUTE
    unanswered: Mapping[str, str] = field(default_factory=dict)
    grace_look_back: Micros = DAY
    hosts: Mapping[str, int] = field(default_factory=dict)
    release_after_move: bool = True
    deny_in_monitor: bool = False
    replay: bool = False
    loading: bool = False
    memo: Memo | None = field(default=None, compare=False)
    version: str = ""

    @classmethod
    def load(cls, reading: Reading, tenant: TenantId, *, references: Iterable[Reference] = ()) -> "Policy":
        """Everything at once. Raises ValueError only for a setting that was written past `checked`."""
        settings = {each.name: each for each in reading.find(Setting, tenant=tenant)}
        entries = {each.id: each for each in reading.find(ListEntry, tenant=tenant, confirmed=True)}
        tools = {str(each.sha256): each for each in reading.find(Tool, tenant=tenant)}
        values = {name: setting.value for name, setting in settings.items()}
        return replace(
            of_settings(tenant, values),
            **_listed(entries, references),
            tools=tools,
            hosts=host_counts(reading, tenant),
            version="/".join(f"{name}:{settings[name].version}" for name in sorted(settings) if name in KNOWN),
        )

    def mode_of(self, host: Host) -> Mode:
        return self.modes.of(host.site, host.groups)

    def choices_of(self, site: str) -> Choices:
        return self.choices.get(site) or self.choices.get("") or _DEFAULT_CHOICES

    def unknown_at(self, site: str) -> frozenset[Outcome]:
        """What an unknown that no rule knows brings at this site."""
        return _CUT if self.unknown_cut.get(site, self.unknown_cut.get("", False)) else _MOVE

    def unanswered_at(self, site: str) -> str:
        """What the site chose for a trip that nobody answers: `keep`, `release` or `quarantine`."""
        return self.unanswered.get(site) or self.unanswered.get("") or "keep"

    def maintenance(self, host: Host, at: Micros) -> bool:
        return any(
            window.start <= at < window.end
            and window.site in ("", host.site)
            and (not window.group or window.group in host.groups)
            for window in self.windows
        )

    def plainly_allows(self, sha256: str | None, now: Micros) -> ListEntry | None:
        """The entry that allows a hash everywhere while nothing at all is denied: then no other fact can matter."""
        entry = None if self.denies else self.allowed.get(sha256)  # type: ignore[arg-type]
        return entry if entry is not None and (entry.expires is None or now < entry.expires) else None

    @property
    def fleet(self) -> int:
        return sum(self.hosts.values())

    def with_entries(self, added: Iterable[ListEntry] = (), removed: Iterable[str] = ()) -> "Policy":
        """The same policy with list entries put in (or replaced by id) and taken out."""
        entries = dict(self.entries)
        for gone in removed:
            entries.pop(gone, None)
        entries.update({each.id: each for each in added})
        return replace(self, **_listed(entries, self.lists.references))


def _listed(entries: Mapping[str, ListEntry], references: Iterable[Reference]) -> dict[str, Any]:
    denies, allowed = False, {}
    for each in entries.values():
        if not each.confirmed:
            continue
        if each.action == "deny":
            denies = True
        elif each.kind is ListKind.HASH and each.scope == "fleet":
            allowed[each.value] = each
    return {"entries": entries, "lists": Lists(entries.values(), references), "allowed": allowed, "denies": denies}


_DEFAULT_CHOICES: Final = Choices()


def of_settings(tenant: TenantId, values: Mapping[str, Mapping[str, Any]]) -> Policy:
    """A policy from settings alone, with the shipped rules where none are stored. Raises ValueError with a sentence."""
    rules = values.get("rules", {}).get("text")
    return Policy(
        tenant,
        modes=_modes(values.get("mode", {})),
        paused=bool(_single(values.get("pause", {}), "on", False)),
        limits=limits_of(values.get("breaker", {})),
        rules=builtin() if rules is None else parse(str(rules), "rules"),
        min_available=_min_available(values.get("groups", {})),
        choices=_choices(values.get("choices", {}), values.get("unmonitored", {})),
        unknown_cut=_unknown_cut(values.get("unknown_network", {})),
        windows=tuple(_windows(values.get("maintenance", {}))),
        pilot=str(_single(values.get("pilot", {}), "group", "pilot")),
        zone=_zone(str(_single(values.get("timezone", {}), "name", "UTC"))),
        release_after_move=bool(values.get("held", {}).get("release_after_move", True)),
        answer_within=answer_within(values.get("trips", {})),
        unanswered=_unanswered(values.get("trips", {})),
        deny_in_monitor=bool(values.get("held", {}).get("deny_in_monitor", False)),
    )


KNOWN: Final = (
    "mode", "pause", "breaker", "rules", "groups", "choices", "unmonitored", "unknown_network", "maintenance", "pilot",
    "timezone", "held", "trips",
)  # fmt: skip
"""The settings that judgement reads."""


def checked(name: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
    """`value` again if it makes sense as setting `name`; ValueError (or RuleError) says what is wrong with it."""
    if name in KNOWN:
        of_settings(TenantId(0), {name: value})
    return value


def host_counts(reading: Reading, tenant: TenantId) -> dict[str, int]:
    """Endpoints by site."""
    counts: dict[str, int] = {}
    for host in reading.find(Host, tenant=tenant):
        counts[host.site] = counts.get(host.site, 0) + 1
    return counts


class PolicyCache:
    """The policy of each tenant, read anew when a setting, a list or a tool changed or hosts came.

    Endpoints are counted anew after a minute at the latest. Not to be shared between threads.
    """

    def __init__(self, references: Iterable[Reference] = ()) -> None:
        self._references = tuple(references)
        self._known: dict[TenantId, tuple[int, Micros, Policy]] = {}

    def attach(self, references: Iterable[Reference]) -> None:
        """From now on these are the attached sets: every policy is read anew."""
        self._references = tuple(references)
        self._known.clear()

    def current(self, reading: Reading, tenant: TenantId, now: Micros) -> Policy:
        """The policy as of this transaction."""
        known = self._known.get(tenant)
        last = reading.last_change()
        if known is not None:
            seen, counted, policy = known
            changes = reading.changes_since(seen) if last != seen else []
            stale = len(changes) >= 1000 or any(each.kind == "settings" and each.tenant == tenant for each in changes)
            if not stale:
                if now - counted > MINUTE:
                    policy, counted = replace(policy, hosts=host_counts(reading, tenant)), now
                self._known[tenant] = (last, counted, policy)
                return policy
        policy = Policy.load(reading, tenant, references=self._references)
        self._known[tenant] = (last, now, policy)
        return policy


def _single(value: Mapping[str, Any], member: str, default: Any) -> Any:
    return value.get(member, value.get("value", default))


def _modes(value: Mapping[str, Any]) -> Modes:
    return Modes(
        _mode(value.get("default", value.get("value", Mode.LEARN))),
        {str(name): _mode(word) for name, word in dict(value.get("sites", {})).items()},
        {str(name): _mode(word) for name, word in dict(value.get("groups", {})).items()},
    )


def _mode(word: Any) -> Mode:
    try:
        return Mode(word)
    except ValueError:
        raise ValueError(f"mode: {word!r} is no mode; there are {', '.join(Mode)}") from None


def _access(name: str, word: Any) -> Access:
    try:
        return Access(word)
    except ValueError:
        raise ValueError(f"{name}: {word!r} is no access; there are {', '.join(Access)}") from None


def _choices(value: Mapping[str, Any], unmonitored: Mapping[str, Any]) -> dict[str, Choices]:
    """`{"": {...}, "SITE": {"compromised": "blocked"}}`; '' is for every site without choices of its own."""
    default = Choices(unmonitored=_access("unmonitored", _single(unmonitored, "access", Access.PRODUCTION)))
    found = {"": default}
    for site, choice in value.items():
        if not isinstance(choice, Mapping) or set(choice) - {"compromised", "unmonitored", "unlisted"}:
            raise ValueError(f"choices: {site!r} takes compromised, unmonitored and unlisted")
        found[site] = replace(default, **{name: _access(f"choices.{name}", word) for name, word in choice.items()})
    return found


def _min_available(value: Mapping[str, Any]) -> dict[str, int]:
    found = {}
    for group, one in value.items():
        least = one.get("min_available", 0) if isinstance(one, Mapping) else one
        if not isinstance(least, int) or least < 0:
            raise ValueError(f"groups: min_available of {group!r} is a number of hosts, not {least!r}")
        found[group] = least
    return found


def _unknown_cut(value: Mapping[str, Any]) -> dict[str, bool]:
    """`{"default": "off", "sites": {"main": "on"}}`: where unknown programs get no network; '' is for every other site."""
    sites = {"": value.get("default", "on"), **dict(value.get("sites", {}))}
    for site, word in sites.items():
        if word not in ("on", "off"):
            raise ValueError(f"unknown_network: {site or 'default'} is on or off, not {word!r}")
    return {site: word == "off" for site, word in sites.items()}


def answer_within(value: Mapping[str, Any]) -> Micros:
    """After how long nobody has answered a trip, by the setting `trips`. Raises ValueError."""
    minutes = value.get("minutes", 30)
    if not isinstance(minutes, int | float) or isinstance(minutes, bool) or minutes <= 0:
        raise ValueError(f"trips: minutes is a number above 0, not {minutes!r}")
    return int(minutes * MINUTE)


def _unanswered(value: Mapping[str, Any]) -> dict[str, str]:
    """`{"minutes": 30, "choice": "keep", "sites": {"branch": "release"}}`."""
    choices = {"": value.get("choice", "keep"), **dict(value.get("sites", {}))}
    for site, choice in choices.items():
        if choice not in ("keep", "release", "quarantine"):
            raise ValueError(f"trips: {site or 'choice'} is keep, release or quarantine, not {choice!r}")
    return {site: str(choice) for site, choice in choices.items()}


def _windows(value: Mapping[str, Any]) -> Iterable[Window]:
    for row in value.get("windows", []):
        try:
            yield Window(int(row["start_us"]), int(row["end_us"]), str(row.get("site", "")), str(row.get("group", "")))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ValueError(f"maintenance: a window needs start_us and end_us, not {row!r}") from None


def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else zones.zone(name)

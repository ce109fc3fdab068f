"""What RADIUS answers from: MACs, switches and settings in memory, kept fresh from the change sequence.

Guarantees: looking a MAC or a NAS up is a dict access and never a database query. A datagram's tenant comes from the
listener that took it, a NAS is (listener, source address), and a MAC is looked up under that tenant: two tenants with
the same MAC and NAS address never meet. Its file is made of the same deltas (`snapshot_file.py`).

It decides nothing about an endpoint: `MacAccess` is what the access table gave. Only for a MAC that no endpoint proved
it applies row 8 with row 4 (tables.md, Access): the site's choice, and production where the NAS's site is not in
`enforce`, because there nobody is moved.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from radius_policy.model import Access, Mac, MacAccess, Mode, Nas, Setting, TenantId
from radius_policy.radius.attributes import write_vlan
from radius_policy.radius.wire import Secret
from radius_policy.store.interface import Reading

VLANS = {"production": "10", "remediation": "66", "guest": "20"}
SETTINGS = ("mode", "pause", "vlans", "unlisted", "unmonitored", "session_timeout")
"""The settings that answers depend on; others are none of this process's business."""


@dataclass(frozen=True, slots=True)
class Known:
    """A NAS with its secrets made ready. `coa` is what CoA to it is signed with."""

    nas: Nas
    secret: Secret
    coa: Secret


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer for one MAC. `generation` is 0 where no endpoint proved the MAC."""

    access: Access
    generation: int
    listed: bool


class Rules:
    """One tenant's settings, made ready: VLAN attributes by access, the mode of each site, the unlisted choice."""

    def __init__(self, settings: dict[str, dict[str, Any]]) -> None:
        """Raises ValueError for a setting that makes no sense; the sentence names it."""
        self.vlans = {**VLANS, **_texts("vlans", settings.get("vlans", {}))}
        timeouts = settings.get("session_timeout", {})
        self.timeouts = {access: int(timeouts[access]) for access in Access if access in timeouts}
        self.attributes = {access: write_vlan(self.vlans[access]) for access in Access if access in self.vlans}
        if missing := [access for access in Access if access is not Access.BLOCKED and access not in self.attributes]:
            raise ValueError(f'the setting "vlans" names no VLAN for {missing[0]}')
        mode = settings.get("mode", {})
        self._mode = _mode(mode.get("default", Mode.LEARN))
        self._sites = {str(site): _mode(word) for site, word in dict(mode.get("sites", {})).items()}
        unlisted = settings.get("unlisted") or {"access": settings.get("unmonitored", {}).get("unlisted", Access.GUEST)}
        self.unlisted = _access(value_of(unlisted, "access", Access.GUEST))
        self.paused = bool(value_of(settings.get("pause", {}), "paused", False))

    def mode(self, site: str) -> Mode:
        """The site's mode, or the tenant's default."""
        return self._sites.get(site, self._mode)

    def for_unlisted(self, site: str) -> Access:
        """What a MAC gets that no endpoint has proved (access row 8); production where nobody is moved."""
        return self.unlisted if self.mode(site) is Mode.ENFORCE and not self.paused else Access.PRODUCTION


def value_of(value: Any, member: str, default: Any) -> Any:
    """A setting's single value: bare, or as the member `member` or `value` of an object."""
    if isinstance(value, dict):
        return value.get(member, value.get("value", default))
    return value


def _texts(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f'the setting "{name}" is no table of names and values')
    return {str(key): str(entry) for key, entry in value.items()}


def _mode(word: Any) -> Mode:
    try:
        return Mode(word)
    except ValueError:
        raise ValueError(
            f'the setting "mode" has the unknown mode {word!r}; known are learn, monitor, enforce'
        ) from None


def _access(word: Any) -> Access:
    try:
        return Access(word)
    except ValueError:
        known = ", ".join(Access)
        raise ValueError(f'the setting "unlisted" has the unknown access {word!r}; known are {known}') from None


@dataclass(frozen=True, slots=True)
class Delta:
    """What a look at the store brought. A record that is None was removed. `whole` replaces everything.

    `keys` are the changed keys of other kinds (`order`, `host`, ...), for whoever needs them.
    """

    sequence: int
    macs: dict[tuple[TenantId, Mac], MacAccess | None] = field(default_factory=dict)
    nas: dict[tuple[TenantId, str], Nas | None] = field(default_factory=dict)
    settings: dict[tuple[TenantId, str], Setting | None] = field(default_factory=dict)
    keys: tuple[tuple[TenantId, str, str], ...] = ()
    whole: bool = False
    more: bool = False

    @property
    def answers(self) -> bool:
        """Whether it may change an answer."""
        return bool(self.whole or self.macs or self.nas or self.settings)


@dataclass(frozen=True, slots=True)
class Applied:
    """What changed by a delta: MACs with a new answer, and complaints about records that could not be used."""

    macs: tuple[tuple[TenantId, Mac], ...] = ()
    complaints: tuple[str, ...] = ()


def look(reading: Reading, since: int, *, limit: int = 1000) -> Delta:
    """Read what changed after `since`. Each record is read once, as it is now."""
    changes = reading.changes_since(since, limit)
    macs: dict[tuple[TenantId, Mac], MacAccess | None] = {}
    switches: dict[tuple[TenantId, str], Nas | None] = {}
    settings: dict[tuple[TenantId, str], Setting | None] = {}
    others: dict[tuple[TenantId, str, str], None] = {}
    for change in changes:
        tenant, key = change.tenant, change.key
        if change.kind == "access":
            macs[tenant, Mac(key)] = reading.get(MacAccess, tenant, key)
        elif change.kind == "nas":
            switches[tenant, key] = reading.get(Nas, tenant, key)
        elif change.kind == "settings":
            if key in SETTINGS:
                settings[tenant, key] = reading.get(Setting, tenant, key)
        else:
            others[tenant, change.kind, key] = None
    sequence = changes[-1].sequence if changes else since
    return Delta(sequence, macs, switches, settings, tuple(others), more=len(changes) == limit)


def look_at_all(reading: Reading, tenants: Iterable[TenantId]) -> Delta:
    """Read everything, at start or after the change sequence was cut."""
    delta = Delta(reading.last_change(), whole=True)
    for tenant in tenants:
        delta.macs.update({(tenant, row.mac): row for row in reading.find(MacAccess, tenant=tenant)})
        delta.nas.update({(tenant, row.nas_id): row for row in reading.find(Nas, tenant=tenant)})
        for name in SETTINGS:
            if (row := reading.get(Setting, tenant, name)) is not None:
                delta.settings[tenant, name] = row
    return delta


class Snapshot:
    """The state in memory. `sequence` is how far into the change sequence it is."""

    def __init__(self) -> None:
        self.sequence = 0
        self._macs: dict[tuple[TenantId, Mac], MacAccess] = {}
        self._nas: dict[tuple[TenantId, str], Known] = {}
        self._by_source: dict[tuple[str, str], Known] = {}
        self._settings: dict[tuple[TenantId, str], Setting] = {}
        self._rules: dict[TenantId, Rules] = {}
        self._default = Rules({})

    def __len__(self) -> int:
        return len(self._macs)

    @property
    def switches(self) -> int:
        """How many NAS are known."""
        return len(self._nas)

    def find_nas(self, listener: str, address: str) -> Known | None:
        """Who sends from this address to this listener."""
        return self._by_source.get((listener, address))

    def nas(self, tenant: TenantId, nas_id: str) -> Known | None:
        """A NAS by its id, or None."""
        return self._nas.get((tenant, nas_id))

    def rules(self, tenant: TenantId) -> Rules:
        """The tenant's settings for the answer; those of a new tenant where none are known."""
        return self._rules.get(tenant, self._default)

    def mac(self, tenant: TenantId, mac: Mac) -> MacAccess | None:
        """What was decided for a MAC, or None where no endpoint has proved it."""
        return self._macs.get((tenant, mac))

    def answer(self, tenant: TenantId, mac: Mac, site: str) -> Answer:
        """What a NAS of `site` is told about this MAC."""
        row = self._macs.get((tenant, mac))
        if row is not None:
            return Answer(row.access, row.generation, True)
        return Answer(self.rules(tenant).for_unlisted(site), 0, False)

    def apply(self, delta: Delta) -> Applied:
        """Take over what a look brought. A record that makes no sense leaves the one before in force and is named."""
        complaints: list[str] = []
        if delta.whole:
            gone = (self._macs.keys() - delta.macs.keys()) if self._macs else set()
            before, self._macs = self._macs, {}
            self._nas, self._settings = {}, {}
        else:
            gone, before = set(), self._macs
        changed = set(gone)
        for who, row in delta.macs.items():
            if before.get(who) != row:
                changed.add(who)
            if row is None:
                self._macs.pop(who, None)
            else:
                self._macs[who] = row
        for place, nas in delta.nas.items():
            self._take_nas(place, nas, complaints)
        if delta.whole or delta.nas:
            self._by_source = {(known.nas.listener, known.nas.address): known for known in self._nas.values()}
        for name, setting in delta.settings.items():
            if setting is None:
                self._settings.pop(name, None)
            else:
                self._settings[name] = setting
        for tenant in {tenant for tenant, _ in delta.settings} | (set(self._rules) if delta.whole else set()):
            self._take_rules(tenant, complaints)
        self.sequence = delta.sequence
        return Applied(tuple(changed), tuple(complaints))

    def _take_nas(self, place: tuple[TenantId, str], nas: Nas | None, complaints: list[str]) -> None:
        if nas is None:
            self._nas.pop(place, None)
            return
        try:
            self._nas[place] = Known(nas, Secret(nas.secret), Secret(nas.coa_secret or nas.secret))
        except ValueError as error:
            complaints.append(f"NAS {nas.nas_id}: {error}")

    def _take_rules(self, tenant: TenantId, complaints: list[str]) -> None:
        settings = {name: setting.value for (owner, name), setting in self._settings.items() if owner == tenant}
        try:
            self._rules[tenant] = Rules(settings)
        except (ValueError, TypeError, AttributeError) as error:
            complaints.append(f"tenant {tenant}: {error}; the setting before stays in force")

    def whole(self) -> Delta:
        """All of it, as what a look at everything would bring."""
        return Delta(
            self.sequence,
            dict(self._macs),
            {place: known.nas for place, known in self._nas.items()},
            dict(self._settings),
            whole=True,
        )

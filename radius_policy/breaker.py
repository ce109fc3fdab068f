"""The breaker: how many hosts may be moved automatically before containment turns to the executable (tables.md, Breaker).

A move takes one *place* at each level: executable (or family) · site and window · fleet and window · tenant and day.
Where a place is missing that limit trips, the start is contained instead and takes no place anywhere. A further
unknown on a host that was moved already takes its own executable's place only: a roll-out of three files moves three
hosts, not nine.

Guarantees: pure arithmetic on places that the caller stored in the deciding transaction, so no restart or retry can
exceed a limit. A host has at most one place at a level however much it reports: nobody uses up another's share.

What it does not do: it never touches posture, it ends no trip and releases nobody (`judgement/`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from radius_policy.model import SECOND, BreakerPlace, HostId, Micros, Reason, TenantId

MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

EXECUTABLE: Final = "executable:"
FLEET: Final = "fleet"
TENANT: Final = "tenant"
TIED: Final = "tied"
"""Level of a containment's reason where the executable is tied to a denied run."""


def executable_level(key: str) -> str:
    """`key` is the executable's SHA-256, or its family's name."""
    return EXECUTABLE + key


def site_level(site: str) -> str:
    """The level of one site, as places and trips name it."""
    return f"site:{site}"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `number` hosts in `window` (None = ever), and at most `percent` of the hosts there, but `least` always.

    `least` keeps a small fleet protected at all: 5 % of 20 hosts would be one.
    """

    number: int
    window: Micros | None = None
    percent: float = 100.0
    least: int = 1

    def places(self, hosts: int) -> int:
        """How many hosts may be moved where there are `hosts` of them (0 = not known: the number alone counts)."""
        if hosts <= 0:
            return self.number
        return min(self.number, max(self.least, int(hosts * self.percent / 100)))


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults that are safe for 20 hosts and for 20,000: 3 for one executable; then 10, 30 and 60 at once at most."""

    executable: Limit = Limit(3, None, 25.0)
    site: Limit = Limit(10, 10 * MINUTE, 20.0, least=3)
    fleet: Limit = Limit(30, HOUR, 2.0, least=3)
    tenant: Limit = Limit(60, DAY, 4.0, least=4)
    sites: Mapping[str, Limit] = field(default_factory=dict)

    def of_site(self, site: str) -> Limit:
        """The site's own limit, or the one for all sites."""
        return self.sites.get(site, self.site)

    @property
    def longest(self) -> Micros:
        """The longest window of site, fleet and tenant: older places need not be read."""
        windows = (self.site, self.fleet, self.tenant, *self.sites.values())
        return max(limit.window or DAY for limit in windows)


def limits_of(setting: Mapping[str, Any]) -> Limits:
    """Limits from the setting `breaker`: `{"executable": {"number": 3}, "site": {"number": 10, "window_s": 600}, ...}`.

    Raises ValueError with a sentence for the admin where a name or number makes no sense.
    """
    defaults = Limits()
    known = {"executable", "site", "fleet", "tenant", "sites"}
    for name in setting:
        if name not in known:
            raise ValueError(f"breaker: there is no limit {name!r}; there are {', '.join(sorted(known))}")
    return Limits(
        **{
            name: _limit(name, setting.get(name, {}), getattr(defaults, name))
            for name in ("executable", "site", "fleet", "tenant")
        },
        sites={
            site: _limit(f"sites.{site}", value, defaults.site)
            for site, value in dict(setting.get("sites", {})).items()
        },
    )


def _limit(name: str, value: Any, default: Limit) -> Limit:
    if not isinstance(value, Mapping) or set(value) - {"number", "percent", "window_s", "least"}:
        raise ValueError(f"breaker: {name} takes number, percent, least and window_s, not {value!r}")
    number, percent = value.get("number", default.number), value.get("percent", default.percent)
    window = value["window_s"] * SECOND if "window_s" in value else default.window
    least = value.get("least", default.least)
    if not all(isinstance(each, int | float) and each >= 0 for each in (number, percent, least)):
        raise ValueError(f"breaker: {name} needs numbers of 0 or more, not {value!r}")
    return Limit(int(number), None if window is None else int(window), float(percent), int(least))


@dataclass(frozen=True, slots=True)
class Request:
    """One start that would move its host. `moved_already`: that host left production for an earlier reason."""

    tenant: TenantId
    host_id: HostId
    site: str
    key: str
    at: Micros
    moved_already: bool = False
    site_hosts: int = 0
    fleet_hosts: int = 0


@dataclass(frozen=True, slots=True)
class Granted:
    """The places to store with the move."""

    places: tuple[BreakerPlace, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """`level` had no place left: `taken` of `limit`."""

    level: str
    taken: int
    limit: int
    window: Micros | None

    @property
    def reason(self) -> Reason:
        """Level `breaker`, `ref` the level whose limit was reached."""
        within = f" within {self.window // MINUTE} minutes" if self.window else ""
        return Reason("breaker", f"limit of {self.limit} hosts{within} reached at {self.level}", self.level)


def levels(request: Request) -> tuple[str, ...]:
    """The levels whose places the caller reads for `ask`."""
    own = executable_level(request.key)
    return (own,) if request.moved_already else (own, site_level(request.site), FLEET, TENANT)


def ask(request: Request, taken: Iterable[BreakerPlace], limits: Limits) -> Granted | Missing:
    """A place at each level, or the first level that has none. `taken` are the stored places of `levels(request)`.

    All or nothing: where one level is full, none is taken at any.
    """
    hosts: dict[str, set[HostId]] = {}
    bounds = _bounds(request, limits)
    for place in taken:
        window = bounds[place.level][1] if place.level in bounds else None
        if window is None or place.at > request.at - window:
            hosts.setdefault(place.level, set()).add(place.host_id)
    places: list[BreakerPlace] = []
    for level in levels(request):
        limit, window = bounds[level]
        holders = hosts.get(level, set())
        if request.host_id in holders:
            continue
        if len(holders) >= limit:
            return Missing(level, len(holders), limit, window)
        places.append(BreakerPlace(request.tenant, level, request.host_id, request.key, request.at))
    return Granted(tuple(places))


def _bounds(request: Request, limits: Limits) -> dict[str, tuple[int, Micros | None]]:
    site = limits.of_site(request.site)
    return {
        executable_level(request.key): (limits.executable.places(request.fleet_hosts), limits.executable.window),
        site_level(request.site): (site.places(request.site_hosts), site.window),
        FLEET: (limits.fleet.places(request.fleet_hosts), limits.fleet.window),
        TENANT: (limits.tenant.places(request.fleet_hosts), limits.tenant.window),
    }


def rank(host_id: HostId, *, running: bool, at: Micros) -> tuple[bool, Micros, HostId]:
    """The sort key of a batch (deny, switch to enforce): places go to what runs now, then the latest start `at`, then by
    host_id."""
    return not running, -at, host_id

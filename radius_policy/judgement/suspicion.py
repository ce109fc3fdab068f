"""Worm or roll-out? What is known of an executable that reached the breaker, side by side, and the likelier reading.

Guarantees: it shows who wrote it, from which host it came first, and the shape of its spread in time and place; the
reading names its grounds, and where they balance it says so. It is a help for a person's decision and decides nothing.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from radius_policy.breaker import HOUR, MINUTE
from radius_policy.facts.places import place
from radius_policy.judgement.policy import Policy
from radius_policy.model import Execution, Host, HostExecutable, Micros, TenantId, ToolRole
from radius_policy.store.interface import Reading

NO_PARENT = "unknown parent"
LOOK_AT = 50
"""How many hosts at most are looked at: the first ones tell most."""


@dataclass(frozen=True, slots=True)
class Spread:
    """`writers` and `places` count by host. `doublings_s` are seconds from 1 to 2, 2 to 4 … hosts."""

    hosts: int
    sites: int
    first_host: str
    first: Micros
    last: Micros
    writers: dict[str, int]
    roles: dict[str, int]
    places: dict[str, int]
    signed: bool
    proven: bool
    doublings_s: tuple[float, ...]


def spread(reading: Reading, policy: Policy, sha256: str) -> Spread:
    """How an executable spread so far."""
    known = reading.find(HostExecutable, tenant=policy.tenant, sha256=sha256, order="first", limit=LOOK_AT)
    starts = reading.find(Execution, tenant=policy.tenant, sha256=sha256, order="started", limit=LOOK_AT)
    by_host: dict[str, Execution] = {}
    for start in starts:
        by_host.setdefault(start.host_id, start)
    writers: Counter[str] = Counter()
    roles: Counter[str] = Counter()
    for start in by_host.values():
        ref = start.writer or (start.parents[0] if start.parents else None)
        if ref is not None:
            writers[ref.path] += 1
            tool = policy.tools.get(ref.sha256 or "")
            roles[str(tool.role) if tool is not None else "none"] += 1
    hosts = [reading.get(Host, policy.tenant, each.host_id) for each in known]
    times = [each.first for each in known]
    doublings = tuple((times[2 * n - 1] - times[n - 1]) / 1e6 for n in (1, 2, 4, 8, 16) if 2 * n <= len(times))
    return Spread(
        hosts=reading.count(HostExecutable, tenant=policy.tenant, sha256=sha256),
        sites=len({host.site for host in hosts if host is not None}),
        first_host=next((host.name for host in hosts if host is not None), ""),
        first=times[0] if times else 0,
        last=times[-1] if times else 0,
        writers=dict(writers.most_common(5)),
        roles=dict(roles.most_common(5)),
        places=dict(Counter(place(each.path).root for each in known).most_common(5)),
        signed=any(each.facts.get("signer.state") == "valid" for each in known),
        proven=any(each.facts.get("provenance.proven") is True for each in known),
        doublings_s=doublings,
    )


def likelier(found: Spread) -> tuple[str, tuple[str, ...]]:
    """`roll-out`, `worm` or `undecided`, with the grounds for it."""
    roll_out: list[str] = []
    worm: list[str] = []
    managed = found.roles.get(ToolRole.DEPLOYMENT, 0) + found.roles.get(ToolRole.PACKAGE_MANAGER, 0)
    if managed * 2 > sum(found.roles.values()):
        roll_out.append("a deployment tool brought it to most hosts")
    if found.signed:
        roll_out.append("it is validly signed")
    if found.proven:
        roll_out.append("its provenance is proven on some hosts")
    if len(found.places) == 1 and found.hosts > 1:
        roll_out.append("it lies at the same place everywhere")
    if len(found.places) > 1:
        worm.append(f"it lies at {len(found.places)} different places")
    if any("temp" in each or "tmp" in each or "downloads" in each for each in found.places):
        worm.append("it was started from a temporary or download folder")
    if not found.signed and not managed:
        worm.append("it is unsigned and no deployment tool brought it")
    if len(found.doublings_s) > 1 and max(found.doublings_s[1:]) <= 2 * max(min(found.doublings_s[1:]), 1.0):
        worm.append("its hosts double at a steady rate")
    if len(found.writers) == 1 and found.hosts > 1:
        roll_out.append("one program wrote it everywhere")
    if len(roll_out) == len(worm):
        return "undecided", (*roll_out, *worm)
    return ("roll-out", tuple(roll_out)) if len(roll_out) > len(worm) else ("worm", tuple(worm))


def facts(reading: Reading, policy: Policy, sha256: str, now: Micros) -> dict[str, object]:
    """The same as plain data for an alert; `reading` is a sentence."""
    found = spread(reading, policy, sha256)
    word, grounds = likelier(found)
    because = f", because {'; '.join(grounds)}" if grounds else ""
    return {
        "reading": f"More likely a {word}{because}." if word != "undecided" else f"Worm or roll-out is open{because}.",
        "likelier": word,
        "grounds": list(grounds),
        "hosts": found.hosts,
        "sites": found.sites,
        "first_host": found.first_host,
        "writers": found.writers,
        "roles": found.roles,
        "places": found.places,
        "doublings_s": list(found.doublings_s),
        "minutes": round((now - found.first) / MINUTE, 1) if found.first else 0,
        "per_hour": round(found.hosts / max((now - found.first) / HOUR, 1 / 60), 1) if found.first else found.hosts,
    }


def by_parent(reading: Reading, tenant: TenantId, pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Host names by the path of the program that started it, for one alert about many executables."""
    grouped: dict[str, list[str]] = {}
    for host_id, key in list(dict.fromkeys(pairs))[:LOOK_AT]:
        starts = reading.find(
            Execution, tenant=tenant, host_id=host_id, order="started", descending=True, limit=LOOK_AT
        )
        start = next((each for each in starts if key in (each.sha256, each.id)), None)
        parent = start.parents[0].path if start is not None and start.parents else NO_PARENT
        host = reading.get(Host, tenant, host_id)
        names = grouped.setdefault(parent, [])
        name = host.name if host is not None else host_id
        if name not in names:
            names.append(name)
    return grouped

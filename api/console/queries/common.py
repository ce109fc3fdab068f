"""What several pages need: the site's zone, hosts by id, what was done about them, and how an executable stands now."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from api import words
from radius_policy.model import (
    Host,
    HostExecutable,
    HostId,
    HostState,
    ListEntry,
    ListKind,
    Micros,
    Order,
    Posture,
    PostureReason,
    Setting,
    TenantId,
    VerdictWord,
)
from radius_policy.store.interface import Reading
from radius_policy.zones import zone

CHUNK = 500
"""So many values stand in one `any of` of a query."""


@dataclass(frozen=True, slots=True)
class HostLine:
    """A host with what was done about it. `tone` is good, warn, bad or quiet."""

    host_id: str
    name: str
    site: str
    user: str
    posture: str
    access: str
    done: str
    tone: str
    since: Micros
    why: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an executable stands now. `open_hosts` have it undecided or denied, `contained` of them by hash only."""

    word: VerdictWord
    text: str
    open_hosts: int = 0
    contained: int = 0


def zone_of(reading: Reading, tenant: TenantId, default: str) -> ZoneInfo:
    """The setting `timezone`, else the configured one."""
    setting = reading.get(Setting, tenant, "timezone")
    return zone(str(setting.value.get("name") or default) if setting else default)


def hosts_by_id(reading: Reading, tenant: TenantId, host_ids: Iterable[str]) -> dict[str, Host]:
    """Those of the hosts that exist."""
    ids = list(dict.fromkeys(host_ids))
    return {
        host.host_id: host
        for begin in range(0, len(ids), CHUNK)
        for host in reading.find(Host, tenant=tenant, host_id=ids[begin : begin + CHUNK])
    }


def host_lines(reading: Reading, tenant: TenantId, host_ids: Collection[str]) -> dict[str, HostLine]:
    """host_id → line, in three queries per 500 hosts."""
    hosts = hosts_by_id(reading, tenant, host_ids)
    states: dict[str, HostState] = {}
    orders: dict[str, list[Order]] = {}
    ids = list(hosts)
    for begin in range(0, len(ids), CHUNK):
        part = reading.find(HostState, tenant=tenant, host_id=ids[begin : begin + CHUNK])
        states.update((state.host_id, state) for state in part)
        for order in reading.find(Order, tenant=tenant, generation=[state.generation for state in part]):
            orders.setdefault(order.host_id, []).append(order)
    return {host_id: _line(host, states.get(host_id), orders.get(host_id, [])) for host_id, host in hosts.items()}


def _line(host: Host, state: HostState | None, orders: list[Order]) -> HostLine:
    done, tone = words.done(state, orders)
    return HostLine(
        host_id=host.host_id,
        name=words.visible(host.name),
        site=words.visible(host.site),
        user=words.visible(host.user),
        posture=str(state.posture) if state else str(Posture.UNMONITORED),
        access=str(state.access) if state else "",
        done=done,
        tone=tone,
        since=state.since if state else host.enrolled_at,
        why=words.visible(state.access_reason.text) if state else "nothing was decided about it yet",
    )


def standings(reading: Reading, tenant: TenantId, shas: Collection[str], now: Micros) -> dict[str, Standing]:
    """sha256 → how it stands now: what people decided about the hash, else what is open, else as last judged."""
    decided: dict[str, ListEntry] = {}
    if shas:
        for entry in reading.find(ListEntry, tenant=tenant, kind=ListKind.HASH, value=list(shas)):
            counts = entry.confirmed and entry.scope == "fleet" and (entry.expires is None or now < entry.expires)
            if counts and (entry.value not in decided or entry.action == "deny"):
                decided[entry.value] = entry
    return {sha: _standing(reading, tenant, sha, decided.get(sha)) for sha in shas}


def _standing(reading: Reading, tenant: TenantId, sha: str, entry: ListEntry | None) -> Standing:
    open_hosts = reading.count(PostureReason, tenant=tenant, key=sha)
    contained = reading.count(PostureReason, tenant=tenant, key=sha, contained=True) if open_hosts else 0
    if entry:
        word = VerdictWord.DENIED if entry.action == "deny" else VerdictWord.ALLOWED
        why = f": {words.visible(entry.why, 300)}" if entry.why else ""
        return Standing(word, f"by {words.visible(entry.author, 100)}{why}", open_hosts, contained)
    if open_hosts:
        [reason] = reading.find(PostureReason, tenant=tenant, key=sha, limit=1)
        word = VerdictWord.DENIED if reason.posture is Posture.COMPROMISED else VerdictWord.UNKNOWN
        return Standing(word, words.visible(reason.reason.text, 300), open_hosts, contained)
    last = reading.find(HostExecutable, tenant=tenant, sha256=sha, order="first", descending=True, limit=1)
    if not last:
        return Standing(VerdictWord.UNKNOWN, "it was not seen on any host")
    return Standing(last[0].verdict, words.visible(f"judged so at its last sighting{_by(last[0].rule)}", 300))


def _by(rule: str) -> str:
    return f" by {rule}" if rule else ""


def host_id_list(records: Iterable[HostExecutable]) -> list[HostId]:
    """The hosts of some sightings, each once."""
    return list(dict.fromkeys(record.host_id for record in records))

"""The fleet as reports need it: host names and sites, and where a host was on the network at a time. Reading only."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from radius_policy.model import (
    Host,
    HostId,
    MacBinding,
    Micros,
    Nas,
    Session,
    Setting,
    TenantId,
)
from radius_policy.store.interface import Reading
from radius_policy.zones import zone

CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Fleet:
    """Name and site of each host; those of one site alone where one is named."""

    names: dict[str, str]
    sites: dict[str, str]

    @classmethod
    def read(cls, reading: Reading, tenant: TenantId, site: str, seen: frozenset[str] | None = None) -> "Fleet":
        """`seen`: the sites that whoever asks may see (None = all)."""
        equals: dict[str, Any] = {"site": site} if site else {}
        rows = reading.pick(Host, ("host_id", "name", "site"), tenant=tenant, **equals)
        mine = [row for row in rows if seen is None or row[2] in seen]
        return cls({row[0]: row[1] for row in mine}, {row[0]: row[2] for row in mine})

    def __contains__(self, host_id: str) -> bool:
        return host_id in self.names

    def named(self, host_ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted({self.names[each] for each in host_ids if each in self.names}))


def site_zone(reading: Reading, tenant: TenantId, site: str, default: str) -> ZoneInfo:
    """The zone of a site: its own in the setting `timezone` (`{"name": …, "sites": {"SITE": …}}`), else the setting's,
    else the configured one."""
    setting = reading.get(Setting, tenant, "timezone")
    value = setting.value if setting is not None else {}
    own = value.get("sites")
    named = own.get(site) if isinstance(own, dict) else None
    return zone(str(named or value.get("name") or default))


def hosts_by_id(reading: Reading, tenant: TenantId, host_ids: Iterable[str]) -> dict[str, Host]:
    ids = sorted(set(host_ids))
    return {
        host.host_id: host
        for start in range(0, len(ids), CHUNK)
        for host in reading.find(Host, tenant=tenant, host_id=[HostId(each) for each in ids[start : start + CHUNK]])
    }


@dataclass(frozen=True, slots=True)
class Place:
    """Where a host was on the network: its MAC, the switch's name and the port, '' where not known."""

    mac: str = ""
    switch: str = ""
    port: str = ""


def places(reading: Reading, tenant: TenantId, at: dict[str, Micros]) -> dict[str, Place]:
    """Where each host was at its time: by the session then, else by the last one begun before, else the MAC alone."""
    ids = sorted(at)
    macs: dict[str, list[MacBinding]] = {}
    for start in range(0, len(ids), CHUNK):
        chunk = [HostId(each) for each in ids[start : start + CHUNK]]
        for binding in reading.find(MacBinding, tenant=tenant, host_id=chunk):
            macs.setdefault(binding.host_id, []).append(binding)
    sessions: dict[str, list[Session]] = {}
    every = sorted({binding.mac for bindings in macs.values() for binding in bindings})
    for start in range(0, len(every), CHUNK):
        for session in reading.find(Session, tenant=tenant, mac=every[start : start + CHUNK]):
            sessions.setdefault(session.mac, []).append(session)
    switches = {nas.nas_id: nas.name or nas.nas_id for nas in reading.find(Nas, tenant=tenant)} if sessions else {}
    return {host_id: _place(macs.get(host_id, []), sessions, switches, moment) for host_id, moment in at.items()}


def _place(
    bindings: list[MacBinding], sessions: dict[str, list[Session]], switches: dict[str, str], at: Micros
) -> Place:
    theirs = [session for binding in bindings for session in sessions.get(binding.mac, [])]
    best = max(theirs, key=lambda one: _fit(one, at), default=None)
    if best is not None:
        return Place(best.mac, switches.get(best.nas_id, best.nas_id), best.port)
    newest = max(bindings, key=lambda one: one.proved_at, default=None)
    return Place(newest.mac) if newest is not None else Place()


def _fit(session: Session, at: Micros) -> tuple[int, Micros]:
    """Sessions that were open then before those begun before then before later ones; the latest begun of them."""
    begun = session.started <= at
    there = begun and (session.ended is None or session.ended >= at)
    return (2 if there else 1 if begun else 0, session.started if begun else -session.started)

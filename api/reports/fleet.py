"""The fleet as reports need it: host names and sites, and the zone that times are told in. Reading only."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from radius_policy.model import Host, HostId, Setting, TenantId
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

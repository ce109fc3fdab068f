"""The fleet as a report sees it: hosts of one site, of those that whoever asks may see, and the site's zone."""

from api.reports.fleet import Fleet, hosts_by_id, site_zone
from radius_policy.model import Host, HostId, Setting, TenantId
from radius_policy.store.memory import MemoryStore

TENANT = TenantId(1)


def store(*records: object) -> MemoryStore:
    made = MemoryStore()
    with made.transaction() as tx:
        tx.put(Host(TENANT, HostId("a"), "anna"), Host(TENANT, HostId("b"), "boris", site="berlin"), *records)
    return made


def test_a_site_and_the_sites_that_somebody_may_see() -> None:
    reading = store().reading()
    assert Fleet.read(reading, TENANT, "").names == {"a": "anna", "b": "boris"}
    assert Fleet.read(reading, TENANT, "berlin").sites == {"b": "berlin"}
    seen = Fleet.read(reading, TENANT, "", frozenset({"main"}))
    assert ("a" in seen, "b" in seen, seen.named(["b", "a"])) == (True, False, ("anna",))
    assert set(hosts_by_id(reading, TENANT, ["b", "b", "none"])) == {"b"}


def test_the_zone_is_the_sites_else_the_settings_else_the_configured_one() -> None:
    assert site_zone(store().reading(), TENANT, "berlin", "UTC").key == "UTC"
    value = {"name": "Europe/Berlin", "sites": {"tokyo": "Asia/Tokyo"}}
    reading = store(Setting(TENANT, "timezone", value, 1, "test", 0)).reading()
    assert [site_zone(reading, TENANT, site, "UTC").key for site in ("berlin", "tokyo")] == [
        "Europe/Berlin",
        "Asia/Tokyo",
    ]

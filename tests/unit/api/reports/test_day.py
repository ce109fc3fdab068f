"""What was new on a day: in the fleet, on a host, at a site, and for whoever asks."""

from typing import Any
from zoneinfo import ZoneInfo

from api.admin.lists import Wish
from api.reports.day import curve, day_report
from api.reports.moments import day_of
from api.reports.values import DayReport, Scope
from radius_policy.model import Execution, ListEntry, ListKind, Setting, TenantId
from tests.unit.api.world import ADMIN, Agent, World, execution

from .test_saturday import DAY, FRIDAY, HOUR, MINUTE, MONDAY, SATURDAY, at

TENANT = TenantId(1)
NEW, OLD, LISTED = "a" * 64, "b" * 64, "c" * 64


def agent(world: World, name: str, number: int, site: str = "main") -> Agent:
    return world.agent(name, mac=f"02:00:00:00:00:{number:02x}", site=site)


def ran(world: World, who: Agent, start: int, sha256: str, **more: Any) -> None:
    world.now = start
    who.tell(execution(world, sha256, **more))


def report(world: World, day: str, site: str = "", seen: frozenset[str] | None = None) -> DayReport:
    scope = Scope(site, ZoneInfo("Europe/Berlin"))
    return world.read(lambda tx: day_report(tx, TENANT, day_of(day), scope, now=MONDAY, seen=seen))


def hashes(report: DayReport) -> list[str]:
    return [each.sha256 for each in report.executables]


def test_known_from_before_and_new_on_a_host_is_a_section_of_its_own(world: World) -> None:
    world.now = FRIDAY - DAY
    anna, boris = agent(world, "anna", 1), agent(world, "boris", 2)
    ran(world, anna, FRIDAY, OLD)
    ran(world, boris, SATURDAY, OLD)
    ran(world, boris, SATURDAY + MINUTE, NEW)
    told = report(world, "2026-11-21")
    assert hashes(told) == [NEW]
    assert [(each.sha256, each.hosts) for each in told.new_here] == [(OLD, ("boris",))]


def test_what_the_confirmed_inventory_allowed_is_not_new_and_what_a_person_allowed_is(world: World) -> None:
    world.now = FRIDAY - DAY
    anna = agent(world, "anna", 1)
    line = ListEntry(
        TENANT, f"inventory-{LISTED}", "allow", ListKind.HASH, LISTED, author="inventory", created=FRIDAY - DAY
    )  # fmt: skip
    world.write(lambda tx: (tx.put(line), tx.note(TENANT, "settings", "lists")))
    world.run(world.desk().decide(ADMIN, Wish("allow", NEW, why="bought it")))
    ran(world, anna, SATURDAY, LISTED)
    ran(world, anna, SATURDAY + MINUTE, NEW)
    told = report(world, "2026-11-21")
    assert [(each.sha256, str(each.verdict_then), each.action) for each in told.executables] == [
        (NEW, "allowed", "allowed")
    ]
    assert told.new_here == ()


def test_the_unknown_come_before_the_allowed_whenever_they_ran(world: World) -> None:
    world.now = FRIDAY - DAY
    anna = agent(world, "anna", 1)
    world.run(world.desk().decide(ADMIN, Wish("allow", OLD, why="bought it")))
    ran(world, anna, SATURDAY, OLD)
    ran(world, anna, SATURDAY + HOUR, NEW, user="CORP\\anna")
    told = report(world, "2026-11-21")
    assert hashes(told) == [NEW, OLD]
    assert told.executables[0].users == ("CORP\\anna",)


def test_a_site_has_its_own_hosts(world: World) -> None:
    world.now = FRIDAY - DAY
    anna, boris = agent(world, "anna", 1, "north"), agent(world, "boris", 2, "south")
    ran(world, anna, SATURDAY, NEW)
    ran(world, boris, SATURDAY + MINUTE, NEW)
    ran(world, boris, SATURDAY + MINUTE, OLD)
    north = report(world, "2026-11-21", "north")
    assert [(each.sha256, each.hosts) for each in north.executables] == [(NEW, ("anna",))]
    south = report(world, "2026-11-21", "south")
    assert {each.sha256: each.hosts for each in south.executables} == {NEW: ("boris",), OLD: ("boris",)}


def test_who_sees_one_site_sees_nothing_of_another(world: World) -> None:
    world.now = FRIDAY - DAY
    anna, boris = agent(world, "anna", 1, "north"), agent(world, "boris", 2, "south")
    ran(world, anna, SATURDAY, NEW, user="CORP\\anna")
    ran(world, boris, SATURDAY + MINUTE, NEW, user="CORP\\boris")
    (told,) = report(world, "2026-11-21", seen=frozenset(("south",))).executables
    assert (told.hosts, told.users) == (("boris",), ("CORP\\boris",))
    assert "anna" not in told.first_host


def test_each_site_has_its_own_midnight(world: World) -> None:
    zones = {"name": "Europe/Berlin", "sites": {"tokyo": "Asia/Tokyo"}}
    world.write(lambda tx: tx.put(Setting(TENANT, "timezone", zones, 1, "test", 0)))
    world.now = FRIDAY - DAY
    ran(world, agent(world, "aiko", 1, "tokyo"), at("20 17:00"), NEW)
    berlin = world.rest("GET", "/v1/reports/day/2026-11-20").json()
    tokyo = world.rest("GET", "/v1/reports/day/2026-11-21?site=tokyo").json()
    assert [one["sha256"] for one in berlin["executables"]] == [NEW]
    assert [one["first_execution"] for one in tokyo["executables"]] == ["2026-11-21T01:00:00+09:00"]
    assert tokyo["timezone"] == "Asia/Tokyo"


def test_a_day_is_the_same_when_it_is_asked_for_again_later(world: World) -> None:
    world.now = FRIDAY - DAY
    anna, boris = agent(world, "anna", 1), agent(world, "boris", 2)
    ran(world, anna, SATURDAY, NEW)
    before = report(world, "2026-11-21")
    ran(world, boris, SATURDAY + DAY, NEW)
    world.run(world.desk().decide(ADMIN, Wish("deny", NEW, why="bad")))
    after = report(world, "2026-11-21")
    assert hashes(after) == hashes(before)
    assert after.executables[0].hosts == before.executables[0].hosts
    assert str(after.executables[0].verdict_then) == "unknown"
    assert (str(after.executables[0].verdict_now), after.executables[0].hosts_now) == ("denied", 2)


def test_the_curve_counts_hosts_by_hour() -> None:
    begin = 1_000 * HOUR
    assert curve([begin, begin + 1, begin + 2 * HOUR], begin, begin + 3 * HOUR) == (2, 2, 3)
    assert curve([begin - 5, begin + 9 * HOUR], begin, begin + 2 * HOUR) == (1, 2), "none is lost at the edges"


def test_the_first_start_is_told_also_when_its_host_repeated_it(world: World) -> None:
    world.now = FRIDAY - DAY
    anna = agent(world, "anna", 1)
    for minutes in (0, 1, 2):
        ran(world, anna, SATURDAY + minutes * MINUTE, NEW)
    (told,) = report(world, "2026-11-21").executables
    assert told.first_execution == SATURDAY
    assert told.last_execution == SATURDAY + 2 * MINUTE
    assert world.read(lambda tx: tx.count(Execution, tenant=TENANT)) == 3

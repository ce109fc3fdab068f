"""Protections, places, trips and containment as starts meet them."""

import pytest

from radius_policy.breaker import FLEET, site_level
from radius_policy.model import Access, BreakerTrip, ParentRef, VerdictWord
from tests.world import HOUR, MINUTE, T, World, sha


@pytest.fixture
def world() -> World:
    return World()


def test_the_fourth_host_is_contained_and_one_urgent_alert_shows_how_it_spread(world: World) -> None:
    decisions = [world.start(host, "N", r"C:\Tools\n.exe") for host in world.hosts(6)]
    assert [each.contained for each in decisions] == [False] * 3 + [True] * 3
    (alert,) = world.events("breaker_tripped")
    assert alert.severity == 2
    assert alert.facts["likelier"] in ("worm", "roll-out", "undecided")
    assert (alert.facts["hosts"], alert.facts["first_host"]) == (4, "pc001")


def test_contained_starts_take_no_place_so_patient_zero_still_finds_one(world: World) -> None:
    for host in world.hosts(30):
        world.start(host, "roll-out")
    assert len(world.places(FLEET)) == 3
    world.host("zero")
    assert world.start("zero", "dropper").moved


def test_three_files_of_one_roll_out_move_three_hosts_in_any_order(world: World) -> None:
    script = world.inventory(r"C:\Windows\System32\wscript.exe", role="interpreter")
    for host in world.hosts(12):
        for file in ("", "Helper", "Service"):
            world.start(host, f"file {file}", rf"C:\Program Files\Lite\Lite{file}.exe", parent=script, writer=script)
    assert len(world.moved()) == 3
    assert all(world.contained(f"file {file}") for file in ("", "Helper", "Service"))


def test_what_strangers_put_into_a_shared_folder_is_not_one_roll_out(world: World) -> None:
    mail = world.inventory(r"C:\Program Files\Office\OUTLOOK.EXE")
    for host in world.hosts(5):
        world.start(host, "spam", rf"C:\Users\{host}\Downloads\a.exe", parent=mail, writer=mail)
    world.host("zero")
    assert world.start("zero", "dropper", r"C:\Users\z\Downloads\b.exe", parent=mail, writer=mail).moved


def test_a_contained_executable_runs_on_where_it_is_allowed(world: World) -> None:
    for host in world.hosts(5):
        world.start(host, "N")
    world.host("special")
    world.allow("N", scope="host:special")
    decision = world.start("special", "N")
    assert (decision.verdict.word, decision.contained) == (VerdictWord.ALLOWED, False)


def test_a_tripped_site_contains_every_unknown_of_that_window_in_one_alert(world: World) -> None:
    hosts = world.hosts(13)
    decisions = [world.start(host, f"hash {host}") for host in hosts]
    assert [each.moved for each in decisions] == [True] * 10 + [False] * 3
    assert all(world.contained(f"hash {host}") for host in hosts)
    assert len(world.events("breaker_tripped")) == 1
    assert len(world.store.reading().find(BreakerTrip, tenant=T, level=site_level("main"))) == 1
    assert [each.alert for each in decisions[10:]] == [False] * 3


def test_unknowns_first_seen_after_the_window_count_anew(world: World) -> None:
    for host in world.hosts(12):
        world.start(host, f"hash {host}")
    world.later(11 * MINUTE)
    world.host("after")
    assert world.start("after", "new one").moved
    world.host("old")
    assert world.start("old", "hash pc003").contained


def test_another_site_is_not_touched_by_a_sites_trip(world: World) -> None:
    for host in world.hosts(12, site="berlin"):
        world.start(host, f"hash {host}")
    world.host("paris1", site="paris")
    assert world.start("paris1", "M").moved


def test_a_protected_host_is_alerted_once_and_its_start_contained_on_it_alone(world: World) -> None:
    world.host("server", never_quarantine=True), world.host("pc")
    first, again = world.start("server", "N"), world.start("server", "N")
    assert (first.contained, again.contained) == (True, True)
    assert len(world.events("protected")) == 1
    assert not world.contained("N")
    assert world.start("pc", "N").moved


def test_a_denied_program_on_a_protected_host_is_refused_and_it_stays(world: World) -> None:
    world.host("server", never_quarantine=True)
    world.deny("D")
    assert world.start("server", "D").held.value == "refused"
    world.start("server", "D", held=False)
    assert world.access("server") is Access.PRODUCTION


def test_a_program_in_the_chain_of_a_denied_run_is_contained_at_once(world: World) -> None:
    world.host("a"), world.host("b")
    world.start("a", "X", r"C:\x\x.exe", held=False)
    world.deny("child")
    x = ParentRef(r"C:\x\x.exe", sha("X"))
    world.start("a", "child", r"C:\x\c.exe", parent=x, held=False)
    assert world.contained("X")
    later = world.start("b", "X", r"C:\x\x.exe")
    assert (later.contained, later.moved) == (True, False)
    (alert,) = world.events("tied")
    assert alert.severity == 2


def test_an_allowed_parent_of_a_denied_run_is_not_tied(world: World) -> None:
    shell = world.inventory(r"C:\Windows\explorer.exe")
    world.host("a")
    world.deny("child")
    world.start("a", "child", parent=shell, held=False)
    assert world.events("tied") == []


def test_a_trip_survives_hours_and_restarts_until_somebody_decides(world: World) -> None:
    for host in world.hosts(4):
        world.start(host, "N")
    world.later(100 * HOUR)
    world.host("late")
    assert world.start("late", "N").contained

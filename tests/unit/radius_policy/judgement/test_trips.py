"""A trip as people meet it: what it contains, whether it waits, whom a quarantine of all would touch."""

import pytest

from radius_policy.judgement.trips import Trip, answer, open_on, ran_on, trip_of, trips, would_stay
from radius_policy.model import VerdictWord
from tests.world import CASES, MINUTE, T, World, sha


def tripped(**settings: object) -> World:
    """Five hosts ran it, three of them were moved, two are contained."""
    world = World(**settings)  # type: ignore[arg-type]
    for host in world.hosts(5):
        world.start(host, "N", held=False)
    return world


def wide(**settings: object) -> World:
    """Every victim has its own hash: ten are moved, then the site's limit contains all of them and the last four."""
    world = World(**settings)  # type: ignore[arg-type]
    word = world.inventory(r"C:\Program Files\Office\WINWORD.EXE")
    for n, host in enumerate(world.hosts(14)):
        world.start(host, f"unique {n}", parent=word, held=False)
    return world


def all_of(world: World, *, every: bool = False) -> list[Trip]:
    return trips(world.store.reading(), T, world.now, every=every)


def said(world: World, word: str, author: str = "ann") -> None:
    [trip] = all_of(world)
    with world.store.transaction() as tx:
        answer(tx, trip, word, author=author, now=world.now)


def test_a_trip_of_one_executable_waits_for_an_answer() -> None:
    world = tripped()
    [trip] = all_of(world)
    assert (trip.wide, trip.topic, trip.shas) == (False, sha("N"), (sha("N"),))
    assert trip.waits
    [event] = world.events("breaker_tripped")
    assert event.facts["trip"] == trip.id
    assert trip_of(world.store.reading(), T, str(event.facts["level"]), event.at, world.now) == trip


def test_a_wide_trip_is_one_with_all_that_it_contains() -> None:
    world = wide()
    [trip] = all_of(world)
    assert (trip.wide, trip.topic, len(trip.contained)) == (True, "site:main", 14)
    assert len(world.events("breaker_tripped")) == 1


@pytest.mark.parametrize(("deed", "word"), [("allow", VerdictWord.ALLOWED), ("deny", VerdictWord.DENIED)])
def test_what_a_list_decides_waits_no_longer(deed: str, word: VerdictWord) -> None:
    world = tripped()
    getattr(world, deed)("N")
    assert all_of(world) == []
    [trip] = all_of(world, every=True)
    assert trip.contained[0].decided is word


def test_a_wide_trip_waits_until_the_last_of_it_is_decided() -> None:
    world = wide()
    for n in range(13):
        world.allow(f"unique {n}")
    [trip] = all_of(world)
    assert trip.shas == (sha("unique 13"),)
    world.deny("unique 13")
    assert all_of(world) == []


def test_what_was_answered_waits_no_longer_but_is_not_decided() -> None:
    world = wide()
    said(world, "keep")
    assert all_of(world) == []
    [trip] = all_of(world, every=True)
    assert (trip.head.answer, trip.head.answered_by, len(trip.undecided)) == ("keep", "ann", 14)


def test_an_unknown_that_joins_an_answered_trip_waits_anew() -> None:
    world = wide()
    said(world, "keep")
    world.start(world.host("late"), "unique late", held=False)
    [trip] = all_of(world)
    assert [each.key for each in trip.contained if each.waits] == [sha("unique late")]


def test_the_end_of_its_window_ends_no_trip() -> None:
    world = wide()
    world.later(11 * MINUTE)
    world.start(world.host("afterwards"), "unique afterwards", held=False)
    [trip] = all_of(world)
    assert trip.head.ended is not None
    assert (trip.topic, len(trip.contained)) == ("site:main", 14)


def test_who_ran_it_is_not_who_was_refused_it() -> None:
    world = tripped()
    world.start(world.host("refused"), "N", held=True)
    [trip] = all_of(world)
    reading = world.store.reading()
    assert ran_on(reading, T, trip.contained) == ["pc001", "pc002", "pc003", "pc004", "pc005"]
    assert len(open_on(reading, T, trip.contained)) == 6


def test_a_quarantine_of_all_would_spare_the_protected_and_the_last_of_a_group() -> None:
    world = World(limits={**CASES, "executable": {"number": 0}}, groups={"tills": {"min_available": 1}})
    tills = [world.host(name, groups=("tills",)) for name in ("till1", "till2")]
    server = world.host("server", never_quarantine=True)
    for host in (*tills, server):
        world.start(host, "N", held=False)
    stay = would_stay(world.store.reading(), T, [*tills, server], now=world.now, policy=world.policy)
    assert {host: reason.level for host, reason in stay.items()} == {
        "till2": "min-available",
        "server": "never-quarantine",
    }
    assert "group 'tills' would fall below its minimum" in stay["till2"].text
    with world.store.transaction() as tx:
        from radius_policy.judgement import Refused, quarantine

        quarantine(tx, T, tills[0], now=world.now, policy=world.policy)
        with pytest.raises(Refused, match="below its minimum"):
            quarantine(tx, T, tills[1], now=world.now, policy=world.policy)


def family_tripped() -> World:
    """Native images of one unknown assembly: another hash on every host, one family."""
    world = World()
    ngen = world.inventory(r"C:\Windows\Microsoft.NET\mscorsvw.exe", role="compiler", makes="native-image")
    folder = r"C:\Windows\assembly\NativeImages_v4.0.30319_64\Forms\{:08x}\Forms.ni.exe"
    for n, host in enumerate(world.hosts(5)):
        world.start(host, f"image {n}", folder.format(n), writer=ngen, made_from=(sha("assembly"),), held=False)
    return world


def test_a_family_is_one_line_and_its_trip_ends_when_all_of_it_is_allowed() -> None:
    world = family_tripped()
    assert len(world.moved()) == 3
    [trip] = all_of(world)
    [family] = trip.contained
    assert set(family.shas) == {sha(f"image {n}") for n in range(5)}
    assert len(ran_on(world.store.reading(), T, trip.contained)) == 5
    for n in range(4):
        world.allow(f"image {n}")
    assert [each.head.ended for each in all_of(world)] == [None]
    world.allow("image 4")
    assert all_of(world) == []
    assert [each.head.ended is None for each in all_of(world, every=True)] == [False]

"""A trip and its answer: quarantine all, nobody there, and graces that end undecided."""

import pytest

from radius_policy.judgement.trips import Due, due, quarantine_all
from radius_policy.model import Access
from tests.world import DAY, MINUTE, T, World, sha


def look(world: World) -> Due:
    with world.store.transaction() as tx:
        return due(tx, T, now=world.now, policy=world.policy)


def tripped(**settings: object) -> World:
    """Five hosts ran it, three of them were moved, two are contained."""
    world = World(**settings)  # type: ignore[arg-type]
    for host in world.hosts(5):
        world.start(host, "N", held=False)
    return world


def test_quarantine_all_moves_those_who_ran_it_and_spares_the_protected() -> None:
    world = tripped(groups={"tills": {"min_available": 1}})
    world.host("refused")
    world.start("refused", "N", held=True)
    world.host("server", never_quarantine=True)
    world.start("server", "N", held=False)
    world.host("till", groups=("tills",))
    world.start("till", "N", held=False)
    with world.store.transaction() as tx:
        done = quarantine_all(tx, T, sha("N"), now=world.now, policy=world.policy, author="ann")
    assert done.moved == ("pc001", "pc002", "pc003", "pc004", "pc005")
    assert [(host, reason.level) for host, reason in done.spared] == [
        ("server", "never-quarantine"),
        ("till", "min-available"),
    ]
    assert world.access("refused") is Access.PRODUCTION


def test_an_unanswered_trip_keeps_everything_by_default() -> None:
    world = tripped()
    world.later(31 * MINUTE)
    assert look(world) == Due()
    assert len(world.moved()) == 3


def test_the_sites_choice_is_carried_out_once_and_told() -> None:
    world = tripped(trips={"minutes": 30, "choice": "release"})
    assert look(world) == Due()
    world.later(31 * MINUTE)
    assert look(world).hosts == ("pc001", "pc002", "pc003")
    assert look(world) == Due()
    assert len(world.events("trip_unanswered")) == 1


@pytest.mark.parametrize(("choice", "moved"), [("release", 0), ("quarantine", 5), ("keep", 3)])
def test_the_sites_choice_applies_when_nobody_answers(choice: str, moved: int) -> None:
    world = tripped(trips={"minutes": 5, "choice": "keep", "sites": {"main": choice}})
    world.later(6 * MINUTE)
    look(world)
    assert len(world.moved()) == moved


def test_a_pause_stops_the_sites_quarantine() -> None:
    world = tripped(trips={"minutes": 5, "choice": "quarantine"})
    world.pause()
    world.later(6 * MINUTE)
    look(world)
    assert world.moved() == []


@pytest.mark.parametrize("answer", ["allow", "deny"])
def test_an_answered_trip_needs_no_choice(answer: str) -> None:
    world = tripped(trips={"minutes": 5, "choice": "quarantine"})
    world.allow("N") if answer == "allow" else world.deny("N")
    world.later(DAY)
    assert look(world).hosts == ()


def test_a_new_reason_ends_the_sites_release() -> None:
    world = tripped(trips={"minutes": 5, "choice": "release"})
    world.later(6 * MINUTE)
    look(world)
    assert world.moved() == []
    assert world.start("pc001", "other").verdict.word == "unknown"
    assert world.moved() == ["pc001"]


def test_an_undecided_grace_that_ends_is_one_alert_and_moves_nobody() -> None:
    world = World()
    ld = world.inventory("/usr/bin/ld", role="compiler")
    world.host("dev", role="build")
    world.start("dev", "mine", "/home/ann/a.out", writer=ld)
    world.later(720 * 60 * MINUTE)
    assert look(world).graces == (sha("mine"),)
    assert look(world).graces == ()
    assert [event.severity for event in world.events("grace_ended")] == [1]
    assert world.moved() == []


def test_a_grace_that_was_decided_ends_silently() -> None:
    world = World()
    ld = world.inventory("/usr/bin/ld", role="compiler")
    world.host("dev", role="build")
    world.start("dev", "mine", "/home/ann/a.out", writer=ld)
    world.allow("mine")
    world.later(720 * 60 * MINUTE)
    assert look(world).graces == ()


def test_the_settings_of_trips_are_checked() -> None:
    from radius_policy.judgement.policy import checked

    with pytest.raises(ValueError, match="choice is keep, release or quarantine"):
        checked("trips", {"choice": "panic"})
    with pytest.raises(ValueError, match="minutes is a number above 0"):
        checked("trips", {"minutes": 0})

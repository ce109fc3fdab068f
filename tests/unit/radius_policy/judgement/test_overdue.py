"""What time alone brings: a trip that nobody answers, and graces that end undecided."""

import pytest

from radius_policy.judgement.overdue import Due, due, look
from radius_policy.judgement.trips import answer, trips
from radius_policy.model import HostState, Setting, Severity
from tests.unit.radius_policy.judgement.test_trips import family_tripped, tripped, wide
from tests.world import DAY, HOUR, MINUTE, T, World, sha


def looked(world: World) -> Due:
    with world.store.transaction() as tx:
        return due(tx, T, now=world.now, policy=world.policy)


def test_nothing_is_due_before_its_time() -> None:
    world = tripped(trips={"minutes": 30, "choice": "release"})
    assert not look(world.store.reading(), T, now=world.now)
    assert looked(world) == Due()
    world.later(31 * MINUTE)
    assert look(world.store.reading(), T, now=world.now)


def test_an_unanswered_trip_keeps_everything_by_default_and_somebody_is_still_needed() -> None:
    world = tripped()
    world.later(31 * MINUTE)
    assert looked(world).hosts == ()
    assert looked(world) == Due()
    assert len(world.moved()) == 3
    [event] = world.events("trip_unanswered")
    assert (event.severity, event.topic, event.facts["choices"]) == (Severity.URGENT, sha("N"), ["keep"])
    assert "nobody answered for 30 minutes" in event.text
    assert not look(world.store.reading(), T, now=world.now)


@pytest.mark.parametrize(("choice", "moved"), [("release", 0), ("quarantine", 5), ("keep", 3)])
def test_the_sites_choice_applies_once_when_nobody_answers(choice: str, moved: int) -> None:
    world = tripped(trips={"minutes": 5, "choice": "keep", "sites": {"main": choice}})
    world.later(6 * MINUTE)
    assert len(looked(world).trips) == 1
    assert looked(world) == Due()
    assert len(world.moved()) == moved
    assert len(world.events("trip_unanswered")) == 1


def test_the_choice_is_an_order_by_the_site() -> None:
    world = tripped(trips={"minutes": 5, "choice": "quarantine"})
    world.later(6 * MINUTE)
    looked(world)
    state = world.store.reading().get(HostState, T, "pc005")
    assert state is not None
    assert (state.ordered, state.ordered_by, state.access_reason.level) == ("quarantine", "site", "ordered")


def test_whom_the_site_quarantined_an_allow_frees() -> None:
    world = tripped(trips={"minutes": 5, "choice": "quarantine"})
    world.start("pc005", "other", held=False)
    world.later(6 * MINUTE)
    looked(world)
    assert len(world.moved()) == 5
    world.allow("N")
    assert world.moved() == ["pc005"]
    world.allow("other")
    assert world.moved() == []


def test_the_sites_quarantine_moves_only_those_who_ran_it_and_spares_the_protected() -> None:
    world = tripped(trips={"minutes": 5, "choice": "quarantine"})
    world.start(world.host("refused"), "N", held=True)
    world.start(world.host("server", never_quarantine=True), "N", held=False)
    world.later(6 * MINUTE)
    looked(world)
    assert world.moved() == ["pc001", "pc002", "pc003", "pc004", "pc005"]
    [event] = world.events("trip_unanswered")
    assert "server" in str(event.facts["spared"])
    assert "1 stayed because they are protected" in event.text


def test_a_pause_puts_the_sites_quarantine_off_until_it_is_lifted() -> None:
    world = tripped(trips={"minutes": 5, "choice": "quarantine"})
    world.pause()
    world.later(6 * MINUTE)
    assert looked(world) == Due()
    assert world.moved() == []
    assert world.events("trip_unanswered") == []
    world.pause(False)
    assert looked(world).hosts == ("pc004", "pc005")
    assert len(world.moved()) == 5


def test_a_site_releases_nobody_whom_another_reason_keeps_moved() -> None:
    world = tripped(trips={"minutes": 5, "choice": "release"})
    world.start("pc001", "other", held=False)
    world.later(6 * MINUTE)
    assert looked(world).hosts == ("pc002", "pc003")
    assert world.moved() == ["pc001"]


@pytest.mark.parametrize("said", ["allow", "deny", "keep"])
def test_an_answered_trip_needs_no_choice(said: str) -> None:
    world = tripped(trips={"minutes": 5, "choice": "quarantine"})
    if said == "keep":
        with world.store.transaction() as tx:
            answer(tx, trips(tx, T, world.now)[0], "keep", author="ann", now=world.now)
    else:
        getattr(world, said)("N")
    world.later(DAY)
    assert not look(world.store.reading(), T, now=world.now)
    assert looked(world) == Due()


def test_a_wide_trip_gets_the_choice_for_all_that_it_contains_in_one_alert() -> None:
    world = wide(trips={"minutes": 5, "choice": "release"})
    assert len(world.moved()) == 10
    world.later(6 * MINUTE)
    assert len(looked(world).hosts) == 10
    [event] = world.events("trip_unanswered")
    assert (event.topic, event.site, event.facts["hosts"]) == ("site:main", "main", 14)
    assert looked(world) == Due()


def test_a_family_gets_the_choice_as_one() -> None:
    world = family_tripped()
    world.put(Setting(T, "trips", {"minutes": 5, "choice": "quarantine"}, 1, "test", world.now))
    world.later(6 * MINUTE)
    assert looked(world).hosts == ("pc004", "pc005")
    assert len(world.events("trip_unanswered")) == 1


def test_a_new_reason_ends_the_sites_release() -> None:
    world = tripped(trips={"minutes": 5, "choice": "release"})
    world.later(6 * MINUTE)
    looked(world)
    assert world.moved() == []
    assert world.start("pc001", "other").verdict.word == "unknown"
    assert world.moved() == ["pc001"]


def graced(world: World) -> None:
    """A build machine's own program: 720 hours of grace."""
    ld = world.inventory("/usr/bin/ld", role="compiler")
    world.host("dev", role="build")
    world.start("dev", "mine", "/home/ann/a.out", writer=ld)


def test_a_grace_is_told_a_day_before_it_ends_undecided_and_once_more_after_it() -> None:
    world = World()
    graced(world)
    world.later(695 * HOUR)
    assert looked(world) == Due()
    world.later(2 * HOUR)
    assert looked(world).ending == (sha("mine"),)
    assert looked(world) == Due()
    [event] = world.events("grace_ending")
    assert (event.severity, event.sha256, event.facts["rule"]) == (Severity.WARNING, sha("mine"), "build-machine")
    assert "(1 host) by rule build-machine ends in 23 hours and nobody has decided" in event.text
    world.later(24 * HOUR)
    assert looked(world).graces == (sha("mine"),)
    assert looked(world).graces == ()
    assert [event.severity for event in world.events("grace_ended")] == [Severity.WARNING]
    assert world.moved() == []


def test_graces_that_end_on_one_day_are_told_in_two_warnings_at_most_and_none_too_late() -> None:
    world = World()
    ld = world.inventory("/usr/bin/ld", role="compiler")
    world.host("dev", role="build")
    for n in range(12):
        world.start("dev", f"mine {n}", f"/home/ann/{n}.out", writer=ld)
        world.later(HOUR)
    world.later(684 * HOUR)
    for _ in range(24 * 4):
        looked(world)
        world.later(HOUR // 4)
    warnings = world.events("grace_ending")
    assert len(warnings) == 2
    told = [warnings[0].sha256, *warnings[1].facts["sha256s"]]  # type: ignore[misc]
    assert sorted(told) == sorted(sha(f"mine {n}") for n in range(12))
    assert "11 graces end within a day" in warnings[1].text
    assert "and 1 more" in warnings[1].text


def test_a_grace_that_was_decided_ends_silently() -> None:
    world = World()
    graced(world)
    world.allow("mine")
    for _ in range(2):
        world.later(700 * HOUR)
        assert looked(world) == Due()


def test_the_settings_of_trips_are_checked() -> None:
    from radius_policy.judgement.policy import checked

    with pytest.raises(ValueError, match="choice is keep, release or quarantine"):
        checked("trips", {"choice": "panic"})
    with pytest.raises(ValueError, match="minutes is a number above 0"):
        checked("trips", {"minutes": 0})

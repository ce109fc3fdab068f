"""What people decide about hosts and modes: clear, quarantine, release, pause, and leaving learn with a preview."""

import pytest

from radius_policy import judgement
from radius_policy.judgement import Refused
from radius_policy.model import Access, HostId, Posture
from tests.world import DAY, HOUR, MINUTE, T, World, sha


@pytest.fixture
def world() -> World:
    return World()


def test_a_quarantine_stands_until_it_is_withdrawn_whatever_the_mode() -> None:
    world = World("monitor")
    world.host("pc")
    assert world.quarantine("pc").access is Access.REMEDIATION
    world.pause()
    assert world.access("pc") is Access.REMEDIATION
    world.clear("pc")
    assert world.access("pc") is Access.REMEDIATION
    with world.store.transaction() as tx:
        state = judgement.withdraw(tx, T, HostId("pc"), now=world.now, policy=world.policy)
    assert state.access is Access.PRODUCTION


def test_a_quarantine_of_a_protected_host_is_refused_with_its_reason_and_changes_nothing(world: World) -> None:
    world.host("printer", never_quarantine=True)
    with pytest.raises(Refused, match="never-quarantine list"):
        world.quarantine("printer")
    assert world.state("printer").ordered == ""


def test_a_quarantine_of_the_last_of_a_group_is_refused_and_a_release_acts() -> None:
    world = World(groups={"tills": {"min_available": 1}})
    world.host("till1", groups=("tills",)), world.host("till2", groups=("tills",))
    world.quarantine("till1")
    with pytest.raises(Refused, match="would fall below its minimum"):
        world.quarantine("till2")
    assert world.release("till1").access is Access.PRODUCTION


def test_a_release_holds_until_there_is_a_new_reason(world: World) -> None:
    world.host("pc")
    world.start("pc", "N")
    assert world.release("pc").access is Access.PRODUCTION
    assert world.posture("pc") is Posture.POTENTIAL_PROBLEM
    world.start("pc", "M")
    assert world.access("pc") is Access.REMEDIATION


def test_a_clear_ends_older_reasons_and_a_later_start_is_a_new_one(world: World) -> None:
    world.host("pc")
    world.start("pc", "N")
    assert world.clear("pc").posture is Posture.HEALTHY
    world.later(MINUTE)
    assert world.start("pc", "N").moved


def test_a_pause_stops_moves_at_once_and_lifting_it_decides_anew_within_the_breaker(world: World) -> None:
    hosts = world.hosts(5)
    world.pause()
    for host in hosts:
        assert not world.start(host, "N").moved
    assert world.places("fleet") == set()
    moved = world.pause(False)
    assert len(moved) == 3
    assert world.contained("N")


def test_orders_of_people_pass_the_pause(world: World) -> None:
    world.host("pc")
    world.pause()
    assert world.quarantine("pc").access is Access.REMEDIATION


def test_switching_to_enforce_moves_undecided_unknowns_up_to_the_breaker() -> None:
    world = World("monitor")
    hosts = world.hosts(5)
    for host in hosts:
        world.start(host, "N", held=False)
    with world.store.transaction() as tx:
        plan = judgement.preview_mode(tx, T, {"default": "enforce"}, now=world.now, policy=world.policy)
    assert (len(plan.moves), len(plan.contained)) == (3, 2)
    assert world.moved() == []
    world.mode("enforce")
    assert world.moved() == sorted(plan.moves)


def test_switching_back_keeps_moved_hosts_and_lists_them(world: World) -> None:
    world.host("pc")
    world.start("pc", "N")
    _told_the_network(world)
    assert world.mode("monitor").stay == ("pc",)
    assert world.access("pc") is Access.REMEDIATION
    world.allow("N")
    assert world.access("pc") is Access.PRODUCTION


def _told_the_network(world: World) -> None:
    """The order to remediation was sent and confirmed."""
    from dataclasses import replace

    from radius_policy.model import OrderState

    world.put(*(replace(order, state=OrderState.CONFIRMED, datagram=b"coa") for order in world.orders()))


def test_a_wrong_mode_is_refused_with_a_sentence(world: World) -> None:
    with pytest.raises(ValueError, match="'enfroce' is no mode; there are learn, monitor, enforce"):
        world.mode("enfroce")


def test_silence_is_unmonitored_and_evidence_ends_it(world: World) -> None:
    world.host("pc")
    with world.store.transaction() as tx:
        state = judgement.mark_silent(tx, T, HostId("pc"), world.now, now=world.now + HOUR, policy=world.policy)
        assert (state.posture, state.access) == (Posture.UNMONITORED, Access.PRODUCTION)
        again = judgement.mark_silent(tx, T, HostId("pc"), world.now, now=world.now + HOUR, policy=world.policy)
        assert again == state
        heard = judgement.forget_silence(tx, T, HostId("pc"), now=world.now + HOUR, policy=world.policy)
        assert heard is not None
        assert heard.posture is Posture.HEALTHY
        assert judgement.forget_silence(tx, T, HostId("pc"), now=world.now, policy=world.policy) is None
    assert len(world.events("agent_silent")) == 1


def test_where_silence_means_remediation_it_takes_breaker_places() -> None:
    world = World(unmonitored={"access": "remediation"}, limits={"site": {"number": 2, "percent": 100}})
    for host in world.hosts(4):
        with world.store.transaction() as tx:
            judgement.mark_silent(tx, T, host, world.now, now=world.now + HOUR, policy=world.policy)
    assert len(world.moved()) == 2


def test_confirmed_lines_count_for_the_fleet_and_the_others_for_nobody() -> None:
    world = World("learn")
    for host in world.hosts(5):
        world.start(host, "office", held=False)
    world.start("pc001", "rare", held=False)
    world.later(DAY)
    plan = world.mode("enforce")
    assert {line for line, _ in plan.confirmed} == {sha("office")}
    world.host("new")
    assert not world.start("new", "office").moved
    assert world.moved() == ["pc001"]

"""One start on its way from the verdict to its host's access: what is opened, told, remembered and kept back."""

import pytest

from radius_policy.held import Held
from radius_policy.model import (
    Execution,
    HostExecutable,
    HostId,
    ListEntry,
    Outcome,
    Posture,
    Severity,
    VerdictWord,
)
from tests.world import DAY, T, World, sha


@pytest.fixture
def world() -> World:
    world = World()
    world.host("pc")
    return world


def on_pc(world: World, what: str = "N") -> HostExecutable:
    known = world.store.reading().get(HostExecutable, T, HostId("pc"), sha(what))
    assert known is not None
    return known


def test_the_first_of_an_executable_is_a_warning_and_the_rest_join_it(world: World) -> None:
    world.start("pc", "N")
    for host in world.hosts(4):
        world.start(host, "N")
    severities = [event.severity for event in world.events("unknown_ran")]
    assert severities == [Severity.WARNING] * 3 + [Severity.INFO] * 2
    assert {event.topic for event in world.events("unknown_ran")} == {sha("N")}


def test_in_learn_a_start_becomes_an_unconfirmed_line_and_nobody_is_mailed() -> None:
    world = World("learn")
    world.host("pc")
    world.start("pc", "N", held=False)
    (line,) = world.store.reading().find(ListEntry, tenant=T)
    assert (line.value, line.scope, line.confirmed, line.author) == (sha("N"), "fleet", False, "inventory")
    assert world.loud() == []


def test_a_start_that_is_refused_did_not_run_and_one_that_waits_for_the_move_did(world: World) -> None:
    assert world.start("pc", "N", held=True).held is Held.WAIT_FOR_MOVE
    assert on_pc(world).ran
    for host in world.hosts(3):
        world.start(host, "N")
    refused = world.start(world.host("later"), "N", held=True)
    assert refused.held is Held.REFUSE_AT_DEADLINE
    known = world.store.reading().get(HostExecutable, T, HostId("later"), sha("N"))
    assert known is not None
    assert not known.ran


def test_starts_are_counted_and_dated_by_their_own_time(world: World) -> None:
    first = world.start("pc", "N")
    world.start("pc", "N", began=world.now - DAY)
    known = on_pc(world)
    assert first.sighting
    assert (known.starts, known.last - known.first >= DAY) == (2, True)


def test_an_unknown_that_becomes_proven_on_its_host_is_a_reason_no_more(world: World) -> None:
    world.start("pc", "N", "/usr/bin/n")
    world.host("other")
    assert world.posture("pc") is Posture.POTENTIAL_PROBLEM
    world.allow("N", scope="host:pc")
    assert world.posture("pc") is Posture.HEALTHY


def test_a_site_without_network_for_unknowns_asks_for_the_cut_too() -> None:
    world = World(unknown_network={"default": "off"})
    world.host("pc")
    decision = world.start("pc", "N")
    assert decision.verdict.outcomes == {Outcome.MOVE, Outcome.CUT}
    (reason,) = world.reasons("pc")
    assert set(reason.outcomes) == {Outcome.MOVE, Outcome.CUT}


def test_what_was_decided_then_is_kept_with_the_start(world: World) -> None:
    world.start("pc", "N", id="then-0001")
    world.allow("N")
    known = world.store.reading().get(Execution, T, "then-0001")
    assert known is not None
    assert (known.verdict, known.reason.level) == (VerdictWord.UNKNOWN, "unknown")
    assert world.start("pc", "N", id="then-0001").verdict.word is VerdictWord.UNKNOWN

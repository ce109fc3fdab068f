"""Why: chains of reasons that a person can follow, with the conditions that failed and by how much."""

import pytest

from radius_policy.judgement.explain import NothingKnown, why
from tests.world import DAY, HOUR, World, sha


@pytest.fixture
def world() -> World:
    world = World()
    world.host("pc")
    world.start("pc", "N", r"C:\Users\ann\Downloads\n.exe", user="ann")
    return world


def told(world: World, subject: str, at: int | None = None) -> str:
    return why(world.store.reading(), world.policy, subject, now=world.now, at=at).words()


def test_a_moved_host_is_explained_from_its_access_down_to_the_rules_that_missed(world: World) -> None:
    words = told(world, "pc")
    assert "access: remediation" in words
    assert "access row 6, move-outstanding" in words
    assert "posture: potential_problem" in words
    assert r"C:\Users\ann\Downloads\n.exe on pc by ann" in words
    assert "same-signer-new-version misses: signer.state is valid: is missing" in words
    assert "move: to remediation" in words


def test_an_executable_is_found_by_eight_digits_and_says_where_it_ran(world: World) -> None:
    words = told(world, sha("N")[:8])
    assert "first on pc" in words
    assert "prevalence: 1 hosts" in words


def test_a_listed_executable_names_who_listed_it_and_why(world: World) -> None:
    world.allow("N", why="ticket 4711")
    assert "list: allow by ann for fleet: ticket 4711" in told(world, sha("N"))


def test_a_decision_of_the_past_is_told_as_it_was_made(world: World) -> None:
    moved = world.now
    world.later(DAY)
    world.allow("N")
    assert "access: production" in told(world, "pc")
    past = told(world, "pc", moved + HOUR)
    assert "moves from production to remediation" in past
    assert "unknown under rules" in past


def test_what_nobody_knows_is_said(world: World) -> None:
    with pytest.raises(NothingKnown, match="no host's name"):
        told(world, "nobody")
    with pytest.raises(NothingKnown, match="no endpoint ever started"):
        told(world, "f" * 64)


def test_the_same_chain_is_there_as_data(world: World) -> None:
    data = why(world.store.reading(), world.policy, "pc", now=world.now).as_json()
    assert data["steps"][0]["kind"] == "access"
    assert data["steps"][0]["facts"]["access"] == "remediation"

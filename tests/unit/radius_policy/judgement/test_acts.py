"""What a judged start asks of the agent on its host."""

import pytest

from radius_policy.judgement import acts
from radius_policy.judgement.standing import Desk, desk_for
from radius_policy.model import Outcome
from tests.world import T, World

BOTH = frozenset({Outcome.CUT, Outcome.ISOLATE})


def desk(world: World, name: str = "pc") -> Desk:
    with world.store.transaction() as tx:
        return desk_for(tx, T, name, now=world.now, policy=world.policy)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["learn", "monitor"])
def test_before_enforce_nothing_is_asked(mode: str) -> None:
    world = World(mode)
    world.host("pc")
    assert acts.of(desk(world), BOTH) == acts.NOTHING


def test_in_enforce_what_an_agent_can_carry_out_is_asked_and_nothing_else() -> None:
    world = World()
    world.host("pc")
    assert acts.of(desk(world), BOTH | {Outcome.MOVE, Outcome.ALERT}) == BOTH
    assert acts.of(desk(world), frozenset({Outcome.MOVE})) == acts.NOTHING


def test_a_protected_host_the_last_of_a_group_and_a_pause_are_isolated_by_nobody_but_the_program_is_cut() -> None:
    world = World(groups={"tills": {"min_available": 1}})
    world.host("server", never_quarantine=True)
    world.host("till", groups=("tills",))
    world.host("pc")
    for name in ("server", "till"):
        assert acts.of(desk(world, name), BOTH) == {Outcome.CUT}
    world.pause()
    assert acts.of(desk(world), BOTH) == {Outcome.CUT}


def test_what_is_asked_is_said() -> None:
    assert acts.said(BOTH) == "; its agent is asked to cut its network; its agent is asked to isolate the host"
    assert acts.said(acts.NOTHING) == ""

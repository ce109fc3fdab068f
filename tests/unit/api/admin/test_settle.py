"""Decisions that touch many hosts are carried out in batches."""

import pytest

from api.admin import settle as module
from api.admin.lists import Wish
from tests.unit.api.world import ADMIN, World, execution


def test_a_decision_about_many_hosts_is_cut_into_batches_and_reaches_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    always_three = module.Pace(3, 3, 3)
    monkeypatch.setattr(module, "Pace", lambda: always_three)
    agents = [world.agent(f"desk-{n}", f"02:00:00:00:01:{n:02x}") for n in range(10)]
    for agent in agents:
        agent.tell(execution(world))
    rings: list[int] = []
    monkeypatch.setattr(type(world.service), "ring", lambda _: rings.append(1))
    _, settled = world.run(world.desk().decide(ADMIN, Wish("allow", "a" * 64)))
    assert settled.hosts == 10
    assert settled.asked == 10
    assert len(rings) >= 4
    for agent in agents:
        assert [order.action for order in agent.beat().orders] == ["forget"]


def test_settling_nothing_does_nothing(world: World) -> None:
    done = world.run(
        module.settle(world.store, 1, [], policies=world.service.policies, clock=lambda: world.now, rung=lambda: None)
    )
    assert (done.hosts, done.moved, done.released, done.asked) == (0, [], [], 0)


def test_settling_again_changes_nothing(world: World) -> None:
    agent = world.agent()
    world.enforce()
    agent.tell(execution(world))
    world.run(world.desk().decide(ADMIN, Wish("allow", "a" * 64)))
    again = world.run(
        module.settle(
            world.store, 1, ["a" * 64], policies=world.service.policies, clock=lambda: world.now, rung=lambda: None
        )
    )
    assert (again.moved, again.released, again.asked) == ([], [], 0)


def test_the_next_transaction_is_as_large_as_the_last_one_was_quick() -> None:
    pace = module.Pace()
    pace.took(0.001)
    assert pace.hosts == 64  # twice as many at most
    pace.took(0.04)
    assert pace.hosts == 32  # half of what took twice as long as it should
    for _ in range(20):
        pace.took(10.0)
    assert pace.hosts == pace.least
    for _ in range(20):
        pace.took(0.0)
    assert pace.hosts == pace.most

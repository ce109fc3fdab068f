"""Agents that are not heard."""

import asyncio

import pytest

from api.ingest import silence
from api.ingest.silence import SILENT_US, Up, note_silent, silent_hosts
from radius_policy.judgement.policy import Policy
from radius_policy.model import SECOND, HostState
from tests.unit.api.world import START, Agent, World


def look(world: World, up: Up) -> list[str]:
    return [host.name for host in world.read(lambda tx: silent_hosts(tx, 1, up, now=world.now))]


def note(world: World, agent: Agent, up: Up) -> bool:
    return world.write(lambda tx: note_silent(tx, 1, agent.host_id, up, now=world.now, policy=Policy.load(tx, 1)))


def posture(world: World, agent: Agent) -> str:
    state = world.read(lambda tx: tx.get(HostState, 1, agent.host_id))
    assert state is not None
    return state.posture


def test_an_agent_that_misses_three_heartbeats_is_unmonitored_and_told_once(world: World) -> None:
    agent, up = world.agent(), Up(START)
    world.now += SILENT_US
    assert look(world, up) == []
    world.now += SECOND
    assert look(world, up) == ["desk-1"]
    assert [note(world, agent, up), note(world, agent, up)] == [True, False]
    assert posture(world, agent) == "unmonitored"
    assert look(world, up) == []


def test_silence_counts_only_while_the_service_was_up(world: World) -> None:
    agent = world.agent()
    world.now += 24 * 3600 * SECOND
    up = Up(world.now)
    assert look(world, up) == []
    assert note(world, agent, up) is False
    world.now += SILENT_US + SECOND
    assert look(world, up) == ["desk-1"]


def test_evidence_makes_the_host_monitored_again_in_the_same_transaction(world: World) -> None:
    agent, up = world.agent(), Up(START)
    world.now += SILENT_US + SECOND
    note(world, agent, up)
    agent.beat()
    assert posture(world, agent) == "healthy"
    assert len(world.events("agent_back")) == 1


def test_refused_evidence_does_not_end_silence(world: World) -> None:
    agent, other, up = world.agent(), world.agent("desk-2", "02:00:00:00:00:20"), Up(START)
    world.now += SILENT_US + SECOND
    note(world, agent, up)
    agent.send(agent.report(), key=other.key)
    assert posture(world, agent) == "unmonitored"


def test_one_that_came_back_meanwhile_is_not_noted(world: World) -> None:
    agent, up = world.agent(), Up(START)
    world.now += SILENT_US + SECOND
    assert look(world, up) == ["desk-1"]
    agent.beat()
    assert note(world, agent, up) is False


def test_the_task_finds_the_silent_and_rings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "LOOK_EVERY_S", 0.005)
    rings: list[int] = []
    monkeypatch.setattr(type(world.service), "ring", lambda _: rings.append(1))
    agent = world.agent()
    world.now += SILENT_US + SECOND
    rings.clear()

    async def story() -> None:
        task = asyncio.create_task(silence.watch(world.service))
        await asyncio.sleep(0.1)
        task.cancel()

    world.run(story())
    assert posture(world, agent) == "unmonitored"
    assert len(rings) == 1

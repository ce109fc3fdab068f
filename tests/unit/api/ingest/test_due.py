"""What time alone brings, looked for by the service."""

import asyncio
from typing import Any

import pytest

from api.ingest import due
from radius_policy import judgement
from radius_policy.judgement.policy import Policy
from radius_policy.model import SECOND, Execution, GraceSlot, Host, HostId, Setting, TenantId
from tests.unit.api.world import START, World
from tests.world import sha

T = TenantId(1)


def tripped(world: World, choice: str) -> None:
    """Three hosts run one unknown program: one is moved, two are contained."""

    def happens(tx: Any) -> None:
        limits = {"executable": {"number": 1, "percent": 100}}
        for name, value in (
            ("mode", {"default": "enforce"}),
            ("breaker", limits),
            ("trips", {"minutes": 5, "choice": choice}),
        ):
            tx.put(Setting(T, name, value, 1, "test", START))
            tx.note(T, "settings", name)
        for n in range(3):
            host = HostId(f"host-{n}")
            tx.put(Host(T, host, f"pc{n}", public_key=b"k" * 32, last_evidence=START))
            start = Execution(T, f"start-{n}", host, sha("N"), "/tmp/n", 1, world.now, world.now)
            judgement.record(tx, start, now=world.now, policy=Policy.load(tx, T))

    world.write(happens)


def test_a_choice_is_looked_for_by_reading_alone(world: World) -> None:
    tripped(world, "release")
    assert not world.run(due.is_due(world.service))
    world.now += 301 * SECOND
    assert world.run(due.is_due(world.service))
    world.run(due.look(world.service))
    assert not world.run(due.is_due(world.service))


@pytest.mark.parametrize(("choice", "hosts"), [("keep", 0), ("release", 1), ("quarantine", 2)])
def test_a_trip_that_nobody_answered_gets_its_sites_choice_once(world: World, choice: str, hosts: int) -> None:
    tripped(world, choice)
    assert world.run(due.look(world.service)).hosts == ()
    world.now += 301 * SECOND
    assert len(world.run(due.look(world.service)).hosts) == hosts
    assert world.run(due.look(world.service)).hosts == ()


def test_a_grace_that_ended_undecided_is_told_once(world: World) -> None:
    world.write(lambda tx: tx.put(GraceSlot(T, "rule", sha("N"), HostId("h"), START, START + 10 * SECOND)))
    world.now = START + 11 * SECOND
    assert world.run(due.look(world.service)).graces == (sha("N"),)
    assert world.run(due.look(world.service)).graces == ()


def test_the_watch_looks_again_and_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(due, "GRACES_EVERY", 2)
    looks: list[int] = []

    async def look(_: Any) -> None:
        looks.append(1)

    monkeypatch.setattr(due, "look", look)

    async def watched() -> None:
        task = asyncio.create_task(due.watch(world.service))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    world.run(watched())
    assert len(looks) > 1

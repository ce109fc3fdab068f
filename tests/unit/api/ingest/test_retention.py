"""Ids of messages are forgotten when no retry can come any more."""

import asyncio

import pytest

from api.ingest import retention
from radius_policy.model import SECOND, Evidence, Execution
from tests.unit.api.world import World, answered, execution, problem


def test_ids_are_forgotten_in_batches_when_they_are_old(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    agent = world.agent()
    for _ in range(3):
        agent.beat()
    world.now += retention.KEPT_US
    agent.beat()
    world.now += SECOND
    forget = lambda: world.write(lambda tx: retention.forget(tx, 1, now=world.now))  # noqa: E731
    assert [forget(), forget(), forget()] == [2, 1, 0]
    assert world.read(lambda tx: tx.count(Evidence, tenant=1)) == 1


def test_a_retry_after_that_is_stale_and_its_content_signed_anew_is_recognised(world: World) -> None:
    agent = world.agent()
    report = agent.report(execution(world))
    answered(agent.send(report))
    world.now += retention.KEPT_US + SECOND
    world.write(lambda tx: retention.forget(tx, 1, now=world.now))
    assert problem(agent.send(report)) == "clock-skew"
    agent.tell(*report.executions)
    assert world.read(lambda tx: tx.count(Execution, tenant=1)) == 1


def test_the_task_goes_on_when_the_store_was_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from radius_policy.store.interface import StoreUnavailable

    monkeypatch.setattr(retention, "LOOK_EVERY_S", 0.005)
    real, calls = world.store.write, []

    async def flaky(work: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            raise StoreUnavailable("gone")
        return await real(work)

    monkeypatch.setattr(world.store, "write", flaky)

    async def story() -> None:
        task = asyncio.create_task(retention.watch(world.service))
        await asyncio.sleep(0.1)
        task.cancel()

    world.run(story())
    assert len(calls) > 2
    assert world.service.metrics.failures.labels("retention")._value.get() == 1

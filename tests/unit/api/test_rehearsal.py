"""A rehearsal does everything and leaves nothing."""

from pathlib import Path

import pytest

from api import main, rehearsal
from api.start import Undone
from radius_policy.store import open_store
from radius_policy.store.schema import RECORDS
from tests.unit.api.world import World, execution


def counts(world: World) -> dict[str, int]:
    return world.read(lambda tx: {record.table: tx.count(record.kind) for record in RECORDS.values()})


def test_a_rehearsal_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    agent = world.agent()
    before, last = counts(world), world.read(lambda tx: tx.last_change())
    world.run(main.rehearse(world.service))
    assert counts(world) == before
    assert world.read(lambda tx: tx.last_change()) == last
    assert agent.tell(execution(world)).verdicts


def test_it_plays_a_move_and_the_way_back(world: World) -> None:
    seen: list[object] = []

    def work(tx: object) -> None:
        try:
            rehearsal.rehearse(tx, 1, now=world.now, policy=world.service.policies.current(tx, 1, world.now))
        except Undone:
            from radius_policy.model import Event, HostState, Order

            seen.extend([tx.find(Order, tenant=1), tx.get(HostState, 1, "rehearsal"), tx.find(Event, tenant=1)])
            raise

    with pytest.raises(Undone):
        world.write(work)
    orders, state, events = seen
    assert orders
    assert state.access == "production"
    assert events


def test_on_a_database_it_leaves_nothing_either(world: World, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/p.db"

    async def story() -> dict[str, int]:
        store = await open_store(url, migrate=True)
        try:
            service = main.wire(world.config, store, _material(world), lambda: world.now)
            service.doorbell.close()
            await main.rehearse(service)
            return await store.read(lambda tx: {r.table: tx.count(r.kind) for r in RECORDS.values()})
        finally:
            await store.close()

    assert not any(world.run(story()).values())


def _material(world: World) -> object:
    from tests.unit.api.world import material

    return material(world.config.service.data)

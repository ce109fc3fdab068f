"""One reader of the change sequence for all."""

import asyncio

import pytest

from api import feed as module
from api.feed import Feed
from radius_policy.store.interface import StoreUnavailable
from radius_policy.store.memory import MemoryStore


def note(store: MemoryStore, key: str) -> object:
    return store.write(lambda tx: tx.note(1, "host", key))


def test_every_change_reaches_every_listener_once_and_in_order() -> None:
    async def story() -> None:
        store = MemoryStore()
        await note(store, "before")
        feed, seen, other = Feed(store, 5.0), [], []
        feed.listen(lambda changes: seen.extend(change.key for change in changes))
        feed.listen(lambda changes: other.extend(change.key for change in changes))
        await feed.start()
        running = asyncio.create_task(feed.run())
        for n in range(5):
            await note(store, str(n))
            feed.wake()
            await asyncio.sleep(0.01)
        await asyncio.sleep(10 * module.BEHIND_S)
        running.cancel()
        assert seen == other == ["0", "1", "2", "3", "4"]

    asyncio.run(story())


def test_the_move_that_was_decided_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ring is looked after in a moment, and rings that come meanwhile are looked after together."""
    monkeypatch.setattr(module, "BEHIND_S", 0.05)

    async def story() -> None:
        store = MemoryStore()
        feed, batches = Feed(store, 5.0), []
        feed.listen(lambda changes: batches.append([change.key for change in changes]))
        await feed.start()
        running = asyncio.create_task(feed.run())
        for n in range(3):
            await note(store, str(n))
            feed.wake()
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert batches == []
        await asyncio.sleep(0.1)
        running.cancel()
        assert batches == [["0", "1", "2"]]

    asyncio.run(story())


def test_a_lost_ring_costs_one_poll() -> None:
    async def story() -> None:
        store = MemoryStore()
        feed, got = Feed(store, 0.01), asyncio.Event()
        feed.listen(lambda _: got.set())
        await feed.start()
        running = asyncio.create_task(feed.run())
        await note(store, "x")
        await asyncio.wait_for(got.wait(), 5)
        running.cancel()

    asyncio.run(story())


def test_a_store_that_is_away_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        store = MemoryStore()
        feed, seen = Feed(store, 0.005), []
        feed.listen(lambda changes: seen.extend(change.key for change in changes))
        await feed.start()
        await note(store, "x")
        real = store.read

        async def away(_: object) -> None:
            raise StoreUnavailable("gone")

        monkeypatch.setattr(store, "read", away)
        running = asyncio.create_task(feed.run())
        await asyncio.sleep(0.05)
        assert seen == []
        monkeypatch.setattr(store, "read", real)
        await asyncio.sleep(0.05)
        running.cancel()
        assert seen == ["x"]

    asyncio.run(story())


def test_many_changes_come_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 3)

    async def story() -> None:
        store = MemoryStore()
        feed, sizes = Feed(store), []
        feed.listen(lambda changes: sizes.append(len(changes)))
        await feed.start()
        for n in range(7):
            await note(store, str(n))
        await feed.look()
        assert sizes == [3, 3, 1]

    asyncio.run(story())

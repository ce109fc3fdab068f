"""From the change sequence to the network: the answer first, its file, and only then the order."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from api.radius_process.files import SNAPSHOT_FILE, Files
from api.radius_process.follower import FEW, LEFT_TO_A_THREAD, MOST_LEFT_S, TOO_LONG_S, Follower
from radius_policy.enforcement.network_facts import Loaded
from radius_policy.model import Access, HostId, Mac, MacAccess, Setting, TenantId
from radius_policy.radius.server import RadiusServer
from radius_policy.radius.snapshot import Snapshot
from radius_policy.radius.snapshot_file import pieces
from radius_policy.store.interface import Reading, StoreBusy, StoreError, StoreUnavailable
from radius_policy.store.memory import MemoryStore

pytestmark = pytest.mark.anyio
TENANT, MAC = TenantId(1), Mac("02:00:00:00:00:10")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Desk:
    """Stands for the desk: when it is given orders it notes what RADIUS and its file answer at that moment."""

    def __init__(self, room: "Room") -> None:
        self.room = room
        self.moments: list[tuple[str, int, int]] = []

    def read(self, reading: Reading, keys: Iterable[tuple[TenantId, str, str]]) -> list[Loaded]:
        return []

    def read_open(self, reading: Reading, tenants: Iterable[TenantId]) -> list[Loaded]:
        return []

    def loaded(self, orders: Iterable[Loaded]) -> None:
        self._note("loaded")

    def restarted(self, orders: Iterable[Loaded]) -> None:
        self._note("restarted")

    def _note(self, what: str) -> None:
        row = self.room.snapshot.mac(TENANT, MAC)
        self.moments.append((what, row.generation if row else 0, self.room.generation_in_file()))


class Room:
    def __init__(self, data: Path) -> None:
        self.path = data / SNAPSHOT_FILE
        self.store: Any = MemoryStore()
        self.said: list[str] = []
        self.troubles: list[StoreError] = []
        self.wanted = 0
        self.now = 1_000.0
        self.snapshot = Snapshot()
        self.server = RadiusServer(self.snapshot, b"k" * 32, self.said.append)
        self.files = Files(data, self.snapshot, self.said.append)
        self.desk = Desk(self)
        self.follower = Follower(
            self.server,
            self.files,
            self.desk,
            [TENANT],
            run=self._want,
            on_trouble=self.troubles.append,
            warn=self.said.append,
            monotonic=lambda: self.now,
        )

    def _want(self) -> None:
        self.wanted += 1

    def generation_in_file(self) -> int:
        again = Snapshot()
        for delta in pieces(self.path.read_bytes()):
            again.apply(delta)
        row = again.mac(TENANT, MAC)
        return row.generation if row else 0

    def decide(self, generation: int) -> None:
        with self.store.transaction() as tx:
            tx.put(MacAccess(TENANT, MAC, HostId("h"), Access.REMEDIATION, generation))
            tx.note(TENANT, "access", MAC)
            tx.note(TENANT, "order", f"o{generation}")

    async def look(self) -> None:
        self.follower.open(self.store)
        self.follower.begin()
        await self.follower.look()


@pytest.fixture
def room(tmp_path: Path) -> Any:
    made = Room(tmp_path)
    yield made
    made.files.close()


async def test_an_order_is_handed_over_when_snapshot_and_file_answer_its_generation(room: Room) -> None:
    room.decide(7)
    await room.look()
    room.decide(8)
    await room.look()
    assert room.desk.moments == [("restarted", 7, 7), ("loaded", 8, 8)]
    assert room.follower.fresh


async def test_the_cached_answer_of_a_mac_with_a_new_generation_is_forgotten_before(room: Room) -> None:
    await room.look()
    key = ("default", "10.0.0.1", 1645, 7)
    room.server.answered.keep(key, bytes(16), b"the old answer", (TENANT, MAC), 1)
    room.decide(8)
    await room.look()
    assert len(room.server.answered) == 0


async def test_without_a_store_nothing_is_looked_at_and_the_wish_is_kept(room: Room) -> None:
    room.follower.begin()
    assert room.wanted == 0
    room.decide(7)
    room.follower.open(room.store)
    await room.follower.look()
    assert room.desk.moments == [("restarted", 7, 7)]


async def test_a_store_that_fails_is_told_and_looked_at_again_later(room: Room) -> None:
    class Away:
        async def read(self, work: Any) -> Any:
            raise StoreUnavailable("the database does not answer")

    there, room.store = room.store, Away()
    await room.look()
    assert len(room.troubles) == 1
    assert not room.follower.fresh
    room.store = there
    room.decide(7)
    await room.look()
    assert room.desk.moments == [("restarted", 7, 7)]


async def test_a_database_that_was_restored_is_read_as_a_whole(room: Room) -> None:
    for generation in (7, 8, 9):
        room.decide(generation)
    await room.look()
    room.store = MemoryStore()
    room.decide(5)
    await room.look()
    assert room.desk.moments[-1] == ("loaded", 5, 5)


async def test_a_setting_that_makes_no_sense_is_told(room: Room) -> None:
    await room.look()
    with room.store.transaction() as tx:
        tx.put(Setting(TENANT, "mode", {"default": "enforced"}, 1, "admin", 0))
        tx.note(TENANT, "settings", "mode")
    await room.look()
    assert any("enforced" in sentence for sentence in room.said)


class TestInTheLoop:
    """A few changes are looked at without a thread."""

    async def test_a_ring_is_answered_at_once(self, room: Room) -> None:
        await room.look()
        wanted = room.wanted
        room.decide(7)
        room.follower.begin()
        assert room.desk.moments[-1] == ("loaded", 7, 7)
        assert room.wanted == wanted, "no thread was asked"

    async def test_many_changes_are_a_threads_work(self, room: Room) -> None:
        await room.look()
        wanted = room.wanted
        for generation in range(1, FEW + 5):
            room.decide(generation)
        room.follower.begin()
        assert room.wanted == wanted + 1
        await room.follower.look()
        assert room.desk.moments[-1] == ("loaded", FEW + 4, FEW + 4)

    @pytest.mark.parametrize(("took", "left"), [(0.01, 0.01 * LEFT_TO_A_THREAD), (0.5, MOST_LEFT_S)])
    async def test_after_one_that_took_too_long_a_thread_does_it_for_a_while(
        self, room: Room, took: float, left: float
    ) -> None:
        await room.look()
        read = room.desk.read
        assert took > TOO_LONG_S

        def slow(reading: Reading, keys: Iterable[tuple[TenantId, str, str]]) -> list[Loaded]:
            room.now += took
            return read(reading, keys)

        room.desk.read = slow
        room.decide(7)
        room.follower.begin()
        assert room.desk.moments[-1] == ("loaded", 7, 7), "what was read is not thrown away"
        assert room.follower.slow == 1
        wanted = room.wanted
        room.decide(8)
        room.follower.begin()
        assert room.wanted == wanted + 1
        await room.follower.look()
        room.desk.read = read
        room.now += left + 0.001
        room.decide(9)
        room.follower.begin()
        assert room.wanted == wanted + 1
        assert room.desk.moments[-1] == ("loaded", 9, 9)

    async def test_a_store_that_would_have_to_wait_is_asked_by_a_thread(
        self, room: Room, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(work: Any) -> Any:
            raise StoreBusy("somebody else is at it")

        await room.look()
        monkeypatch.setattr(room.store, "glance", busy)
        wanted = room.wanted
        room.follower.begin()
        assert room.wanted == wanted + 1
        assert room.troubles == []

    async def test_a_restored_database_is_a_threads_work(self, room: Room) -> None:
        room.decide(7)
        await room.look()
        room.store = MemoryStore()
        room.follower.open(room.store)
        wanted = room.wanted
        room.follower.begin()
        assert room.wanted == wanted + 1
        await room.follower.look()
        assert room.desk.moments[-1] == ("loaded", 0, 0)

    async def test_while_a_thread_looks_the_loop_does_not(self, room: Room) -> None:
        await room.look()
        there, going = room.store, asyncio.Event()

        class Slow:
            glance = there.glance

            async def read(self, work: Any) -> Any:
                await going.wait()
                return await there.read(work)

        room.follower.open(Slow())
        room.decide(7)
        looking = asyncio.ensure_future(room.follower.look())
        room.follower._wanted = True
        await asyncio.sleep(0)
        count = len(room.desk.moments)
        room.follower.begin()
        assert len(room.desk.moments) == count
        going.set()
        await looking
        assert room.desk.moments[-1] == ("loaded", 7, 7)

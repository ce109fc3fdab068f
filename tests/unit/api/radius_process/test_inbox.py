"""Facts on their way into the store: in their order, accounting answered only behind it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from api.radius_process import inbox as radius_inbox
from api.radius_process.inbox import Inbox
from radius_policy.enforcement.moves import Books
from radius_policy.enforcement.network_facts import Booked, Fact
from radius_policy.model import SECOND, Access, Mac, Session, TenantId
from radius_policy.radius.server import Accounted, Answered, RadiusServer
from radius_policy.radius.sessions import Heard, Status
from radius_policy.radius.snapshot import Snapshot
from radius_policy.store.interface import StoreError, StoreUnavailable
from radius_policy.store.memory import MemoryStore

pytestmark = pytest.mark.anyio
TENANT, NOW = TenantId(1), 1_000 * SECOND


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Line:
    """Stands for the accounting port: what was answered to whom."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []

    def send(self, octets: bytes, to: Any) -> None:
        self.sent.append((octets, to))


class Room:
    """An inbox; `open` gives it its store, `run` lets it work until it has nothing to do."""

    def __init__(self) -> None:
        self.server = RadiusServer(Snapshot(), b"k" * 32, lambda text: None)
        self.books = Books(self.server.snapshot, lambda: "id")
        self.booked: list[Booked] = []
        self.troubles: list[StoreError] = []
        self.wanted = 0
        self.store = Store()
        self.line = Line()
        self.inbox = Inbox(
            self.books,
            self.server,
            run=self._want,
            on_booked=self.booked.append,
            on_trouble=self.troubles.append,
            clock=lambda: NOW,
        )

    def open(self) -> None:
        self.inbox.store = self.store

    def _want(self) -> None:
        self.wanted += 1

    def sessions(self) -> list[bytes]:
        return [session.session for session in self.store.inner.reading().find(Session, tenant=TENANT)]


class Store:
    """A memory store that fails as often as it is told to."""

    def __init__(self) -> None:
        self.inner = MemoryStore()
        self.failures = 0

    async def write(self, work: Callable[[Any], Any]) -> Any:
        await asyncio.sleep(0)  # as a store that has a disk
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the database is locked")
        return await self.inner.write(work)


def accounted(number: int) -> Accounted:
    mac = Mac(f"02:00:00:00:00:{number:02x}")
    heard = Heard.of(
        status=Status.START,
        tenant=TENANT,
        nas_id="sw1",
        mac=mac,
        session=b"acct%d" % number,
        attributes=[],
        mark=None,
        at=NOW,
    )
    key = ("default", "10.0.0.1", 1645, number)
    return Accounted(heard, b"reply %d" % number, ("10.0.0.1", 1645), key, bytes(16))


def answered(number: int) -> Fact:
    mac = Mac(f"02:00:00:00:01:{number:02x}")
    return Answered(TENANT, "sw1", mac, Access.PRODUCTION, 1, {44: b"auth%d" % number}, NOW)


async def test_accounting_is_answered_when_it_is_stored_and_not_before() -> None:
    room = Room()
    room.open()
    room.inbox.take_accounting(accounted(1), room.line)
    assert room.line.sent == []
    assert room.wanted == 1
    await room.inbox.book()
    assert room.sessions() == [b"acct1"]
    assert room.line.sent == [(b"reply 1", ("10.0.0.1", 1645))]
    assert len(room.booked) == 1


async def test_without_a_store_accounting_is_left_to_be_sent_again_and_other_facts_wait() -> None:
    room = Room()
    room.inbox.take_accounting(accounted(1), room.line)
    room.inbox.take(answered(1))
    room.inbox.take(None)
    assert (len(room.inbox), room.wanted) == (1, 0)
    assert room.server.counts["accounting_unanswered"] == 1
    room.open()
    room.inbox.begin()
    assert room.wanted == 1
    await room.inbox.book()
    assert room.sessions() == [b"auth1"]
    assert room.line.sent == []


async def test_while_the_store_fails_facts_wait_in_their_order_and_accounting_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(radius_inbox, "PAUSE_S", 0)
    room = Room()
    room.open()
    room.store.failures = 3
    for number in (1, 2):
        room.inbox.take(answered(number))
    room.inbox.take_accounting(accounted(1), room.line)
    await room.inbox.book()
    assert len(room.troubles) == 3
    assert room.sessions() == [b"auth1", b"auth2"]
    assert room.line.sent == []
    assert room.server.counts["accounting_unanswered"] == 1


async def test_a_flood_drops_answers_beyond_a_bound_and_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radius_inbox, "MOST_FACTS", 3)
    room = Room()
    for number in range(5):
        room.inbox.take(answered(number))
    assert len(room.inbox) == 3
    assert room.inbox.counts["facts_dropped"] == 2


async def test_a_fact_that_a_defect_keeps_out_costs_itself_alone() -> None:
    room = Room()
    book = room.books.book

    def fails_on_two(tx: Any, facts: Any) -> Booked:
        if any(getattr(fact, "ids", {}).get(44) == b"auth2" for fact in facts):
            raise KeyError("a defect")
        return book(tx, facts)

    room.books.book = fails_on_two
    for number in (1, 2, 3):
        room.inbox.take(answered(number))
    room.open()
    await room.inbox.book()
    assert room.sessions() == [b"auth1", b"auth3"]
    assert room.inbox.counts["defects"] == 1


async def test_what_comes_while_it_books_is_booked_in_the_same_go() -> None:
    room = Room()
    room.open()
    room.inbox.take(answered(1))
    working = asyncio.ensure_future(room.inbox.book())
    await asyncio.sleep(0)
    room.inbox.take(answered(2))
    await working
    assert room.sessions() == [b"auth1", b"auth2"]
    assert len(room.inbox) == 0

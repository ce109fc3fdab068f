"""Facts from the network on their way into the store, in the order they came.

Guarantees: accounting is answered after it is stored (RFC 2866) and forgotten where it cannot be, so that the NAS sends it
again; every other fact waits for the store. A fact that cannot be booked by a defect of ours costs that fact alone.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog

from radius_policy.enforcement.moves import Books
from radius_policy.enforcement.network_facts import Booked, Fact
from radius_policy.model import Micros
from radius_policy.radius.server import Accounted, Answered, RadiusServer
from radius_policy.radius.shell import Port
from radius_policy.store.interface import Store, StoreError

PAUSE_S: Final = 0.25
AT_ONCE: Final = 400
"""Facts in one transaction: it must stay under 50 ms."""
MOST_FACTS: Final = 20_000

Entry = Fact | tuple[Accounted, Port]


class Inbox:
    """`run` has `book` run unless it does. `on_booked` is given each batch that is in the store, `on_trouble` each error
    of the store. `store` is None while there is none."""

    def __init__(
        self,
        books: Books,
        server: RadiusServer,
        *,
        run: Callable[[], None],
        on_booked: Callable[[Booked], None],
        on_trouble: Callable[[StoreError], None],
        clock: Callable[[], Micros],
    ) -> None:
        self.store: Store | None = None
        self.counts: Counter[str] = Counter(facts_dropped=0, defects=0, batches=0)
        self.booked: Counter[str] = Counter()
        self._books = books
        self._server = server
        self._run = run
        self._on_booked = on_booked
        self._on_trouble = on_trouble
        self._clock = clock
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, fact: Fact | None) -> None:
        """Have a fact booked. A flood that the store cannot follow is dropped beyond a bound, and counted."""
        if fact is None:
            return
        if len(self._entries) >= MOST_FACTS and isinstance(fact, Answered):
            self.counts["facts_dropped"] += 1
            return
        self._entries.append(fact)
        self.begin()

    def take_accounting(self, accounted: Accounted, port: Port) -> None:
        """Have accounting booked and then answered through `port`."""
        if self.store is None:
            self._server.not_stored(accounted)
            return
        self._entries.append((accounted, port))
        self.begin()

    def begin(self) -> None:
        """Book what waits, where there is something and a store."""
        if self._entries and self.store is not None:
            self._run()

    async def book(self) -> None:
        """Book until nothing is left."""
        size = AT_ONCE
        while self._entries and self.store is not None:
            batch, self._entries = self._entries[:size], self._entries[size:]
            try:
                await self._book_batch(self.store, batch)
                size = AT_ONCE
            except StoreError as error:
                self._on_trouble(error)
                self._entries = [*self._unanswered(batch), *self._entries]
                await asyncio.sleep(PAUSE_S)
            except Exception as error:  # a defect of ours: it must cost one fact, not all that came with it
                if len(batch) > 1:
                    self._entries, size = batch + self._entries, 1
                    continue
                self.counts["defects"] += 1
                self._unanswered(batch)
                structlog.get_logger("radius").error(
                    "a defect: one fact could not be booked; please report it", exc_info=error
                )

    def _unanswered(self, batch: list[Entry]) -> list[Fact]:
        """What is to be booked later: all but accounting, which the NAS sends again because it gets no answer."""
        facts = []
        for entry in batch:
            if isinstance(entry, tuple):
                self._server.not_stored(entry[0])
            else:
                facts.append(entry)
        return facts

    async def _book_batch(self, store: Store, batch: list[Entry]) -> None:
        facts: list[Fact] = [entry[0].heard if isinstance(entry, tuple) else entry for entry in batch]
        booked = await store.write(lambda tx: self._books.book(tx, facts))
        now = self._clock()
        for entry in batch:
            if isinstance(entry, tuple):
                entry[1].send(self._server.stored(entry[0], now), entry[0].source)
        self.counts["batches"] += 1
        self.booked.update(booked.counts)
        self._on_booked(booked)

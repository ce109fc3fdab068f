"""The open orders of the RADIUS process: which may go out now, what time makes of them, what came back.

It holds copies; the store has the truth. An order that went out is known here at once and booked behind it (the
datagram does not wait for the disk); until that is booked, an older record of it that a look brings is passed over.
Nothing here waits or asks the store, but for the functions that are given a `Reading`.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from radius_policy.coa import request
from radius_policy.coa.client import Answer, CoaClient, Datagram, Request, Unfinished
from radius_policy.enforcement.core import Happening, choose, step
from radius_policy.enforcement.moves import Books
from radius_policy.enforcement.network_facts import Booked, Fact, Happened, Loaded, Replied, Sent
from radius_policy.enforcement.planning import deadline, may_send
from radius_policy.enforcement.table import Happens
from radius_policy.model import OPEN_STATES, Channel, Mac, Micros, Order, OrderState, TenantId
from radius_policy.nas import profile as profiles
from radius_policy.nas.profile import Kind, Profile
from radius_policy.radius.server import RadiusServer
from radius_policy.radius.snapshot import Known
from radius_policy.store.interface import Reading

_REMEMBERED = 20_000


class Wire(Protocol):
    """What the desk needs of the CoA sockets (`radius_policy.coa.shell.CoaShell`)."""

    @property
    def client(self) -> CoaClient:
        """What is on its way."""
        ...

    def send(self, request: Request) -> Datagram | None:
        """Begin a request; None where that is impossible for now."""
        ...

    def resume(self, unfinished: Unfinished) -> bool:
        """Go on with a request of before a restart; whether that is possible."""
        ...


class Desk:
    """`take` is given each fact to book. `started` is when the process began: timers start anew from there."""

    def __init__(
        self,
        books: Books,
        wire: Wire,
        server: RadiusServer,
        take: Callable[[Fact | None], None],
        *,
        clock: Callable[[], Micros],
        started: Micros,
    ) -> None:
        self._books = books
        self._snapshot = books.snapshot
        self._wire = wire
        self._server = server
        self._take = take
        self._clock = clock
        self._started = started
        self._open: dict[str, Loaded] = {}
        self._by_mac: dict[tuple[TenantId, Mac], set[str]] = {}
        self._latest: dict[str, Micros] = {}
        self._deadlines: list[tuple[Micros, str, Micros]] = []
        self._planned: set[str] = set()
        self._unbooked: set[str] = set()

    def states(self) -> dict[str, int]:
        """How many open orders stand in which state."""
        return dict(Counter(str(loaded.order.state) for loaded in self._open.values()))

    # From the store

    def read(self, reading: Reading, keys: Iterable[tuple[TenantId, str, str]]) -> list[Loaded]:
        """The orders among changed keys, with what sending them needs."""
        found = (reading.get(Order, tenant, key) for tenant, kind, key in keys if kind == "order")
        return [self._books.load(reading, order) for order in found if order is not None]

    def read_open(self, reading: Reading, tenants: Iterable[TenantId]) -> list[Loaded]:
        """All open orders, at start."""
        return [
            self._books.load(reading, order)
            for tenant in tenants
            for order in reading.find(Order, tenant=tenant, state=sorted(OPEN_STATES))
        ]

    def loaded(self, orders: Iterable[Loaded]) -> None:
        """What a look brought: take over what is news, and send what may go."""
        for loaded in orders:
            known = self._latest.get(loaded.order.id)
            if loaded.order.id not in self._unbooked and (known is None or loaded.order.changed > known):
                self._keep(loaded)
        self.send()

    def restarted(self, orders: Iterable[Loaded]) -> None:
        """The open orders at start: what was on the wire goes on where it can, else it is assumed to have been sent."""
        for loaded in orders:
            order = loaded.order
            if order.id in self._latest:
                continue
            self._keep(loaded)
            if order.state is OrderState.SENT and not self._resume(order):
                self._take(self.happened(order.id, Happens.RESTARTED))
        self.send()

    def booked(self, booked: Booked) -> None:
        """A batch is in the store: its orders as they are now."""
        for token in booked.stop:
            self._wire.client.stop(token)
        self._unbooked.difference_update(booked.sent)
        for loaded in booked.orders.values():
            if loaded.order.id not in self._unbooked:
                self._keep(loaded)
        self.send()

    # From the network and from time

    def replied(self, answer: Answer) -> Replied | None:
        loaded = self._open.get(answer.token)
        if loaded is None:
            return None
        return Replied(
            loaded.order.tenant,
            answer.token,
            answer.identifier,
            answer.ack,
            answer.cause,
            answer.retransmitted,
            self._clock(),
        )

    def happened(self, token: str, what: Happens, text: str = "") -> Happened | None:
        loaded = self._open.get(token)
        return None if loaded is None else Happened(loaded.order.tenant, token, what, self._clock(), text)

    def may_repeat(self, token: str) -> bool:
        """Whether a datagram may be repeated now: not while a pause stops its order."""
        loaded = self._open.get(token)
        return loaded is not None and not self._stopped(loaded.order)

    def tick(self) -> None:
        """What time makes happen, what a pause supersedes, and what may go out now."""
        now = self._clock()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, order_id, changed = heapq.heappop(self._deadlines)
            loaded = self._open.get(order_id)
            if loaded is None or loaded.order.changed != changed or self._wire.client.waits(order_id):
                continue
            found = deadline(loaded.order, self._timers(loaded.order), now)
            if found is not None:
                self._take(self.happened(order_id, found[1]))
        paused = {tenant for tenant, _ in self._by_mac if self._snapshot.rules(tenant).paused}
        if paused:
            for order_id, loaded in self._open.items():
                if loaded.order.tenant in paused and self._stopped(loaded.order) and _unsent(loaded.order):
                    self._take(self.happened(order_id, Happens.PAUSED))
        self.send()

    def send(self) -> None:
        """Send every planned order that may go."""
        now = self._clock()
        for order_id in sorted(self._planned, key=lambda key: self._open[key].order.created):
            loaded = self._open[order_id]
            order = loaded.order
            row = self._snapshot.mac(order.tenant, order.mac)
            together = (self._open[other].order for other in self._by_mac[order.tenant, order.mac])
            paused = self._snapshot.rules(order.tenant).paused
            if may_send(order, together, row.generation if row else 0, paused=paused, now=now):
                self._send(loaded, now)

    def _send(self, loaded: Loaded, now: Micros) -> None:
        order, session = loaded.order, loaded.session
        known = self._snapshot.nas(order.tenant, order.nas_id)
        profile = self._books.profile(order)
        self._planned.discard(order.id)
        if known is None or profile is None:
            self._take(self.happened(order.id, Happens.NO_WAY, "no_profile: its NAS or the NAS's profile was removed"))
            return
        if session is None:
            self._take(self.happened(order.id, Happens.SESSION_ENDED))
            return
        index = choose(order, session, profile, alone=loaded.alone)
        if index is None:
            why = f"no method of profile {profile.name} can be used on this session"
            self._take(self.happened(order.id, Happens.NO_WAY, why))
            return
        method = profile.methods[index]
        given = b""
        if method.kind is Kind.VLAN:
            given = self._server.authorization(order.tenant, order.mac, order.generation, order.access)
        attributes = request.attributes(profile, method, session, id_set=order.id_set, now=now, authorization=given)
        sent = self._wire.send(
            Request(
                order.id,
                method.code,
                _destination(known, profile),
                known.coa,
                attributes,
                profile.attempt_us,
                profile.message_authenticator,
            )
        )
        if sent is None:
            self._planned.add(order.id)
            return
        what = Happening(
            Happens.SENT,
            method=index,
            identifier=sent.identifier,
            source_port=sent.lane,
            datagram=sent.octets,
            named=session.session,
        )
        self._unbooked.add(order.id)
        self._keep(Loaded(step(order, what, now, profile).order, session, loaded.alone))
        self._take(Sent(order.tenant, order.id, index, sent.identifier, sent.lane, sent.octets, session.session, now))

    def _resume(self, order: Order) -> bool:
        known, profile = self._snapshot.nas(order.tenant, order.nas_id), self._books.profile(order)
        if known is None or profile is None or order.source_port is None or len(order.datagram) < 20:
            return False
        left = order.sent_at + profile.attempt_us - self._clock()
        if left <= 0:
            return False
        destination = _destination(known, profile)
        return self._wire.resume(Unfinished(order.id, order.source_port, destination, known.coa, order.datagram, left))

    def _timers(self, order: Order) -> Profile:
        """What a removed NAS had on the wire runs out by the generic times."""
        return self._books.profile(order) or profiles.load("generic")

    def _stopped(self, order: Order) -> bool:
        return self._snapshot.rules(order.tenant).paused and order.tightens and order.by != "admin"

    def _keep(self, loaded: Loaded) -> None:
        order = loaded.order
        if len(self._latest) > _REMEMBERED:
            self._latest = {key: at for key, at in self._latest.items() if key in self._open}
        self._latest[order.id] = order.changed
        who = (order.tenant, order.mac)
        self._planned.discard(order.id)
        if order.state not in OPEN_STATES or order.channel is not Channel.NETWORK:
            if self._open.pop(order.id, None) is not None:
                others = self._by_mac[who]
                others.discard(order.id)
                if not others:
                    del self._by_mac[who]
            self._wire.client.stop(order.id)
            return
        self._open[order.id] = loaded
        self._by_mac.setdefault(who, set()).add(order.id)
        if order.state is OrderState.PLANNED:
            self._planned.add(order.id)
        found = deadline(order, self._timers(order), max(order.changed, self._started))
        if found is not None:
            heapq.heappush(self._deadlines, (found[0], order.id, order.changed))


def _destination(known: Known, profile: Profile) -> tuple[str, int]:
    nas = known.nas
    return nas.coa_address or nas.address, nas.coa_port or profile.port


def _unsent(order: Order) -> bool:
    return order.state in (OrderState.PLANNED, OrderState.WAITING_FOR_SESSION, OrderState.NOT_CONFIRMED)

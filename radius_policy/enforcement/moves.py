"""What the network said becomes truth: from facts to sessions, orders and events, in one transaction.

Guarantees: a batch of facts is booked whole, in its order, on the records as the store has them now, so that what the
API decided meanwhile is not overwritten. Booking the same fact twice changes nothing the second time. A move is
confirmed only by `proof.py`, and the event that says so is written in the same transaction.

It opens no socket and knows no time of its own: `Books.book` may be run again after a conflict.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from radius_policy.enforcement import proof, watch
from radius_policy.enforcement.core import (
    REQUEST_INITIATED,
    CloseSession,
    Command,
    Happening,
    OpenOrder,
    StopSending,
    Tell,
    denies_session,
    step,
)
from radius_policy.enforcement.network_facts import Booked, Fact, Loaded, Replied, Sent
from radius_policy.enforcement.table import Happens
from radius_policy.enforcement.telling import event_of
from radius_policy.model import OPEN_STATES, Access, Mac, MacAccess, Micros, Order, OrderState, Session, TenantId
from radius_policy.nas import profile as profiles
from radius_policy.nas.profile import Profile, ProfileError
from radius_policy.radius import sessions
from radius_policy.radius.mark import Mark
from radius_policy.radius.server import Answered
from radius_policy.radius.sessions import Heard, Status, Told
from radius_policy.radius.snapshot import Snapshot
from radius_policy.store.interface import Reading, Tx

_RECENT = 32
"""So many of a MAC's newest orders are looked at; older ones were superseded long ago."""
_WATCHED = OPEN_STATES | {OrderState.CONFIRMED, OrderState.NOT_CONFIRMABLE}
_H = Happens


class Books:
    """`snapshot` gives VLANs, pause and NAS; `new_id` the ids of orders and events."""

    def __init__(self, snapshot: Snapshot, new_id: Callable[[], str]) -> None:
        self.snapshot = snapshot
        self.new_id = new_id

    def book(self, tx: Tx, facts: Iterable[Fact]) -> Booked:
        """Book `facts` in order. Raises what the store raises."""
        booking = _Booking(tx, self)
        for fact in facts:
            booking.take(fact)
        return booking.close()

    def profile(self, order: Order) -> Profile | None:
        """The profile of the order's NAS; None where the NAS or its profile is gone. A waiting order has none yet and
        gets the generic one."""
        if not order.nas_id:
            return profiles.load("generic")
        known = self.snapshot.nas(order.tenant, order.nas_id)
        try:
            return profiles.load(known.nas.profile) if known is not None else None
        except ProfileError:
            return None

    def load(self, reading: Reading, order: Order) -> Loaded:
        """An order with what sending it needs."""
        if order.state is not OrderState.PLANNED or order.session is None:
            return Loaded(order)
        session = reading.get(Session, order.tenant, order.nas_id, order.session)
        if session is None or session.ended is not None:
            return Loaded(order)
        return Loaded(order, session, self.alone(reading, session, order))

    def alone(self, reading: Reading, session: Session, order: Order) -> bool:
        """Whether no other MAC has a session on the same port; looked up only where a method hits the whole port."""
        profile = self.profile(order)
        if not session.port or profile is None or not any(method.whole_port for method in profile.methods):
            return True
        there = reading.find(Session, tenant=session.tenant, nas_id=session.nas_id, port=session.port)
        return not any(other.ended is None and other.mac != session.mac for other in there)


class _Booking:
    """One transaction's worth."""

    def __init__(self, tx: Tx, books: Books) -> None:
        self.tx = tx
        self.books = books
        self.booked = Booked()
        self.changed: dict[str, Order] = {}

    def take(self, fact: Fact) -> None:
        if isinstance(fact, Answered):
            self.answered(fact)
        elif isinstance(fact, Heard):
            self.heard(fact)
        elif isinstance(fact, Sent):
            self.booked.sent.append(fact.order_id)
            self.befell(
                fact.tenant,
                fact.order_id,
                Happening(
                    _H.SENT,
                    method=fact.method,
                    identifier=fact.identifier,
                    source_port=fact.source_port,
                    datagram=fact.datagram,
                    named=fact.named,
                ),
                fact.at,
            )
        elif isinstance(fact, Replied):
            self.replied(fact)
        else:
            self.befell(fact.tenant, fact.order_id, Happening(fact.what, text=fact.text), fact.at)

    def close(self) -> Booked:
        self.booked.orders = {key: self.books.load(self.tx, order) for key, order in self.changed.items()}
        return self.booked

    # What is on record

    def orders(self, tenant: TenantId, mac: Mac) -> list[Order]:
        found = self.tx.find(Order, tenant=tenant, mac=mac, order="generation", descending=True, limit=_RECENT)
        return [order for order in found if order.state in _WATCHED]

    def present(self, tenant: TenantId, mac: Mac) -> list[Session]:
        return self.tx.find(Session, tenant=tenant, mac=mac, ended=None)

    def best(self, order: Order) -> Session | None:
        """The newest open session of the order's MAC at its NAS (anywhere, where it waits)."""
        here = (
            session
            for session in self.present(order.tenant, order.mac)
            if session.nas_id == order.nas_id or order.session is None
        )
        return max(here, key=lambda session: session.started, default=None)

    def not_denied(self, order: Order) -> Session | None:
        """The newest open session there but for the one that the order's datagram named, unless the NAS spoke of that
        one since."""
        here = (
            session
            for session in self.present(order.tenant, order.mac)
            if session.nas_id == order.nas_id and (session.session != order.named or session.updated > order.sent_at)
        )
        return max(here, key=lambda session: session.started, default=None)

    def vlan(self, order: Order) -> str:
        return self.books.snapshot.rules(order.tenant).vlans.get(order.access, "")

    def store(self, told: Told) -> None:
        self.tx.put(*told.put)
        self.booked.counts["sessions_opened"] += told.opened
        self.booked.counts["sessions_ended"] += len(told.ended)

    # Facts about one order

    def replied(self, fact: Replied) -> None:
        good = fact.ack or fact.cause == REQUEST_INITIATED
        order = self.tx.get(Order, fact.tenant, fact.order_id)
        if not good and order is not None and order.identifier != fact.identifier:
            self.booked.counts["naks_of_earlier_datagrams"] += 1
            return
        what = Happening(_H.ACKED if good else _H.NAKED, cause=fact.cause, retransmitted=fact.retransmitted)
        self.befell(fact.tenant, fact.order_id, what, fact.at)

    def befell(self, tenant: TenantId, order_id: str, what: Happening, at: Micros) -> None:
        order = self.tx.get(Order, tenant, order_id)
        if order is None:
            self.booked.counts["orders_unknown"] += 1
            return
        self.changed[order.id] = order
        denied = what.what is _H.NAKED and denies_session(what.cause, self.profile(order))
        session = self.not_denied(order) if denied else self.best(order)
        alone = session is None or self.books.alone(self.tx, session, order)
        self.step(order, replace(what, session=session, alone=alone), at)

    # Facts about sessions

    def answered(self, fact: Answered) -> None:
        told = Told()
        if fact.access is not Access.BLOCKED:
            told = sessions.asked(
                tenant=fact.tenant,
                nas_id=fact.nas_id,
                mac=fact.mac,
                ids=fact.ids,
                answer=Mark(fact.generation, fact.access),
                at=fact.at,
                of_mac=self.with_named(fact.tenant, fact.nas_id, fact.mac, fact.ids.get(44)),
            )
            self.store(told)
        for order in self.orders(fact.tenant, fact.mac):
            if proof.answers(order, fact.nas_id, fact.generation, fact.access):
                session = told.session or self.best(order)
                self.step(order, Happening(_H.ANSWERED, session=session), fact.at)
            elif told.session and proof.less_answered(order, fact.nas_id, fact.generation, fact.access, fact.at):
                self.step(order, Happening(_H.LESS, session=told.session), fact.at)
            elif told.session:
                self.appeared(order, told.session, fact.at)
        if told.session is not None:
            self.watch(told.session, fact.at)
        for session in told.ended:
            self.gone(session, fact.at)

    def heard(self, fact: Heard) -> None:
        if fact.mac is None or not fact.status.about_session:
            there = self.tx.find(Session, tenant=fact.tenant, nas_id=fact.nas_id, ended=None)
            told = sessions.hear(fact, (), there)
        else:
            told = sessions.hear(fact, self.with_named(fact.tenant, fact.nas_id, fact.mac, fact.session))
        self.store(told)
        if told.session is not None and told.session.ended is None:
            self.seen(fact, told.session)
        for session in told.ended:
            self.gone(session, fact.at)

    def with_named(self, tenant: TenantId, nas_id: str, mac: Mac, key: bytes | None) -> list[Session]:
        """The open sessions of a MAC and the one with this id, which may have ended."""
        found = self.present(tenant, mac)
        named = self.tx.get(Session, tenant, nas_id, key) if key else None
        return found if named is None or named in found else [*found, named]

    def seen(self, fact: Heard, session: Session) -> None:
        """A Start or Interim of an open session."""
        present = self.present(session.tenant, session.mac)
        for order in self.orders(session.tenant, session.mac):
            vlan = self.vlan(order)
            if (proved := proof.proof(order, present, vlan)) is not None:
                self.step(order, Happening(_H.PROOF, session=proved), fact.at)
            elif fact.status is Status.START and self.concerns(session, order) and proof.less(order, session, vlan):
                self.step(order, Happening(_H.LESS, session=session), fact.at)
            else:
                self.appeared(order, session, fact.at)
        if fact.status is Status.START and session.shown:
            self.watch(session, fact.at)

    def concerns(self, session: Session, order: Order) -> bool:
        """The order is about this session: its own, or one that came where its own is gone."""
        if order.session in (None, session.session):
            return True
        own = self.tx.get(Session, order.tenant, order.nas_id, order.session or b"")
        return order.nas_id == session.nas_id and (own is None or own.ended is not None)

    def appeared(self, order: Order, session: Session, at: Micros) -> None:
        """A session that the order did not know: a waiting one takes it, one whose session is gone follows it."""
        if order.state in OPEN_STATES and order.session != session.session and self.concerns(session, order):
            self.step(order, Happening(_H.APPEARED, session=session), at)

    def gone(self, ended: Session, at: Micros) -> None:
        """A session ended: orders there end with it, follow another one, or are proved now that it is gone."""
        present = self.present(ended.tenant, ended.mac)
        here = [session for session in present if session.nas_id == ended.nas_id]
        for order in self.orders(ended.tenant, ended.mac):
            if order.nas_id != ended.nas_id:
                continue
            if not here:
                self.step(order, Happening(_H.SESSION_ENDED), at)
            elif (proved := proof.proof(order, present, self.vlan(order))) is not None:
                self.step(order, Happening(_H.PROOF, session=proved), at)
            elif order.session == ended.session:
                self.step(order, Happening(_H.APPEARED, session=max(here, key=lambda s: s.started)), at)

    def watch(self, session: Session, at: Micros) -> None:
        """The standing watch over a session that was just shown by a Start, or begun by an Accept."""
        row = self.tx.get(MacAccess, session.tenant, session.mac)
        if row is None or (session.generation or 0) >= row.generation:
            return
        rules = self.books.snapshot.rules(session.tenant)
        put = watch.orders_for(
            session,
            row,
            self.orders(session.tenant, session.mac),
            vlan=rules.vlans.get(row.access, ""),
            paused=rules.paused,
            retry_us=lambda order: self.profile(order).retry_us,
            now=at,
            new_id=self.books.new_id,
        )
        self.booked.counts["orders_by_watch"] += bool(put)
        for order in put:
            self.put(order)

    # Steps and what they command

    def step(self, order: Order, what: Happening, at: Micros) -> None:
        done = step(order, what, at, self.profile(order))
        if done.stayed:
            self.booked.counts[f"stayed.{done.stayed}"] += 1
        if done.order != order:
            self.put(done.order)
        for command in done.commands:
            self.obey(command, done.order, at)
        if done.order.state is OrderState.WAITING_FOR_SESSION and order.state is not OrderState.WAITING_FOR_SESSION:
            self.elsewhere(done.order, at)

    def profile(self, order: Order) -> Profile:
        """The profile of the order's NAS; where it was removed, what is on the wire runs out by the generic times."""
        return self.books.profile(order) or profiles.load("generic")

    def elsewhere(self, order: Order, at: Micros) -> None:
        """An order that just lost its session: the MAC may have one on another NAS already."""
        present = self.present(order.tenant, order.mac)
        if (proved := proof.proof(order, present, self.vlan(order))) is not None:
            self.step(order, Happening(_H.PROOF, session=proved), at)
        elif present:
            newest = max(present, key=lambda session: session.started)
            self.step(order, Happening(_H.APPEARED, session=newest), at)

    def obey(self, command: Command, order: Order, at: Micros) -> None:
        if isinstance(command, StopSending):
            self.booked.stop.append(command.order_id)
        elif isinstance(command, CloseSession):
            self.close_session(command, order, at)
        elif isinstance(command, OpenOrder):
            self.watch(command.session, at)
        else:
            self.tell(command, order, at)

    def close_session(self, command: CloseSession, order: Order, at: Micros) -> None:
        session = self.tx.get(Session, order.tenant, command.nas_id, command.session)
        if session is None or session.ended is not None or session.updated > command.since:
            return
        ended = sessions.presume_ended(session, at)
        self.tx.put(ended)
        self.booked.counts["sessions_closed_unknown_to_nas"] += 1
        self.gone(ended, at)

    def tell(self, tell: Tell, order: Order, at: Micros) -> None:
        known = self.books.snapshot.nas(order.tenant, order.nas_id)
        event = event_of(tell, order, self.tx, known.nas if known else None, self.books.new_id(), at=at)
        self.tx.put(event)
        self.tx.note(order.tenant, "event", event.id)
        self.booked.events += 1
        self.booked.counts[str(tell.kind)] += 1

    def put(self, order: Order) -> None:
        self.tx.put(order)
        self.tx.note(order.tenant, "order", order.id)
        self.changed[order.id] = order

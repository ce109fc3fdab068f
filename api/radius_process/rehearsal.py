"""One move from beginning to end before the first real one, on things made for it alone, then undone.

Why: the first use of each statement makes it, the first order reads its switch's profile; together some 10 to 20 ms that
the first move after a start would take longer. Nothing of it stays: the transaction is given up, no datagram leaves.

It is a self-test too: a move that does not end confirmed is a defect, and says so at the start.
"""

import contextlib
from typing import Final

from api.radius_process.desk import Desk
from api.start import Undone
from radius_policy.coa.client import CoaClient, Datagram, Request, Unfinished
from radius_policy.enforcement.moves import Books
from radius_policy.enforcement.network_facts import Fact
from radius_policy.model import Access, Host, HostId, Mac, MacAccess, Micros, Nas, Order, OrderState, Session, TenantId
from radius_policy.nas import profile as profiles
from radius_policy.radius.attributes import Attribute, write_number
from radius_policy.radius.mark import Mark
from radius_policy.radius.server import Listener, RadiusServer
from radius_policy.radius.sessions import Status
from radius_policy.radius.snapshot import Delta, Snapshot, look
from radius_policy.radius.wire import Code, Secret, build_request, build_response, join, parse
from radius_policy.store.interface import Tx

_NAME: Final = "rehearsal"
_HOST, _MAC, _NAS = HostId(_NAME), Mac("02:00:00:00:00:00"), "192.0.2.1"  # an address for documentation (RFC 5737)
_SECRET: Final = bytes(16)


class RehearsalFailed(Exception):
    """The move did not come to its end: a defect. The message says where it stopped."""


def read_profiles(snapshot: Snapshot) -> None:
    """Read the profiles of all known switches; one that is missing is told with its first order."""
    for name in {nas.profile for nas in snapshot.whole().nas.values() if nas is not None}:
        with contextlib.suppress(profiles.ProfileError):
            profiles.load(name)


def rehearse(tx: Tx, tenant: TenantId, *, now: Micros) -> None:
    """A quarantine: ordered, sent, acknowledged, asked for, accounted. Always raises: Undone, or RehearsalFailed."""
    nas = Nas(tenant, _NAME, _NAS, _SECRET, _NAME, profile="lab")
    session = Session(tenant, _NAME, b"1", _MAC, port="1", ids={31: b"02-00-00-00-00-00", 44: b"1"}, started=now)
    row = MacAccess(tenant, _MAC, _HOST, Access.REMEDIATION, 2)
    order = Order(
        tenant, _NAME, _HOST, _MAC, Access.REMEDIATION, 2, OrderState.PLANNED, now, now, nas_id=_NAME, session=b"1"
    )
    tx.put(Host(tenant, _HOST, _NAME), nas, session, row, order)
    tx.note(tenant, "access", _MAC)
    look(tx, tx.last_change())
    snapshot = Snapshot()
    snapshot.apply(Delta(1, {(tenant, _MAC): row}, {(tenant, _NAME): nas}))
    scene = _Scene(tx, snapshot, Listener(_NAME, tenant), now)
    scene.desk.loaded(scene.desk.read(tx, [(tenant, "order", _NAME)]))
    scene.book()
    scene.acknowledge()
    scene.switch_asks(b"2")
    scene.switch_accounts(Status.STOP, b"1", Mark(1, Access.PRODUCTION))
    scene.switch_accounts(Status.START, b"2", Mark(2, Access.REMEDIATION))
    ended = tx.get(Order, tenant, _NAME)
    if ended is None or ended.state is not OrderState.CONFIRMED:
        raise RehearsalFailed(f"the rehearsal of a move ended {ended.state if ended else 'without its order'}")
    raise Undone


class _Wire:
    """Stands for the sockets: what would be sent stays here."""

    def __init__(self, now: Micros) -> None:
        self.client = CoaClient(lambda sentence: None)
        self.client.add_lane(0)
        self.sent: Datagram | None = None
        self._now = now

    def send(self, request: Request) -> Datagram | None:
        self.sent = self.client.send(request, self._now)
        return self.sent

    def resume(self, unfinished: Unfinished) -> bool:
        return False


class _Scene:
    """Desk, server and books for one move; what happens is booked at once."""

    def __init__(self, tx: Tx, snapshot: Snapshot, listener: Listener, now: Micros) -> None:
        self.tx, self.listener, self.now = tx, listener, now
        self.facts: list[Fact] = []
        self.wire = _Wire(now)
        self.books = Books(snapshot, lambda: _NAME)
        self.server = RadiusServer(snapshot, bytes(32), lambda sentence: None)
        self.desk = Desk(self.books, self.wire, self.server, self._take, clock=lambda: now, started=now)

    def _take(self, fact: Fact | None) -> None:
        if fact is not None:
            self.facts.append(fact)

    def book(self) -> None:
        facts, self.facts = self.facts, []
        self.desk.booked(self.books.book(self.tx, facts))

    def acknowledge(self) -> None:
        sent = self.wire.sent
        if sent is None:
            raise RehearsalFailed("the rehearsal of a move sent nothing")
        ack = build_response(Code.COA_ACK, parse(sent.octets), Secret(_SECRET))
        if (answer := self.wire.client.receive(sent.lane, sent.destination, ack, self.now)) is not None:
            self._take(self.desk.replied(answer))
        self.book()

    def switch_asks(self, session: bytes) -> None:
        attributes = join(((1, b"020000000000"), *self._about(session)))
        asked = build_request(Code.ACCESS_REQUEST, 1, Secret(_SECRET), attributes, authenticator=bytes(16))
        self._take(self.server.authentication(asked, (_NAS, 1), self.listener, self.now)[1])
        self.book()

    def switch_accounts(self, status: Status, session: bytes, mark: Mark) -> None:
        given = self.server.authorization(self.listener.tenant, _MAC, mark.generation, mark.access)
        attributes = join(((40, write_number(status)), *self._about(session))) + given
        asked = build_request(Code.ACCOUNTING_REQUEST, status, Secret(_SECRET), attributes)
        _, accounted = self.server.accounting(asked, (_NAS, 1), self.listener, self.now)
        if accounted is not None:
            self._take(accounted.heard)
        self.book()

    def _about(self, session: bytes) -> tuple[tuple[int, bytes], ...]:
        return (
            (Attribute.CALLING_STATION_ID, b"02-00-00-00-00-00"),
            (Attribute.NAS_PORT_ID, b"1"),
            (Attribute.ACCT_SESSION_ID, session),
        )

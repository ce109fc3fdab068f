"""One move under everything that networks do: messages late, lost, doubled and out of order, old answers, restarts.

A switch that does what switches do, the desk and the books as they are, and a clock. First anything happens, in any
order; then the world is good again. However it went before, the port ends in remediation and the move is confirmed, or it
has failed, people were told, and the endpoint's next authentication repairs it. Nothing waits for ever, nothing is
confirmed that is not so.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.radius_process.desk import Desk
from radius_policy.coa.client import CoaClient, Datagram, GaveUp, Request, Unfinished
from radius_policy.enforcement import planning
from radius_policy.enforcement.moves import Books
from radius_policy.enforcement.network_facts import Fact
from radius_policy.enforcement.table import Happens
from radius_policy.model import (
    SECOND,
    Access,
    Event,
    EventKind,
    Host,
    HostId,
    Mac,
    MacAccess,
    Nas,
    Order,
    OrderState,
    Session,
    TenantId,
)
from radius_policy.radius.attributes import write_number
from radius_policy.radius.mark import Mark
from radius_policy.radius.server import Answered, RadiusServer
from radius_policy.radius.sessions import Heard, Status
from radius_policy.radius.snapshot import Delta, Snapshot
from radius_policy.radius.wire import Code, Secret, attribute, build_response, parse
from radius_policy.store.memory import MemoryStore

TENANT, MAC, HOST = TenantId(1), Mac("02:00:00:00:00:10"), HostId("host-0010")
STATION, SECRET = b"02-00-00-00-00-10", b"a-secret"
BEFORE, DECIDED = Mark(1, Access.PRODUCTION), Mark(2, Access.REMEDIATION)
S = OrderState
ANSWERS = {Code.COA_REQUEST: Code.COA_ACK, Code.DISCONNECT_REQUEST: Code.DISCONNECT_ACK}


@dataclass(frozen=True)
class Message:
    """Something on its way; `arrive` is what happens when it comes. `repeated`: if lost, the switch sends it again."""

    arrive: Callable[[], None]
    repeated: bool = True


class Switch:
    """One port. Each authentication makes a new session; one is under way at a time."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.numbers = count(1)
        self.session, self.mark = b"", BEFORE
        self.asking = b""
        self.answered: dict[bytes, bytes] = {}

    def authenticate(self) -> None:
        if not self.asking:
            session = self.asking = b"%08d" % next(self.numbers)
            self.world.on_its_way.append(Message(lambda: self.world.asked(session)))

    def accept(self, session: bytes, mark: Mark) -> None:
        if session != self.asking:
            return
        old, old_mark, self.asking = self.session, self.mark, b""
        self.session, self.mark = session, mark
        if old:
            self.world.on_its_way.append(Message(lambda: self.world.accounted(Status.STOP, old, old_mark)))
        self.world.on_its_way.append(Message(lambda: self.world.accounted(Status.START, session, mark)))

    def interim(self) -> None:
        session, mark = self.session, self.mark
        self.world.on_its_way.append(Message(lambda: self.world.accounted(Status.INTERIM, session, mark)))

    def order(self, sent: Datagram) -> None:
        """A CoA or Disconnect arrived: the answer on its way, and what it does."""
        if (again := self.answered.get(sent.octets)) is not None:
            self.world.on_its_way.append(Message(lambda: self.world.answer(sent, again), False))
            return
        packet = parse(sent.octets)
        good = packet.first(44) == self.session
        code = ANSWERS[Code(packet.code)] + (0 if good else 1)
        cause = b"" if good else attribute(101, write_number(503))
        answer = self.answered[sent.octets] = build_response(code, packet, Secret(SECRET), cause)
        self.world.on_its_way.append(Message(lambda: self.world.answer(sent, answer), False))
        if good:
            self.authenticate()


class World:
    """`on_its_way` are the messages between switch and service, `facts` what the service has not booked yet."""

    def __init__(self) -> None:
        self.now = 1_000 * SECOND
        self.on_its_way: list[Message] = []
        self.facts: list[Fact] = []
        self.stale = False
        numbers = count(1)
        self.new_id = lambda: f"id{next(numbers):04}"
        self.store = MemoryStore()
        self.snapshot = Snapshot()
        nas = Nas(TENANT, "sw1", "10.0.0.1", SECRET, name="switch", profile="lab")
        self.snapshot.apply(Delta(1, nas={(TENANT, "sw1"): nas}))
        with self.store.transaction() as tx:
            tx.put(Host(TENANT, HOST, "pc10"))
        self.switch = Switch(self)
        self.begin()
        self.decide(BEFORE)
        self.switch.authenticate()
        self.settle()
        assert self.state() is S.CONFIRMED

    # The service

    def begin(self) -> None:
        """A service starts; what the one before had not booked is lost, but for accounting: it was not answered."""
        unanswered = [fact for fact in self.facts if isinstance(fact, Heard)]
        self.on_its_way += [Message(lambda fact=fact: self.heard_again(fact)) for fact in unanswered]
        self.facts.clear()
        self.answers: dict[bytes, Mark] = {}
        self.client = CoaClient(lambda sentence: None, random.Random(1))
        self.client.add_lane(40_000)
        self.books = Books(self.snapshot, self.new_id)
        server = RadiusServer(self.snapshot, bytes(32), lambda sentence: None)
        self.desk = Desk(self.books, self, server, self.take, clock=lambda: self.now, started=self.now)
        self.desk.restarted(self.desk.read_open(self.store.reading(), [TENANT]))

    def take(self, fact: Fact | None) -> None:
        if fact is not None:
            self.facts.append(fact)

    def book(self) -> None:
        facts, self.facts = self.facts, []
        if facts:
            with self.store.transaction() as tx:
                booked = self.books.book(tx, facts)
            self.desk.booked(booked)

    def send(self, request: Request) -> Datagram | None:
        sent = self.client.send(request, self.now)
        self.on_its_way.append(Message(lambda: self.switch.order(sent), False))
        return sent

    def resume(self, unfinished: Unfinished) -> bool:
        self.client.resume(unfinished, self.now)
        return True

    def pass_time(self) -> None:
        self.now += SECOND
        for due in self.client.expire(self.now, self.desk.may_repeat):
            if isinstance(due, GaveUp):
                self.take(self.desk.happened(due.token, Happens.NO_ANSWER))
            else:
                self.on_its_way.append(Message(lambda due=due: self.switch.order(due), False))
        self.desk.tick()

    def decide(self, mark: Mark) -> None:
        row = MacAccess(TENANT, MAC, HOST, mark.access, mark.generation)
        with self.store.transaction() as tx:
            put = planning.plan(
                tenant=TENANT,
                host_id=HOST,
                macs=[MAC],
                sessions=tx.find(Session, tenant=TENANT, mac=MAC),
                open_orders=tx.find(Order, tenant=TENANT, mac=MAC),
                access=mark.access,
                generation=mark.generation,
                tightens=mark.access is Access.REMEDIATION,
                by="policy",
                now=self.now,
                new_id=self.new_id,
            )
            tx.put(row, *put)
        self.snapshot.apply(Delta(1, {(TENANT, MAC): row}))
        self.desk.loaded([self.books.load(self.store.reading(), order) for order in put])

    # What arrives at the service

    def asked(self, session: bytes) -> None:
        mark = self.answers.get(session)
        if mark is None:
            row = self.snapshot.mac(TENANT, MAC)
            mark = BEFORE if self.stale or row is None else Mark(row.generation, row.access)
            self.answers[session] = mark
            ids = {31: STATION, 87: b"eth7", 44: session}
            self.take(Answered(TENANT, "sw1", MAC, mark.access, mark.generation, ids, self.now))
        self.on_its_way.append(Message(lambda: self.switch.accept(session, mark)))

    def accounted(self, status: Status, session: bytes, mark: Mark) -> None:
        attributes = [(31, STATION), (44, session), (87, b"eth7")]
        self.take(
            Heard.of(
                status=status,
                tenant=TENANT,
                nas_id="sw1",
                mac=MAC,
                session=session,
                attributes=attributes,
                mark=mark,
                at=self.now,
            )
        )

    def heard_again(self, fact: Heard) -> None:
        self.take(replace(fact, at=self.now, began=self.now))

    def answer(self, sent: Datagram, octets: bytes) -> None:
        got = self.client.receive(sent.lane, sent.destination, octets, self.now)
        if got is not None:
            self.take(self.desk.replied(got))

    # What is true

    def orders(self) -> list[Order]:
        return self.store.reading().find(Order, tenant=TENANT, mac=MAC, order="created")

    def state(self) -> OrderState:
        """That of the newest order that was not superseded."""
        return [order.state for order in self.orders() if order.state is not S.SUPERSEDED][-1]

    def settle(self) -> None:
        """All arrives, nothing is lost, time passes, and the switch speaks of its session now and then."""
        self.stale = False
        for second in range(90):
            if second > 1 and not self.on_its_way and not self.desk.states():
                return
            while self.on_its_way or self.facts:
                arriving, self.on_its_way = self.on_its_way, []
                for message in arriving:
                    message.arrive()
                self.book()
            if second % 20 == 0:
                self.switch.interim()
            self.pass_time()


def chaos(world: World, data: st.DataObject) -> None:
    """One thing happens."""
    do = data.draw(
        st.sampled_from(["arrive", "arrive", "arrive", "book", "book", "lose", "double", "time", "restart", "ask"])
    )
    if do in ("arrive", "lose", "double") and world.on_its_way:
        index = data.draw(st.integers(0, len(world.on_its_way) - 1))
        message = world.on_its_way[index] if do == "double" else world.on_its_way.pop(index)
        if do != "lose":
            world.stale = data.draw(st.booleans())
            message.arrive()
        elif message.repeated:
            world.on_its_way.append(message)
    elif do == "book":
        world.book()
    elif do == "time":
        world.pass_time()
    elif do == "restart":
        world.begin()
    elif do == "ask":
        world.switch.authenticate()


@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_however_it_went_the_move_comes_to_its_end(data: st.DataObject) -> None:
    world = World()
    world.decide(DECIDED)
    for _ in range(data.draw(st.integers(0, 40))):
        chaos(world, data)
    world.settle()
    if world.state() is S.FAILED:
        kinds = [event.kind for event in world.store.reading().find(Event, tenant=TENANT)]
        assert EventKind.MOVE_FAILED in kinds
        world.switch.authenticate()
        world.settle()
    assert world.state() is S.CONFIRMED, [replace(order, datagram=b"") for order in world.orders()]
    assert world.switch.mark == DECIDED
    live = world.store.reading().find(Session, tenant=TENANT, mac=MAC, ended=None)
    assert [session.session for session in live] == [world.switch.session]

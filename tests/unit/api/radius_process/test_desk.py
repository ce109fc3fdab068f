"""The open orders in memory: each goes out once, whatever order records and facts arrive in."""

from dataclasses import replace

import pytest

from api.radius_process.desk import Desk
from radius_policy.coa.client import Answer, Datagram, Request, Unfinished
from radius_policy.enforcement.moves import Books
from radius_policy.enforcement.network_facts import Booked, Happened, Loaded, Replied, Sent
from radius_policy.enforcement.table import Happens
from radius_policy.model import (
    SECOND,
    Access,
    HostId,
    Mac,
    MacAccess,
    Nas,
    Order,
    OrderState,
    Session,
    Setting,
    TenantId,
)
from radius_policy.radius.server import RadiusServer
from radius_policy.radius.snapshot import Delta, Snapshot

S = OrderState
TENANT, MAC = TenantId(1), Mac("02:00:00:00:00:10")
SESSION = Session(TENANT, "sw1", b"0001", MAC, ids={44: b"0001", 31: b"02-00-00-00-00-10"})
ORDER = Order(TENANT, "o1", HostId("h"), MAC, Access.REMEDIATION, 7, S.PLANNED, 100, 100, nas_id="sw1", session=b"0001")


class Wire:
    """Stands for the CoA shell: remembers what was sent, and has a free identifier or not."""

    def __init__(self) -> None:
        self.client = self
        self.sent: list[Request] = []
        self.resumed: list[Unfinished] = []
        self.stopped: list[str] = []
        self.free = self.binds = True

    def send(self, request: Request) -> Datagram | None:
        if not self.free:
            return None
        self.sent.append(request)
        return Datagram(40000, request.destination, b"octets of " + request.token.encode(), len(self.sent))

    def resume(self, unfinished: Unfinished) -> bool:
        self.resumed.append(unfinished)
        return self.binds

    def stop(self, token: str) -> bool:
        self.stopped.append(token)
        return True

    def waits(self, token: str) -> bool:
        return False


class Room:
    def __init__(self, generation: int = 7) -> None:
        self.now = 1_000 * SECOND
        self.snapshot = Snapshot()
        self.answer(generation)
        self.snapshot.apply(Delta(1, nas={(TENANT, "sw1"): Nas(TENANT, "sw1", "10.0.0.1", b"s", profile="lab")}))
        self.wire = Wire()
        self.facts: list = []
        books = Books(self.snapshot, lambda: "id")
        server = RadiusServer(self.snapshot, b"k" * 32, lambda text: None)
        self.desk = Desk(books, self.wire, server, self.facts.append, clock=lambda: self.now, started=self.now)

    def answer(self, generation: int) -> None:
        row = MacAccess(TENANT, MAC, HostId("h"), Access.REMEDIATION, generation)
        self.snapshot.apply(Delta(1, {(TENANT, MAC): row}))

    def pause(self) -> None:
        self.snapshot.apply(
            Delta(1, settings={(TENANT, "pause"): Setting(TENANT, "pause", {"paused": True}, 1, "", 0)})
        )


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_planned_order_goes_out_at_once_and_is_booked_behind_it(room) -> None:
    room.desk.loaded([Loaded(ORDER, SESSION)])
    (request,) = room.wire.sent
    assert request.destination == ("10.0.0.1", 3799)
    (fact,) = room.facts
    assert isinstance(fact, Sent)
    assert (fact.order_id, fact.identifier, fact.source_port, fact.datagram) == ("o1", 1, 40000, b"octets of o1")
    assert room.desk.states() == {"sent": 1}


def test_it_waits_until_radius_answers_its_generation() -> None:
    room = Room(generation=6)
    room.desk.loaded([Loaded(ORDER, SESSION)])
    assert room.wire.sent == []
    room.answer(7)
    room.desk.tick()
    assert len(room.wire.sent) == 1


def test_an_older_record_that_a_slow_look_brings_does_not_send_it_again(room) -> None:
    room.desk.loaded([Loaded(ORDER, SESSION)])
    room.desk.loaded([Loaded(ORDER, SESSION)])
    booked_elsewhere = Booked(orders={"o1": Loaded(ORDER, SESSION)})
    room.desk.booked(booked_elsewhere)
    assert len(room.wire.sent) == 1, "its sending is not booked yet, so no record of before may undo it"
    sent = replace(ORDER, state=S.SENT, changed=room.now)
    room.desk.booked(Booked(orders={"o1": Loaded(sent)}, sent=["o1"]))
    room.desk.loaded([Loaded(ORDER, SESSION)])
    assert len(room.wire.sent) == 1


def test_what_was_superseded_meanwhile_is_let_go_when_its_sending_is_booked(room) -> None:
    room.desk.loaded([Loaded(ORDER, SESSION)])
    gone = replace(ORDER, state=S.SUPERSEDED, changed=50)
    room.desk.booked(Booked(orders={"o1": Loaded(gone)}, sent=["o1"]))
    assert room.desk.states() == {}
    assert "o1" in room.wire.stopped
    newer = replace(ORDER, id="o2", generation=7, created=200, changed=200)
    room.desk.loaded([Loaded(newer, SESSION)])
    assert [request.token for request in room.wire.sent] == ["o1", "o2"]


def test_a_newer_order_of_the_session_waits_for_the_one_on_the_wire(room) -> None:
    room.desk.loaded([Loaded(ORDER, SESSION)])
    newer = replace(ORDER, id="o2", created=200, changed=200)
    room.desk.loaded([Loaded(newer, SESSION)])
    assert [request.token for request in room.wire.sent] == ["o1"]
    room.desk.booked(Booked(orders={"o1": Loaded(replace(ORDER, state=S.SUPERSEDED))}, sent=["o1"]))
    assert [request.token for request in room.wire.sent] == ["o1", "o2"]


def test_without_a_free_identifier_it_is_tried_again(room) -> None:
    room.wire.free = False
    room.desk.loaded([Loaded(ORDER, SESSION)])
    assert room.facts == []
    room.wire.free = True
    room.desk.tick()
    assert len(room.wire.sent) == 1


@pytest.mark.parametrize(
    ("loaded", "what"),
    [
        (Loaded(ORDER, None), Happens.SESSION_ENDED),
        (Loaded(replace(ORDER, nas_id="gone"), SESSION), Happens.NO_WAY),
        (Loaded(ORDER, replace(SESSION, ids={})), Happens.NO_WAY),
    ],
    ids=["no session", "no switch", "no identifier"],
)
def test_what_cannot_be_sent_is_told_once_and_why(room, loaded, what) -> None:
    room.desk.loaded([loaded])
    room.desk.tick()
    (fact,) = room.facts
    assert (fact.order_id, fact.what) == ("o1", what)
    assert what is Happens.SESSION_ENDED or fact.text


def test_time_makes_happen_what_the_profile_says(room) -> None:
    waiting = replace(ORDER, state=S.ACKNOWLEDGED, changed=room.now)
    room.desk.loaded([Loaded(waiting)])
    room.desk.tick()
    assert room.facts == []
    room.now += 6 * SECOND
    room.desk.tick()
    room.desk.tick()
    assert room.facts == [Happened(TENANT, "o1", Happens.CONFIRM_OVER, room.now)]


def test_after_a_restart_timers_start_anew_and_what_was_sent_goes_on_or_is_assumed_sent(room) -> None:
    octets = bytes(20)
    sent = replace(
        ORDER, state=S.SENT, changed=room.now - SECOND, sent_at=room.now - SECOND, source_port=40001, datagram=octets
    )
    old = replace(sent, id="o2", sent_at=1)
    room.desk.restarted([Loaded(sent), Loaded(old)])
    assert [unfinished.lane for unfinished in room.wire.resumed] == [40001]
    assert room.wire.resumed[0].left_us == 9 * SECOND
    assert [(fact.order_id, fact.what) for fact in room.facts] == [("o2", Happens.RESTARTED)]
    unbindable = Room()
    unbindable.wire.binds = False
    unbindable.desk.restarted([Loaded(sent)])
    assert [fact.what for fact in unbindable.facts] == [Happens.RESTARTED]
    waiting = replace(ORDER, id="o3", state=S.ACKNOWLEDGED, changed=1)
    room.facts.clear()
    room.desk.restarted([Loaded(waiting)])
    room.desk.tick()
    assert room.facts == [], "its time begins with the service"


def test_a_pause_supersedes_what_is_unsent_and_stops_repetitions(room) -> None:
    sent = replace(ORDER, id="o2", state=S.SENT, changed=room.now, session=b"other")
    room.pause()
    room.desk.loaded([Loaded(ORDER, SESSION), Loaded(sent)])
    assert room.wire.sent == []
    assert not room.desk.may_repeat("o2")
    room.desk.tick()
    assert [(fact.order_id, fact.what) for fact in room.facts] == [("o1", Happens.PAUSED)]
    release = replace(ORDER, id="o3", tightens=False, created=300, changed=300)
    room.desk.loaded([Loaded(release, SESSION)])
    assert [request.token for request in room.wire.sent] == ["o3"]


def test_answers_to_orders_that_are_over_are_nobodys(room) -> None:
    assert room.desk.replied(Answer("nobody", 1, True, None, False)) is None
    room.desk.loaded([Loaded(ORDER, SESSION)])
    assert room.desk.replied(Answer("o1", 1, False, 503, True)) == Replied(TENANT, "o1", 1, False, 503, True, room.now)
    assert not room.desk.may_repeat("nobody")

"""Facts from the network, booked in the store: sessions, orders and events of one transaction."""

from dataclasses import replace
from itertools import count

import pytest

from radius_policy.enforcement import planning
from radius_policy.enforcement.moves import Books
from radius_policy.enforcement.network_facts import Happened, Replied, Sent
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
    Setting,
    TenantId,
)
from radius_policy.nas.profile import load
from radius_policy.radius.mark import Mark
from radius_policy.radius.server import Answered
from radius_policy.radius.sessions import Heard, Status
from radius_policy.radius.snapshot import Delta, Snapshot
from radius_policy.store.memory import MemoryStore

S, H = OrderState, Happens
TENANT, MAC, HOST = TenantId(1), Mac("02:00:00:00:00:10"), HostId("host-0010")
STATION = b"02-00-00-00-00-10"
LAB = load("lab")


class Site:
    """A store, a snapshot that follows it, and a clock that goes on by a second with each fact."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.snapshot = Snapshot()
        numbers = count(1)
        self.books = Books(self.snapshot, lambda: f"id{next(numbers):04}")
        self.now = 1_000 * SECOND
        nas = {
            (TENANT, name): Nas(TENANT, name, f"10.0.0.{n}", b"s", name=f"switch {n}", profile="lab")
            for n, name in enumerate(("sw1", "sw2"))
        }
        self.snapshot.apply(Delta(1, nas=nas))
        with self.store.transaction() as tx:
            tx.put(Host(TENANT, HOST, "pc10", site="north"))

    def book(self, *facts):
        with self.store.transaction() as tx:
            return self.books.book(tx, facts)

    def tick(self) -> int:
        self.now += SECOND
        return self.now

    def decide(self, access: Access, *, tightens: bool = True) -> int:
        with self.store.transaction() as tx:
            generation = tx.next_generation(TENANT)
            row = MacAccess(TENANT, MAC, HOST, access, generation)
            tx.put(row)
            tx.put(
                *planning.plan(
                    tenant=TENANT,
                    host_id=HOST,
                    macs=[MAC],
                    sessions=tx.find(Session, tenant=TENANT, mac=MAC),
                    open_orders=tx.find(Order, tenant=TENANT, mac=MAC),
                    access=access,
                    generation=generation,
                    tightens=tightens,
                    by="policy",
                    now=self.tick(),
                    new_id=self.books.new_id,
                )
            )
        self.snapshot.apply(Delta(1, {(TENANT, MAC): row}))
        return generation

    def asks(self, session: bytes = b"", *, nas_id: str = "sw1", answer: Mark | None = None):
        row = self.snapshot.mac(TENANT, MAC)
        mark = answer or Mark(row.generation, row.access)
        ids = {31: STATION, 87: b"eth7"} | ({44: session} if session else {})
        return self.book(Answered(TENANT, nas_id, MAC, mark.access, mark.generation, ids, self.tick()))

    def accounts(
        self, status: Status, session: bytes, mark: Mark | None = None, *, nas_id: str = "sw1", vlan: str = ""
    ):
        attributes = [(31, STATION), (44, session), (87, b"eth7")] + ([(81, b"\0" + vlan.encode())] if vlan else [])
        return self.book(
            Heard.of(
                status=status,
                tenant=TENANT,
                nas_id=nas_id,
                mac=MAC,
                session=session,
                attributes=attributes,
                mark=mark,
                at=self.tick(),
            )
        )

    def sends(self, order: Order, *, identifier: int = 5):
        named = order.session or b""
        return self.book(Sent(TENANT, order.id, order.method, identifier, 40000, b"octets", named, self.tick()))

    def acks(
        self,
        order: Order,
        *,
        ack: bool = True,
        cause: int | None = None,
        retransmitted: bool = False,
        identifier: int = 5,
    ):
        return self.book(Replied(TENANT, order.id, identifier, ack, cause, retransmitted, self.tick()))

    def happens(self, order: Order, what: Happens, text: str = ""):
        return self.book(Happened(TENANT, order.id, what, self.tick(), text))

    def orders(self) -> list[Order]:
        return self.store.reading().find(Order, tenant=TENANT, order="created")

    def order(self) -> Order:
        return self.orders()[-1]

    def open_sessions(self) -> list[Session]:
        return self.store.reading().find(Session, tenant=TENANT, mac=MAC, ended=None)

    def told(self) -> list[Event]:
        return self.store.reading().find(Event, tenant=TENANT, order="at")


@pytest.fixture
def site() -> Site:
    """A host in production, its session proved."""
    made = Site()
    generation = made.decide(Access.PRODUCTION)
    made.asks(b"0001")
    made.accounts(Status.START, b"0001", Mark(generation, Access.PRODUCTION))
    assert made.order().state is S.CONFIRMED
    return made


def quarantined(site: Site) -> tuple[Order, Mark]:
    generation = site.decide(Access.REMEDIATION)
    return site.order(), Mark(generation, Access.REMEDIATION)


def test_a_whole_move_leaves_one_event_with_its_facts(site: Site) -> None:
    order, mark = quarantined(site)
    assert (order.state, order.session) == (S.PLANNED, b"0001")
    site.sends(order)
    site.acks(order)
    booked = site.asks(b"0002")
    assert booked.orders[order.id].order.state is S.ANSWERED
    site.accounts(Status.STOP, b"0001", Mark(1, Access.PRODUCTION))
    assert site.order().state is S.ANSWERED
    site.accounts(Status.START, b"0002", mark)
    assert (site.order().state, site.order().session) == (S.CONFIRMED, b"0002")
    event = site.told()[-1]
    assert event.kind == EventKind.MOVE_CONFIRMED
    assert event.site == "north"
    assert event.facts["port"] == "eth7"
    assert event.facts["switch"] == "switch 0"
    assert event.facts["access"] == "remediation"
    assert event.facts["ms"] == 5000
    assert "pc10" in event.text
    noted = {(change.kind, change.key) for change in site.store.reading().changes_since(0)}
    assert ("event", event.id) in noted
    assert ("order", order.id) in noted


def test_an_acknowledgement_with_nothing_behind_it_is_never_confirmed(site: Site) -> None:
    order, _ = quarantined(site)
    for _ in range(10):
        site.sends(site.order())
        site.acks(site.order())
        site.happens(site.order(), H.CONFIRM_OVER)
        site.happens(site.order(), H.RETRY)
    assert site.order().id == order.id
    assert site.order().state is S.FAILED
    assert [event.kind for event in site.told()][1:] == [EventKind.MOVE_NOT_CONFIRMED, EventKind.MOVE_FAILED]


def test_an_old_sessions_interim_is_neither_proof_nor_less(site: Site) -> None:
    order, _ = quarantined(site)
    site.sends(order)
    site.accounts(Status.INTERIM, b"0001", Mark(1, Access.PRODUCTION))
    assert site.order().state is S.SENT


def test_a_new_session_with_the_old_access_after_the_send_is_noticed(site: Site) -> None:
    order, _ = quarantined(site)
    site.sends(order)
    site.acks(order)
    site.accounts(Status.STOP, b"0001")
    site.accounts(Status.START, b"0002", Mark(1, Access.PRODUCTION))
    assert site.order().state is S.NOT_CONFIRMED
    site.happens(site.order(), H.RETRY)
    assert (site.order().state, site.order().session) == (S.PLANNED, b"0002")


def test_the_vlan_in_accounting_proves_it_without_class(site: Site) -> None:
    order, _ = quarantined(site)
    site.sends(order)
    site.accounts(Status.STOP, b"0001")
    site.accounts(Status.START, b"0002", vlan="66")
    assert site.order().state is S.CONFIRMED


def test_no_confirmation_while_an_old_session_stands_open_beside_it(site: Site) -> None:
    order, mark = quarantined(site)
    with site.store.transaction() as tx:
        (open_one,) = tx.find(Session, tenant=TENANT, mac=MAC, ended=None)
        tx.put(replace(open_one, port="eth9", ids={44: b"0001"}))
    site.sends(order)
    site.accounts(Status.START, b"0002", mark)
    assert site.order().state is S.SENT
    site.accounts(Status.STOP, b"0001")
    assert site.order().state is S.CONFIRMED, "with the old one gone the new one proves it"


def test_a_host_without_session_waits_and_is_moved_when_it_comes() -> None:
    site = Site()
    generation = site.decide(Access.REMEDIATION)
    assert site.order().state is S.WAITING_FOR_SESSION
    booked = site.asks(b"0001", nas_id="sw2")
    assert booked.orders[site.order().id].order.state is S.ANSWERED
    site.accounts(Status.START, b"0001", Mark(generation, Access.REMEDIATION), nas_id="sw2")
    assert (site.order().state, site.order().nas_id) == (S.CONFIRMED, "sw2")


def test_a_waiting_order_takes_a_session_that_appears_without_class() -> None:
    site = Site()
    site.decide(Access.REMEDIATION)
    booked = site.accounts(Status.INTERIM, b"0001")
    assert (site.order().state, site.order().session) == (S.PLANNED, b"0001")
    assert booked.orders[site.order().id].session.ids[31] == STATION, "ready to be sent"


def test_the_last_stop_makes_a_planned_order_wait_and_another_switch_takes_it_over(site: Site) -> None:
    order, mark = quarantined(site)
    site.accounts(Status.STOP, b"0001")
    assert site.order().state is S.WAITING_FOR_SESSION
    site.asks(b"0009", nas_id="sw2")
    site.accounts(Status.START, b"0009", mark, nas_id="sw2")
    assert (site.order().id, site.order().state, site.order().nas_id) == (order.id, S.CONFIRMED, "sw2")


def test_an_endpoint_that_went_to_another_switch_is_followed(site: Site) -> None:
    site.accounts(Status.START, b"0009", Mark(1, Access.PRODUCTION), nas_id="sw2")
    site.decide(Access.REMEDIATION)
    first, second = site.orders()[-2:]
    assert {first.nas_id, second.nas_id} == {"sw1", "sw2"}
    here = first if first.nas_id == "sw1" else second
    site.accounts(Status.STOP, b"0001")
    moved = site.store.reading().get(Order, TENANT, here.id)
    assert (moved.state, moved.nas_id) == (S.PLANNED, "sw2"), "ended here, ordered there"


def test_a_switch_that_does_not_know_the_session_closes_it_here(site: Site) -> None:
    order, _ = quarantined(site)
    site.sends(order)
    site.acks(order, ack=False, cause=503)
    assert site.order().state is S.WAITING_FOR_SESSION
    assert site.open_sessions() == []


def test_where_407_does_not_mean_that_the_next_method_is_tried_on_the_same_session(site: Site) -> None:
    order, _ = quarantined(site)
    site.sends(order)
    site.acks(order, ack=False, cause=407)
    assert (site.order().state, site.order().method, site.order().session) == (S.PLANNED, 1, b"0001")
    assert len(site.open_sessions()) == 1


def test_a_refusal_507_is_an_acknowledgement(site: Site) -> None:
    order, _ = quarantined(site)
    site.sends(order)
    site.acks(order, ack=False, cause=507)
    assert site.order().state is S.ACKNOWLEDGED


def test_blocked_is_proved_by_our_answer_and_the_last_stop(site: Site) -> None:
    site.decide(Access.BLOCKED)
    site.sends(site.order())
    site.acks(site.order())
    site.asks(b"0002")
    assert site.order().state is S.ANSWERED
    site.accounts(Status.STOP, b"0001")
    assert site.order().state is S.CONFIRMED
    assert site.open_sessions() == [], "a Reject begins no session"


def test_accounting_on_ends_all_and_orders_wait(site: Site) -> None:
    quarantined(site)
    site.book(
        Heard.of(
            status=Status.ON,
            tenant=TENANT,
            nas_id="sw1",
            mac=None,
            session=b"",
            attributes=[],
            mark=None,
            at=site.tick(),
        )
    )
    assert site.open_sessions() == []
    assert site.order().state is S.WAITING_FOR_SESSION


class TestAnswerFromTheFile:
    """After a restart RADIUS answers from its file: the new session may get the access of before."""

    PRODUCTION = Mark(1, Access.PRODUCTION)

    def test_a_refusal_closes_the_session_that_the_datagram_named_not_the_one_that_came_since(self, site: Site) -> None:
        order, _ = quarantined(site)
        site.asks(b"0002", answer=self.PRODUCTION)
        site.sends(order)
        site.accounts(Status.STOP, b"0001")
        assert site.order().session == b"0002", "it follows the endpoint"
        site.acks(order, ack=False, cause=503)
        assert [session.session for session in site.open_sessions()] == [b"0002"]
        assert (site.order().state, site.order().session) == (S.PLANNED, b"0002")

    def test_and_the_move_goes_on_with_the_new_session_to_its_end(self, site: Site) -> None:
        order, mark = quarantined(site)
        site.asks(b"0002", answer=self.PRODUCTION)
        site.sends(order)
        site.accounts(Status.STOP, b"0001")
        site.acks(order, ack=False, cause=503)
        site.sends(site.order())
        site.acks(site.order())
        site.asks(b"0003")
        site.accounts(Status.STOP, b"0002")
        site.accounts(Status.START, b"0003", mark)
        assert site.order().state is S.CONFIRMED

    def test_a_refusal_of_an_older_datagram_says_nothing_of_the_present_one(self, site: Site) -> None:
        order, _ = quarantined(site)
        site.sends(order, identifier=5)
        site.happens(order, H.NO_ANSWER)
        site.sends(site.order(), identifier=6)
        site.acks(order, ack=False, cause=503, identifier=5)
        assert site.order().state is S.SENT
        assert len(site.open_sessions()) == 1

    def test_a_session_that_the_switch_spoke_of_since_the_send_is_not_closed_by_a_refusal(self, site: Site) -> None:
        order, _ = quarantined(site)
        site.sends(order)
        site.accounts(Status.INTERIM, b"0001", self.PRODUCTION)
        site.acks(order, ack=False, cause=503)
        assert [session.session for session in site.open_sessions()] == [b"0001"]
        assert (site.order().state, site.order().refreshed) == (S.PLANNED, True)
        site.sends(site.order())
        site.accounts(Status.INTERIM, b"0001", self.PRODUCTION)
        site.acks(site.order(), ack=False, cause=503)
        assert (site.order().state, site.order().method) == (S.PLANNED, 1), "once, then the next method"

    @pytest.mark.parametrize("status", [Status.START, Status.INTERIM])
    def test_a_session_that_we_closed_ourselves_opens_again_when_the_switch_speaks_of_it(
        self, site: Site, status: Status
    ) -> None:
        order, _ = quarantined(site)
        site.sends(order)
        site.acks(order, ack=False, cause=503)
        assert site.order().state is S.WAITING_FOR_SESSION
        booked = site.accounts(status, b"0001", self.PRODUCTION)
        assert [session.session for session in site.open_sessions()] == [b"0001"]
        assert (site.order().state, site.order().session) == (S.PLANNED, b"0001"), "the session appears"
        assert booked.orders[order.id].session is not None, "ready to be sent"

    def test_a_session_that_the_switch_ended_stays_ended(self, site: Site) -> None:
        order, _ = quarantined(site)
        site.sends(order)
        site.acks(order, ack=False, cause=503)
        site.accounts(Status.STOP, b"0001", self.PRODUCTION)
        site.accounts(Status.INTERIM, b"0001", self.PRODUCTION)
        assert site.open_sessions() == []

    def test_a_switch_that_speaks_of_a_session_and_refuses_it_each_time_ends_in_a_failure_that_is_told(
        self, site: Site
    ) -> None:
        quarantined(site)
        for _ in range(10):
            if site.order().state is S.PLANNED:
                site.sends(site.order())
                site.acks(site.order(), ack=False, cause=503)
            site.accounts(Status.INTERIM, b"0001", self.PRODUCTION)
        assert site.order().state is S.FAILED
        assert site.told()[-1].kind == EventKind.MOVE_FAILED

    def test_what_a_refusal_leaves_may_be_the_proof(self, site: Site) -> None:
        order, mark = quarantined(site)
        with site.store.transaction() as tx:
            (open_one,) = tx.find(Session, tenant=TENANT, mac=MAC, ended=None)
            tx.put(replace(open_one, port="eth9", ids={44: b"0001"}))
        site.accounts(Status.START, b"0002", mark)
        site.sends(order)
        site.acks(order, ack=False, cause=503)
        assert (site.order().state, site.order().session) == (S.CONFIRMED, b"0002")


class TestStandingWatch:
    def test_less_on_a_confirmed_session_opens_a_new_order(self, site: Site) -> None:
        order, mark = quarantined(site)
        site.sends(order)
        site.accounts(Status.STOP, b"0001")
        site.accounts(Status.START, b"0002", mark)
        assert site.order().state is S.CONFIRMED
        site.accounts(Status.STOP, b"0002")
        booked = site.accounts(Status.START, b"0003", Mark(1, Access.PRODUCTION))
        assert booked.counts["orders_by_watch"] == 1
        again = site.order()
        assert again.id != order.id
        assert (again.state, again.session, again.generation) == (S.PLANNED, b"0003", mark.generation)

    def test_it_opens_one_order_not_one_with_each_start(self, site: Site) -> None:
        order, mark = quarantined(site)
        site.sends(order)
        site.accounts(Status.STOP, b"0001")
        site.accounts(Status.START, b"0002", mark)
        site.accounts(Status.START, b"0003", Mark(1, Access.PRODUCTION))
        before = len(site.orders())
        site.accounts(Status.START, b"0003", Mark(1, Access.PRODUCTION))
        assert len(site.orders()) == before

    def test_after_a_failure_it_tries_anew_only_for_a_new_session_or_later(self, site: Site) -> None:
        order, _ = quarantined(site)
        site.happens(order, H.NO_WAY, "no_profile")
        assert site.order().state is S.FAILED
        site.accounts(Status.START, b"0001", Mark(1, Access.PRODUCTION))
        assert site.order().id == order.id
        site.now += LAB.retry_us
        site.accounts(Status.START, b"0001", Mark(1, Access.PRODUCTION))
        assert site.order().id != order.id
        assert site.store.reading().get(Order, TENANT, order.id).state is S.SUPERSEDED

    def test_an_accept_with_less_opens_one_too(self, site: Site) -> None:
        order, mark = quarantined(site)
        site.sends(order)
        site.accounts(Status.STOP, b"0001")
        site.accounts(Status.START, b"0002", mark)
        assert site.order().state is S.CONFIRMED
        site.asks(b"0003", answer=Mark(1, Access.PRODUCTION))
        again = site.order()
        assert again.id != order.id
        assert (again.state, again.session) == (S.PLANNED, b"0003")
        site.accounts(Status.START, b"0003", Mark(1, Access.PRODUCTION))
        assert site.order().id == again.id, "one order, not one with each message"

    def test_an_accept_from_before_the_decision_opens_none_beside_the_order_that_was_just_planned(
        self, site: Site
    ) -> None:
        order, _ = quarantined(site)
        site.asks(b"0002", answer=Mark(1, Access.PRODUCTION))
        assert site.order().id == order.id

    def test_the_late_start_of_a_session_that_the_order_ends_opens_none(self, site: Site) -> None:
        order, _ = quarantined(site)
        site.asks(b"0002", answer=Mark(1, Access.PRODUCTION))
        site.sends(order)
        site.acks(order)
        site.asks(b"0003")
        site.accounts(Status.START, b"0002", Mark(1, Access.PRODUCTION))
        assert (site.order().id, site.order().state) == (order.id, S.ANSWERED)

    def test_a_pause_stops_it_for_what_tightens(self, site: Site) -> None:
        order, mark = quarantined(site)
        site.sends(order)
        site.accounts(Status.STOP, b"0001")
        site.accounts(Status.START, b"0002", mark)
        pause = Setting(TENANT, "pause", {"paused": True}, 1, "", 0)
        site.snapshot.apply(Delta(2, settings={(TENANT, "pause"): pause}))
        site.accounts(Status.STOP, b"0002")
        site.accounts(Status.START, b"0003", Mark(1, Access.PRODUCTION))
        assert site.order().id == order.id


def test_facts_about_unknown_orders_are_counted(site: Site) -> None:
    booked = site.book(Replied(TENANT, "nobody", 5, True, None, False, 1))
    assert booked.counts["orders_unknown"] == 1


def test_what_the_api_superseded_meanwhile_is_not_revived_and_is_reported_as_it_is(site: Site) -> None:
    order, _ = quarantined(site)
    with site.store.transaction() as tx:
        tx.put(planning.supersede(order, site.tick()))
    booked = site.sends(order)
    assert booked.orders[order.id].order.state is S.SUPERSEDED
    assert booked.sent == [order.id]
    assert booked.counts["stayed.superseded.sent"] == 1


def test_booking_the_same_facts_again_changes_nothing(site: Site) -> None:
    order, mark = quarantined(site)
    site.sends(order)
    site.accounts(Status.STOP, b"0001")
    site.accounts(Status.START, b"0002", mark)
    orders, events, sessions = site.orders(), site.told(), [s.session for s in site.open_sessions()]
    site.accounts(Status.START, b"0002", mark)
    site.accounts(Status.STOP, b"0001")
    site.acks(order)
    assert (site.orders(), site.told(), [s.session for s in site.open_sessions()]) == (orders, events, sessions)

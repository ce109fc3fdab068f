"""One order through its life: each event in each state, and the lines below the table."""

from dataclasses import replace

import pytest

from radius_policy.enforcement.core import (
    CloseSession,
    Happening,
    OpenOrder,
    StopSending,
    Tell,
    choose,
    step,
)
from radius_policy.enforcement.table import TABLE, Happens, Rule
from radius_policy.model import (
    SECOND,
    Access,
    EventKind,
    HostId,
    Mac,
    Order,
    OrderState,
    Session,
    Severity,
    TenantId,
)
from radius_policy.nas.profile import By, Evidence, Kind, Method, Otherwise, Profile, load
from radius_policy.radius.wire import Code

S, H, R = OrderState, Happens, Rule
MAC, HOST, TENANT = Mac("02:00:00:00:00:10"), HostId("host-0010"), TenantId(1)
LAB = load("lab")
SESSION = Session(TENANT, "sw1", b"0001", MAC, port="7", ids={44: b"0001", 31: b"02-00-00-00-00-10"}, started=1)
OTHER = replace(SESSION, session=b"0002", ids={44: b"0002", 31: b"02-00-00-00-00-10"}, started=2)
NOW = 1_000 * SECOND


def order(state: OrderState = S.PLANNED, **more) -> Order:
    session = None if state is S.WAITING_FOR_SESSION else SESSION.session
    made = Order(
        TENANT, "o1", HOST, MAC, Access.REMEDIATION, 7, state, created=1, changed=2, nas_id="sw1", session=session
    )
    return replace(made, **more)


def after(before: Order, what: Happens, *, profile: Profile = LAB, session: Session | None = SESSION, **more) -> Order:
    return step(before, Happening(what, session=session, **more), NOW, profile).order


@pytest.mark.parametrize("what", list(Happens))
@pytest.mark.parametrize("state", list(OrderState))
@pytest.mark.parametrize("session", [SESSION, None], ids=["with a session", "without"])
def test_every_event_in_every_state_does_what_its_cell_says(state, what, session) -> None:
    before = order(state, sent_at=5 if state is S.SENT else 0)
    done = step(before, Happening(what, session=session), NOW, LAB)
    found = TABLE[state, what]
    if isinstance(found, OrderState):
        assert done.order.state is found
        assert done.order.changed == NOW
        assert not done.stayed
    elif found in (R.STAY, R.NOTED):
        assert done.order == before
        assert done.commands == ()
        assert done.stayed == f"{state}.{what}", "what changes nothing is counted by name"
    else:
        assert done.order != before or done.stayed or done.commands
    if done.order.state is not S.SENT and state is S.SENT:
        assert StopSending("o1") in done.commands, "nothing is repeated that is not on its way any more"


@pytest.mark.parametrize("what", list(Happens))
@pytest.mark.parametrize("state", list(OrderState))
def test_an_event_that_comes_twice_changes_nothing_the_second_time(state, what) -> None:
    event = Happening(what, session=SESSION)
    once = step(order(state), event, NOW, LAB).order
    if what in (H.SENT, H.RETRY, H.NO_ANSWER, H.NAKED, H.CONFIRM_OVER) and once.state is not state:
        assert step(once, event, NOW, LAB).order.state in (once.state, S.PLANNED, S.SENT, S.NOT_CONFIRMED)
        return
    again = step(once, event, NOW + 1, LAB).order
    assert again.state in (once.state, S.ANSWERED)
    assert (again.session, again.method, again.tries) == (once.session, once.method, once.tries)


def test_the_way_of_a_good_move() -> None:
    now = order()
    now = after(now, H.SENT, identifier=9, source_port=4000, datagram=b"octets")
    assert (now.state, now.tries, now.identifier, now.source_port, now.datagram) == (S.SENT, 1, 9, 4000, b"octets")
    assert now.sent_at == NOW
    now = after(now, H.ACKED)
    assert now.state is S.ACKNOWLEDGED
    now = after(now, H.ANSWERED, session=OTHER)
    assert (now.state, now.session) == (S.ANSWERED, OTHER.session), "it follows the session that it brought about"
    done = step(now, Happening(H.PROOF, session=OTHER), NOW, LAB)
    assert done.order.state is S.CONFIRMED
    assert done.commands == (Tell(EventKind.MOVE_CONFIRMED, Severity.INFO, "the move is confirmed"),)


def test_an_acknowledgement_is_never_a_confirmation() -> None:
    now = after(order(S.SENT), H.ACKED)
    now = after(now, H.CONFIRM_OVER)
    assert now.state is S.NOT_CONFIRMED


def test_a_nas_that_acknowledges_and_does_nothing_ends_in_failure_after_bounded_tries() -> None:
    now, sent, told, failed = order(), 0, [], []
    while now.state is not S.FAILED:
        index = choose(now, SESSION, LAB, alone=True)
        assert index is not None
        now = after(now, H.SENT, method=index)
        sent += 1
        now = after(now, H.ACKED)
        done = step(now, Happening(H.CONFIRM_OVER, session=SESSION), NOW, LAB)
        told += [c for c in done.commands if isinstance(c, Tell)]
        done = step(done.order, Happening(H.RETRY, session=SESSION), NOW, LAB)
        failed += [c for c in done.commands if isinstance(c, Tell)]
        now = done.order
        assert sent < 20
    assert sent == sum(method.tries for method in LAB.methods)
    assert [tell.kind for tell in told] == [EventKind.MOVE_NOT_CONFIRMED], "people are told once"
    assert [tell.kind for tell in failed] == [EventKind.MOVE_FAILED]
    assert failed[0].severity is Severity.URGENT


def test_no_answer_takes_the_next_method_and_after_the_last_it_has_failed() -> None:
    now = after(order(S.SENT, method=0, tries=1), H.NO_ANSWER)
    assert (now.state, now.method, now.tries) == (S.PLANNED, 1, 0)
    now = after(replace(now, state=S.SENT), H.NO_ANSWER)
    assert now.state is S.FAILED
    assert after(order(S.SENT), H.NO_ANSWER, session=None).state is S.WAITING_FOR_SESSION


def test_a_late_proof_confirms_even_what_had_failed() -> None:
    for state in (
        S.PLANNED,
        S.WAITING_FOR_SESSION,
        S.SENT,
        S.ACKNOWLEDGED,
        S.NOT_CONFIRMED,
        S.FAILED,
        S.NOT_CONFIRMABLE,
    ):
        assert after(order(state), H.PROOF).state is S.CONFIRMED


class TestNak:
    def naked(self, cause: int | None, *, session: Session | None = SESSION, retransmitted=False, profile=LAB, **more):
        event = Happening(H.NAKED, session=session, cause=cause, retransmitted=retransmitted)
        return step(order(S.SENT, tries=1, **more), event, NOW, profile)

    def test_session_unknown_closes_it_and_another_one_is_used_once(self) -> None:
        done = self.naked(503, session=OTHER, sent_at=5)
        assert CloseSession("sw1", SESSION.session, 5) in done.commands
        assert (done.order.state, done.order.session, done.order.refreshed) == (S.PLANNED, OTHER.session, True)
        again = self.naked(503, session=OTHER, refreshed=True)
        assert (again.order.state, again.order.method) == (S.PLANNED, 1), "only once: then the next method"

    def test_session_unknown_and_no_other_waits(self) -> None:
        assert self.naked(503, session=None).order.state is S.WAITING_FOR_SESSION

    def test_what_is_closed_is_the_session_that_was_named_and_not_the_one_that_came_since(self) -> None:
        done = self.naked(503, session=OTHER, named=b"0000", sent_at=5)
        assert CloseSession("sw1", b"0000", 5) in done.commands
        assert (done.order.state, done.order.session) == (S.PLANNED, OTHER.session)

    def test_a_denied_session_that_comes_back_has_one_more_chance_and_then_the_next_method(self) -> None:
        waiting = self.naked(503, session=None, named=SESSION.session).order
        back = after(waiting, H.APPEARED, session=SESSION)
        assert (back.state, back.method, back.refreshed) == (S.PLANNED, 0, True)
        again = after(replace(waiting, refreshed=True), H.APPEARED, session=SESSION)
        assert (again.state, again.method) == (S.PLANNED, 1)
        assert after(replace(waiting, refreshed=True, method=1), H.APPEARED, session=SESSION).state is S.FAILED
        new = after(replace(waiting, refreshed=True, method=1), H.APPEARED, session=OTHER)
        assert (new.state, new.method, new.tries, new.refreshed) == (S.PLANNED, 0, 0, False), "a new one begins anew"

    def test_session_unknown_after_a_retransmission_means_that_the_first_one_worked(self) -> None:
        done = self.naked(503, retransmitted=True)
        assert done.order.state is S.ACKNOWLEDGED
        assert not any(isinstance(command, CloseSession) for command in done.commands)

    def test_407_means_that_only_where_the_profile_says_so(self) -> None:
        assert self.naked(407, session=None).order.method == 0
        dell = replace(LAB, unknown_session_is_407=True)
        done = self.naked(407, session=None, profile=dell)
        assert CloseSession("sw1", SESSION.session, 0) in done.commands

    @pytest.mark.parametrize("cause", [401, 402])
    def test_a_refused_attribute_is_tried_once_with_others(self, cause: int) -> None:
        once = self.naked(cause).order
        assert (once.state, once.method, once.id_set) == (S.PLANNED, 0, 1)
        twice = self.naked(cause, id_set=1).order
        assert (twice.state, twice.method, twice.id_set) == (S.PLANNED, 1, 0)

    @pytest.mark.parametrize("cause", [504, 505, 506, 508, 510])
    def test_not_now_is_tried_later_but_not_for_ever(self, cause: int) -> None:
        later = self.naked(cause).order
        assert (later.state, later.method, later.not_before) == (S.PLANNED, 0, NOW + LAB.backoff_us)
        event = Happening(H.NAKED, session=SESSION, cause=cause)
        assert step(order(S.SENT, tries=2), event, NOW, LAB).order.method == 1

    @pytest.mark.parametrize("cause", [None, 403, 404, 405, 406, 501])
    def test_any_other_cause_takes_the_next_method(self, cause: int | None) -> None:
        assert (self.naked(cause).order.state, self.naked(cause).order.method) == (S.PLANNED, 1)
        assert self.naked(cause, method=1).order.state is S.FAILED

    def test_a_nak_elsewhere_than_in_sent_changes_nothing(self) -> None:
        for state in set(OrderState) - {S.SENT}:
            assert after(order(state), H.NAKED, cause=503) == order(state)


class TestPause:
    def test_unsent_orders_that_tighten_are_superseded(self) -> None:
        for state in (S.PLANNED, S.WAITING_FOR_SESSION, S.NOT_CONFIRMED):
            assert after(order(state), H.PAUSED).state is S.SUPERSEDED
            assert after(order(state, by="site"), H.PAUSED).state is S.SUPERSEDED

    def test_releases_admin_orders_and_what_is_on_the_wire_go_on(self) -> None:
        assert after(order(tightens=False), H.PAUSED).state is S.PLANNED
        assert after(order(by="admin"), H.PAUSED).state is S.PLANNED
        assert after(order(S.SENT), H.PAUSED).state is S.SENT


class TestMethods:
    def test_no_port_method_where_another_mac_is_on_the_port(self) -> None:
        bounce = Method(Kind.BOUNCE, Code.COA_REQUEST, ((44,),), b"", 1, True, True, Evidence.TEST)
        gentle = replace(bounce, kind=Kind.DISCONNECT, whole_port=False)
        profile = replace(LAB, methods=(bounce, gentle))
        assert choose(order(), SESSION, profile, alone=True) == 0
        assert choose(order(), SESSION, profile, alone=False) == 1
        assert choose(order(), SESSION, replace(LAB, methods=(bounce,)), alone=False) is None

    def test_no_method_that_cannot_name_the_session(self) -> None:
        nameless = replace(SESSION, ids={1: b"bob"})
        assert choose(order(), nameless, LAB, alone=True) is None
        assert after(order(), H.NO_WAY, text="no method").state is S.FAILED


class TestBlocked:
    def test_the_answer_and_the_last_stop_are_its_proof_in_either_order(self) -> None:
        blocked = order(S.ACKNOWLEDGED, access=Access.BLOCKED)
        answered = after(blocked, H.ANSWERED, session=SESSION)
        assert answered.state is S.ANSWERED
        assert after(answered, H.SESSION_ENDED, session=None).state is S.CONFIRMED
        assert after(blocked, H.SESSION_ENDED, session=None).state is S.ACKNOWLEDGED
        assert after(blocked, H.ANSWERED, session=None).state is S.CONFIRMED


class TestTimes:
    def test_when_time_is_up_the_profile_says_what_it_is_called(self) -> None:
        mute = replace(LAB, proof=By.NOTHING, otherwise=Otherwise.NOT_CONFIRMABLE)
        assert after(order(S.ANSWERED), H.CONFIRM_OVER, profile=mute).state is S.NOT_CONFIRMABLE
        assert after(order(S.ACKNOWLEDGED), H.CONFIRM_OVER, profile=mute).state is S.NOT_CONFIRMED, (
            "it should have asked"
        )
        in_place = replace(mute, methods=(replace(LAB.methods[0], access_request=False),))
        assert after(order(S.ACKNOWLEDGED), H.CONFIRM_OVER, profile=in_place).state is S.NOT_CONFIRMABLE
        for state in (S.ANSWERED, S.ACKNOWLEDGED):
            assert after(order(state), H.CONFIRM_OVER, session=None).state is S.WAITING_FOR_SESSION


def test_after_a_restart_it_is_assumed_to_have_been_sent() -> None:
    assert after(order(S.SENT), H.RESTARTED).state is S.ACKNOWLEDGED


def test_a_session_that_appears_plans_what_waits_and_is_followed_by_the_rest() -> None:
    planned = after(order(S.WAITING_FOR_SESSION, nas_id=""), H.APPEARED, session=OTHER)
    assert (planned.state, planned.nas_id, planned.session) == (S.PLANNED, "sw1", OTHER.session)
    followed = after(order(S.ACKNOWLEDGED), H.APPEARED, session=OTHER)
    assert (followed.state, followed.session) == (S.ACKNOWLEDGED, OTHER.session)


def test_less_on_what_was_confirmed_asks_for_a_new_order() -> None:
    done = step(order(S.CONFIRMED), Happening(H.LESS, session=OTHER), NOW, LAB)
    assert done.commands == (OpenOrder(OTHER),)

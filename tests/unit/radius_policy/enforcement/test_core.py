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
    usable,
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
from tests.unit.radius_policy.enforcement.playbook import Playbook

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


CONFIRMED = Tell(EventKind.MOVE_CONFIRMED, Severity.INFO, "the move is confirmed")
STOP = StopSending("o1")


def playbook(before: Order | None = None) -> Playbook:
    return Playbook(order() if before is None else before, LAB, SESSION, NOW)


def doubt(text: str) -> Tell:
    return Tell(EventKind.MOVE_NOT_CONFIRMED, Severity.WARNING, text)


def test_a_line_of_a_playbook_that_comes_out_otherwise_shows_the_talk_so_far() -> None:
    move = playbook().on(H.SENT, S.SENT)
    with pytest.raises(AssertionError) as wrong:
        move.on(H.ACKED, S.CONFIRMED, CONFIRMED)
    told = str(wrong.value)
    assert told.index("planned") < told.index(">> sent") < told.index(">> acked") < told.index("but it should be")
    with pytest.raises(AssertionError, match="StopSending"):
        playbook(order(S.SENT)).on(H.ACKED, S.ACKNOWLEDGED)


def test_the_way_of_a_good_move() -> None:
    move = playbook().on(H.SENT, S.SENT, identifier=9, source_port=4000, datagram=b"octets")
    sent = move.order
    assert (sent.tries, sent.identifier, sent.source_port, sent.datagram, sent.sent_at) == (1, 9, 4000, b"octets", NOW)
    move.on(H.ACKED, S.ACKNOWLEDGED, STOP)
    move.on(H.ANSWERED, S.ANSWERED, session=OTHER)
    assert move.order.session == OTHER.session, "it follows the session that it brought about"
    move.on(H.PROOF, S.CONFIRMED, CONFIRMED, session=OTHER)


def test_an_acknowledgement_is_never_a_confirmation() -> None:
    move = playbook(order(S.SENT)).on(H.ACKED, S.ACKNOWLEDGED, STOP)
    move.on(H.CONFIRM_OVER, S.NOT_CONFIRMED, doubt("the switch said it did, but it did not ask again"))
    move.on(H.PROOF, S.CONFIRMED, CONFIRMED)


def test_a_move_that_overtakes_its_own_acknowledgement() -> None:
    move = playbook().on(H.SENT, S.SENT)
    move.on(H.ANSWERED, S.ANSWERED, STOP, session=OTHER)
    move.on(H.ACKED, S.ANSWERED, session=OTHER)
    move.on(H.PROOF, S.CONFIRMED, CONFIRMED, session=OTHER)
    move.on(H.SESSION_ENDED, S.CONFIRMED, session=None)


def test_a_move_that_a_newer_decision_overtakes_waits_for_its_answer_and_is_not_repeated() -> None:
    playbook().on(H.SENT, S.SENT).on(H.NEWER, S.SENT).on(H.ACKED, S.SUPERSEDED, STOP).on(H.PROOF, S.SUPERSEDED)
    playbook().on(H.SENT, S.SENT).on(H.NEWER, S.SENT).on(H.NO_ANSWER, S.SUPERSEDED, STOP)
    playbook().on(H.NEWER, S.SUPERSEDED)


def test_a_session_that_the_nas_lost_is_closed_and_the_next_one_moved() -> None:
    move = playbook().on(H.SENT, S.SENT)
    move.on(H.NAKED, S.WAITING_FOR_SESSION, CloseSession("sw1", SESSION.session, NOW), STOP, session=None, cause=503)
    move.on(H.APPEARED, S.PLANNED, session=OTHER)
    move.on(H.SENT, S.SENT, session=OTHER).on(H.ACKED, S.ACKNOWLEDGED, STOP, session=OTHER)


def test_a_nas_that_acknowledges_and_does_nothing_ends_in_failure_after_bounded_tries() -> None:
    move, told = playbook(), [doubt("the switch said it did, but it did not ask again")]
    last = len(LAB.methods) - 1
    for index, method in enumerate(LAB.methods):
        for attempt in range(1, method.tries + 1):
            assert choose(move.order, SESSION, LAB, alone=True) == index
            move.on(H.SENT, S.SENT, method=index)
            move.on(H.ACKED, S.ACKNOWLEDGED, STOP)
            move.on(H.CONFIRM_OVER, S.NOT_CONFIRMED, *told)
            told = []  # people are told once
            if (index, attempt) != (last, method.tries):
                move.on(H.RETRY, S.PLANNED)
    move.on(
        H.RETRY,
        S.FAILED,
        Tell(EventKind.MOVE_FAILED, Severity.URGENT, "the move failed: no method is left (retry)"),
    )


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


PORT = Method(Kind.BOUNCE, Code.COA_REQUEST, ((44,),), b"", 2, True, True, Evidence.TEST)
SHARED = replace(LAB, methods=(replace(LAB.methods[0], tries=3), PORT, LAB.methods[1]))
"""The second of three methods hits the whole port."""
MUTE = replace(LAB, proof=By.NOTHING, otherwise=Otherwise.NOT_CONFIRMABLE)
THREE_SETS = replace(LAB, methods=(replace(LAB.methods[0], ids=((44, 31), (31,), (44,))), *LAB.methods[1:]))
ELSEWHERE = replace(OTHER, nas_id="sw2")


def failed(why: str) -> Tell:
    return Tell(EventKind.MOVE_FAILED, Severity.URGENT, f"the move failed: {why}")


def closed(session: Session = SESSION) -> CloseSession:
    return CloseSession("sw1", session.session, 5)


def happened(what: Happens, session: Session | None = SESSION, **facts) -> Happening:
    return Happening(what, session=session, **facts)


SENT = order(S.SENT, tries=1, sent_at=5)
MOVED = {"nas_id": "sw2", "session": OTHER.session}
WAITS = {"state": S.WAITING_FOR_SESSION, "session": None, "note": "the endpoint has no session"}
NEXT = {"state": S.PLANNED, "method": 1, "tries": 0, "id_set": 0, "note": "next method: disconnect"}
UNSURE = "the switch shows an older access after the order was sent"
UNSEEN = "the switch said it did, but nothing shows it"
UNASKED = "the switch said it did, but it did not ask again"
DENIES = "no method is left (the NAS denies a session that it speaks of)"
ANSWERED = {"state": S.ANSWERED, "note": "the re-authentication got the new answer"}
DOUBTED = {"state": S.NOT_CONFIRMED, "told": True}
UNSHOWN = Tell(EventKind.MOVE_NOT_CONFIRMED, Severity.INFO, "this NAS cannot show whether it obeyed")

STEPS = [
    # what stands there, what happens, the NAS, what is then different in the order, what is to be done
    (replace(SENT, superseding=True), happened(H.ACKED), LAB,
     {"state": S.SUPERSEDED, "note": "a newer generation stood behind it"}, (STOP,)),
    (SENT, happened(H.NEWER), LAB, {"superseding": True}, ()),
    (order(), happened(H.NEWER), LAB, {"state": S.SUPERSEDED, "note": "a newer generation takes its place"}, ()),
    (SENT, happened(H.ACKED), LAB, {"state": S.ACKNOWLEDGED, "note": "the NAS says it did"}, (STOP,)),
    (SENT, happened(H.PROOF, ELSEWHERE, text="Interim with our Class"), LAB,
     {"state": S.CONFIRMED, "note": "Interim with our Class", **MOVED}, (STOP, CONFIRMED)),
    (order(), happened(H.SESSION_ENDED, None), LAB, WAITS, ()),
    (order(S.ACKNOWLEDGED), happened(H.LESS, OTHER), LAB,
     {**DOUBTED, "session": OTHER.session, "note": UNSURE}, (doubt(UNSURE),)),
    (order(S.ACKNOWLEDGED, told=True), happened(H.LESS), LAB, {**DOUBTED, "note": UNSURE}, ()),
    (order(), happened(H.NO_WAY), LAB, {"state": S.FAILED, "note": "no_profile"}, (failed("no_profile"),)),
    (order(), happened(H.NO_WAY, text="no secret"), LAB, {"state": S.FAILED, "note": "no secret"}, (failed("no secret"),)),
    (order(tries=1), happened(H.SENT, identifier=9, source_port=4000, datagram=b"octets"), LAB,
     {"state": S.SENT, "tries": 2, "identifier": 9, "source_port": 4000, "datagram": b"octets",
      "named": SESSION.session, "sent_at": NOW}, ()),
    (order(tries=1), happened(H.SENT, method=1, datagram=b"octets", named=b"0000"), LAB,
     {"state": S.SENT, "method": 1, "tries": 1, "identifier": 0, "source_port": 0, "datagram": b"octets",
      "named": b"0000", "sent_at": NOW}, ()),
    # no answer
    (SENT, happened(H.NO_ANSWER, None), LAB, WAITS, (STOP,)),
    (replace(SENT, id_set=1), happened(H.NO_ANSWER, OTHER), LAB, {**NEXT, "session": OTHER.session}, (STOP,)),
    (SENT, happened(H.NO_ANSWER, alone=True), SHARED, {**NEXT, "note": "next method: bounce"}, (STOP,)),
    (SENT, happened(H.NO_ANSWER, alone=False), SHARED, {**NEXT, "method": 2}, (STOP,)),
    (replace(SENT, method=1), happened(H.NO_ANSWER), LAB,
     {"state": S.FAILED, "note": "no method is left (no_answer)"}, (STOP, failed("no method is left (no_answer)"))),
    # again after a doubt
    (order(S.NOT_CONFIRMED, tries=1), happened(H.RETRY, OTHER), LAB,
     {"state": S.PLANNED, "session": OTHER.session, "note": "try 2 of 2"}, ()),
    (order(S.NOT_CONFIRMED, tries=2), happened(H.RETRY, OTHER), LAB, {**NEXT, "session": OTHER.session}, ()),
    (order(S.NOT_CONFIRMED, method=1, tries=1), happened(H.RETRY, alone=True), SHARED,
     {"state": S.PLANNED, "note": "try 2 of 2"}, ()),
    (order(S.NOT_CONFIRMED, method=1, tries=1), happened(H.RETRY, alone=False), SHARED, {**NEXT, "method": 2}, ()),
    (order(S.NOT_CONFIRMED, method=9), happened(H.RETRY), LAB,
     {"state": S.FAILED, "note": "no method is left (retry)"}, (failed("no method is left (retry)"),)),
    # our answer is out
    (SENT, happened(H.ANSWERED, ELSEWHERE), LAB, {**ANSWERED, **MOVED}, (STOP,)),
    (SENT, happened(H.ANSWERED, None), LAB, ANSWERED, (STOP,)),
    (replace(SENT, access=Access.BLOCKED), happened(H.ANSWERED, None), LAB, {"state": S.CONFIRMED}, (STOP, CONFIRMED)),
    (order(S.ANSWERED, access=Access.BLOCKED), happened(H.SESSION_ENDED, None), LAB, {"state": S.CONFIRMED}, (CONFIRMED,)),
    # the time for a proof is over
    (order(S.ANSWERED), happened(H.CONFIRM_OVER, None), LAB, WAITS, ()),
    (order(S.ANSWERED), happened(H.CONFIRM_OVER), MUTE, {"state": S.NOT_CONFIRMABLE, "note": "by profile"}, (UNSHOWN,)),
    (order(S.ANSWERED), happened(H.CONFIRM_OVER), LAB, {**DOUBTED, "note": UNSEEN}, (doubt(UNSEEN),)),
    (order(S.ACKNOWLEDGED), happened(H.CONFIRM_OVER), LAB, {**DOUBTED, "note": UNASKED}, (doubt(UNASKED),)),
    (order(S.ACKNOWLEDGED, method=9), happened(H.CONFIRM_OVER), LAB, {**DOUBTED, "note": UNSEEN}, (doubt(UNSEEN),)),
    # refusals
    (SENT, happened(H.NAKED), LAB, NEXT, (STOP,)),
    (replace(SENT, method=1), happened(H.NAKED), LAB,
     {"state": S.FAILED, "note": "no method is left (NAK without cause)"},
     (STOP, failed("no method is left (NAK without cause)"))),
    (replace(SENT, method=1), happened(H.NAKED, cause=403), LAB,
     {"state": S.FAILED, "note": "no method is left (NAK 403)"}, (STOP, failed("no method is left (NAK 403)"))),
    (SENT, happened(H.NAKED, cause=503, retransmitted=True), LAB,
     {"state": S.ACKNOWLEDGED, "note": "NAK 503 after a retransmission: the first one worked"}, (STOP,)),
    (SENT, happened(H.NAKED, cause=402), LAB,
     {"state": S.PLANNED, "id_set": 1, "note": "NAK 402: with other attributes"}, (STOP,)),
    (replace(SENT, id_set=1), happened(H.NAKED, cause=402), THREE_SETS, NEXT, (STOP,)),
    (SENT, happened(H.NAKED, cause=505), LAB,
     {"state": S.PLANNED, "not_before": NOW + LAB.backoff_us, "note": "NAK 505: again after a pause"}, (STOP,)),
    # the NAS knows no such session
    (SENT, happened(H.NAKED, None, cause=503), LAB, WAITS, (closed(), STOP)),
    (replace(SENT, session=None), happened(H.NAKED, None, cause=503), LAB, WAITS, (STOP,)),
    (SENT, happened(H.NAKED, OTHER, cause=503), LAB,
     {"state": S.PLANNED, "session": OTHER.session, "refreshed": True, "note": "NAK 503: with fresh identifiers"},
     (closed(), STOP)),
    (replace(SENT, refreshed=True), happened(H.NAKED, OTHER, cause=503), LAB,
     {**NEXT, "session": OTHER.session}, (closed(), STOP)),
    (replace(SENT, refreshed=True, method=1), happened(H.NAKED, cause=503), LAB,
     {"state": S.FAILED, "note": "no method is left (NAK 503)"},
     (closed(), STOP, failed("no method is left (NAK 503)"))),
    # a session appears
    (order(S.WAITING_FOR_SESSION, named=b"gone", method=1, tries=2, id_set=1, refreshed=True, not_before=9),
     happened(H.APPEARED, ELSEWHERE), LAB,
     {"state": S.PLANNED, **MOVED, "method": 0, "tries": 0, "id_set": 0, "refreshed": False, "not_before": NOW,
      "note": "a session appeared"}, ()),
    (order(S.WAITING_FOR_SESSION, named=SESSION.session, tries=1), happened(H.APPEARED), LAB,
     {"state": S.PLANNED, "session": SESSION.session, "refreshed": True, "not_before": NOW,
      "note": "a session appeared"}, ()),
    (order(S.WAITING_FOR_SESSION, named=SESSION.session, refreshed=True, tries=1), happened(H.APPEARED), LAB,
     {**NEXT, "session": SESSION.session, "not_before": NOW}, ()),
    (order(S.WAITING_FOR_SESSION, named=SESSION.session, refreshed=True, method=1), happened(H.APPEARED), LAB,
     {"state": S.FAILED, "session": SESSION.session, "not_before": NOW, "note": DENIES}, (failed(DENIES),)),
    # pause and restart
    (order(), happened(H.PAUSED), LAB, {"state": S.SUPERSEDED, "note": "paused"}, ()),
    (SENT, happened(H.RESTARTED), LAB,
     {"state": S.ACKNOWLEDGED, "note": "assumed sent: the service was restarted"}, (STOP,)),
]  # fmt: skip


@pytest.mark.parametrize(("before", "event", "profile", "changes", "commands"), STEPS)
def test_what_a_step_leaves_behind_its_note_and_its_time_included(before, event, profile, changes, commands) -> None:
    before = replace(before, note="what was noted before")
    done = step(before, event, NOW, profile)
    noted = {} if event.what is H.NEWER and before.state is S.SENT else {"note": ""}
    assert done.order == replace(before, changed=NOW, **{**noted, **changes})
    assert done.commands == commands
    assert not done.stayed


@pytest.mark.parametrize("session", [{1: b"bob"}, {44: b"0001"}, {31: b"02-00-00-00-00-10"}])
def test_a_method_names_the_session_by_its_first_set_of_attributes(session: dict[int, bytes]) -> None:
    whole = replace(LAB.methods[0], ids=((44,), (31,)))
    assert usable(whole, replace(SESSION, ids=session), alone=True) is (44 in session)

"""The orders of a new generation: which there are, when they may go out, what time makes of them."""

from dataclasses import replace

from radius_policy.enforcement.core import Happening, step
from radius_policy.enforcement.planning import deadline, may_send, plan, supersede
from radius_policy.enforcement.table import Happens
from radius_policy.model import SECOND, Access, Channel, HostId, Mac, Order, OrderState, Session, TenantId
from radius_policy.nas.profile import Kind, load

S, H = OrderState, Happens
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


def after(before: Order, what: Happens) -> Order:
    return step(before, Happening(what, session=SESSION), NOW, LAB).order


class TestPlan:
    def make(self, sessions=(), orders=(), generation: int = 7, macs=(MAC,), by: str = "policy", tightens=True):
        ids = iter(f"new{n}" for n in range(99))
        return plan(
            tenant=TENANT,
            host_id=HOST,
            macs=macs,
            sessions=sessions,
            open_orders=orders,
            access=Access.REMEDIATION,
            generation=generation,
            tightens=tightens,
            by=by,
            now=NOW,
            new_id=lambda: next(ids),
        )

    def test_one_order_for_each_open_session_of_each_mac(self) -> None:
        second = Mac("02:00:00:00:00:11")
        there = replace(SESSION, nas_id="sw2", session=b"9", mac=second)
        gone = replace(SESSION, session=b"old", ended=5)
        put = self.make([SESSION, OTHER, there, gone], macs=[MAC, second, MAC])
        assert [(o.nas_id, o.session, o.state) for o in put] == [
            ("sw1", b"0001", S.PLANNED),
            ("sw1", b"0002", S.PLANNED),
            ("sw2", b"9", S.PLANNED),
        ]

    def test_a_mac_without_session_waits_for_one(self) -> None:
        new = order(S.WAITING_FOR_SESSION, id="new0", nas_id="", created=NOW, changed=NOW, by="site", tightens=True)
        assert self.make(by="site") == (new,)
        assert self.make(by="site", tightens=False) == (replace(new, tightens=False),)

    def test_another_tenants_session_of_the_same_mac_is_not_touched(self) -> None:
        (waiting,) = self.make([replace(SESSION, tenant=TenantId(2))])
        assert waiting.state is S.WAITING_FOR_SESSION

    def test_older_orders_are_superseded_or_marked(self) -> None:
        waiting, sent = order(id="a", generation=5), order(S.SENT, id="b", generation=6)
        assert self.make([SESSION], [waiting, sent]) == (
            replace(waiting, state=S.SUPERSEDED, changed=NOW, note="a newer generation takes its place"),
            replace(sent, superseding=True, changed=NOW),
            order(id="new0", created=NOW, changed=NOW, by="policy", tightens=True),
        )

    def test_planning_again_adds_only_what_is_missing(self) -> None:
        first = self.make([SESSION])
        assert self.make([SESSION], first) == ()
        waiting = self.make()
        assert self.make([], waiting) == ()
        (added,) = self.make([SESSION, OTHER], first)
        assert added.session == OTHER.session

    def test_finished_orders_and_other_channels_are_left_alone(self) -> None:
        done = order(S.CONFIRMED, generation=5)
        agent = order(generation=5, channel=Channel.AGENT)
        assert [o.id for o in self.make([SESSION], [done, agent])] == ["new0"]


class TestNewerGeneration:
    def test_what_is_on_the_wire_is_marked_and_ends_with_any_answer(self) -> None:
        marked = supersede(order(S.SENT), NOW)
        assert (marked.state, marked.superseding) == (S.SENT, True)
        for what in (H.ACKED, H.NAKED, H.NO_ANSWER, H.RESTARTED):
            assert after(marked, what).state is S.SUPERSEDED

    def test_everything_else_is_superseded_at_once(self) -> None:
        for state in (S.PLANNED, S.WAITING_FOR_SESSION, S.ACKNOWLEDGED, S.ANSWERED, S.NOT_CONFIRMED, S.FAILED):
            assert supersede(order(state), NOW).state is S.SUPERSEDED
            assert after(order(state), H.NEWER).state is S.SUPERSEDED


class TestSending:
    def test_it_waits_until_radius_answers_its_generation(self) -> None:
        assert not may_send(order(), [], 6, paused=False, now=NOW)
        assert may_send(order(), [], 7, paused=False, now=NOW)
        assert may_send(order(), [], 8, paused=False, now=NOW)

    def test_it_waits_for_an_older_order_of_its_session_and_for_its_time(self) -> None:
        older = order(S.SENT, id="o0", generation=6)
        assert not may_send(order(), [older], 7, paused=False, now=NOW)
        assert may_send(order(), [replace(older, session=b"another")], 7, paused=False, now=NOW)
        assert not may_send(order(not_before=NOW + 1), [], 7, paused=False, now=NOW)
        assert may_send(order(not_before=NOW), [], 7, paused=False, now=NOW), "its time has come"
        assert not may_send(order(S.SENT), [], 7, paused=False, now=NOW)

    def test_a_pause_holds_back_what_tightens_but_no_release_and_no_admin(self) -> None:
        assert not may_send(order(), [], 7, paused=True, now=NOW)
        assert may_send(order(tightens=False), [], 7, paused=True, now=NOW)
        assert may_send(order(by="admin"), [], 7, paused=True, now=NOW)


class TestTimes:
    def test_each_state_that_waits_has_its_deadline(self) -> None:
        assert deadline(order(S.SENT), LAB, NOW) == (NOW + LAB.attempt_us, H.NO_ANSWER)
        assert deadline(order(S.ACKNOWLEDGED), LAB, NOW) == (NOW + LAB.confirm_us, H.CONFIRM_OVER)
        assert deadline(order(S.ANSWERED), LAB, NOW) == (NOW + LAB.confirm_us, H.CONFIRM_OVER)
        assert deadline(order(S.NOT_CONFIRMED), LAB, NOW) == (NOW + LAB.backoff_us, H.RETRY)
        for state in (S.PLANNED, S.WAITING_FOR_SESSION, S.FAILED, S.CONFIRMED):
            assert deadline(order(state), LAB, NOW) is None

    def test_a_change_in_place_waits_for_the_next_interim(self) -> None:
        in_place = replace(LAB.methods[0], kind=Kind.VLAN, access_request=False)
        profile = replace(LAB, methods=(in_place,))
        at, _ = deadline(order(S.ACKNOWLEDGED), profile, 0)
        assert at == profile.interim_us + 10 * SECOND

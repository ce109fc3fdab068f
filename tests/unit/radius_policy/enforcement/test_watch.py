"""The standing watch: which session lacks an order, and which has one already."""

from dataclasses import replace

import pytest

from radius_policy.enforcement.watch import orders_for
from radius_policy.model import SECOND, Access, HostId, Mac, MacAccess, Order, OrderState, Session, TenantId

S = OrderState
MAC, TENANT, HOST = Mac("02:00:00:00:00:10"), TenantId(1), HostId("h")
DECIDED = MacAccess(TENANT, MAC, HOST, Access.REMEDIATION, 7)
SHOWN = Session(TENANT, "sw1", b"0001", MAC, started=150, generation=6, access=Access.PRODUCTION, shown=True)
ORDER = Order(TENANT, "o1", HOST, MAC, Access.REMEDIATION, 7, S.PLANNED, 1, 2, nas_id="sw1", session=b"0001")
NOW, RETRY = 1_000 * SECOND, 300 * SECOND
NEW = replace(
    ORDER, id="new", created=NOW, changed=NOW, tightens=True, note="the session has less than was decided", by="policy"
)


def watched(session: Session = SHOWN, *orders: Order, row: MacAccess = DECIDED, vlan: str = "66", paused: bool = False):
    return orders_for(
        session,
        row,
        orders,
        vlan=vlan,
        paused=paused,
        retry_us=lambda order: RETRY,
        now=NOW,
        new_id=lambda: "new",
    )


def test_less_without_an_order_gets_one_for_that_session() -> None:
    assert watched() == (NEW,)


@pytest.mark.parametrize(
    "session",
    [
        replace(SHOWN, generation=7, access=Access.REMEDIATION),
        replace(SHOWN, access=Access.REMEDIATION),
        replace(SHOWN, vlan="66"),
        replace(SHOWN, generation=None, access=None),
    ],
    ids=["as decided", "the same access", "its VLAN shows", "no class"],
)
def test_what_is_not_less_gets_none(session: Session) -> None:
    assert watched(session) == ()


@pytest.mark.parametrize("state", [S.PLANNED, S.SENT, S.ACKNOWLEDGED, S.ANSWERED, S.NOT_CONFIRMED])
def test_an_open_order_of_the_session_is_enough(state: OrderState) -> None:
    assert watched(SHOWN, replace(ORDER, state=state)) == ()
    assert watched(SHOWN, replace(ORDER, generation=6), replace(ORDER, state=state)) == (), "whatever came before it"


def test_so_is_one_that_waits_for_any_session() -> None:
    assert watched(SHOWN, replace(ORDER, state=S.WAITING_FOR_SESSION, session=None, nas_id="")) == ()


@pytest.mark.parametrize(
    "order",
    [
        replace(ORDER, generation=6),
        replace(ORDER, state=S.CONFIRMED),
        replace(ORDER, state=S.SUPERSEDED),
        replace(ORDER, session=b"other"),
    ],
    ids=["older", "confirmed", "superseded", "another session"],
)
def test_other_orders_are_not(order: Order) -> None:
    assert [new.id for new in watched(SHOWN, order)] == ["new"]


def test_after_a_failure_the_session_is_left_alone_for_a_while_and_then_tried_anew() -> None:
    failed = replace(ORDER, state=S.FAILED, changed=NOW - RETRY + 1)
    assert watched(SHOWN, failed) == ()
    again = watched(SHOWN, replace(failed, changed=NOW - RETRY))
    assert again == (replace(failed, state=S.SUPERSEDED, changed=NOW, note="tried anew"), NEW)
    assert [order.id for order in watched(replace(SHOWN, session=b"0002"), failed)] == ["new"], "a new session"


def test_a_session_that_only_our_accept_began_is_left_to_an_order_that_stands_at_that_switch() -> None:
    answered = replace(SHOWN, session=b"0002", shown=False)
    assert watched(answered, ORDER) == ()
    assert [new.id for new in watched(answered, replace(ORDER, nas_id="sw2"))] == ["new"]
    assert [new.id for new in watched(answered, replace(ORDER, state=S.FAILED))] == ["new"]


def test_the_late_start_of_a_session_from_before_the_send_is_left_to_what_was_sent() -> None:
    on_its_way = replace(ORDER, session=b"0002", state=S.ANSWERED, sent_at=200)
    assert watched(SHOWN, on_its_way) == ()
    assert watched(SHOWN, replace(on_its_way, sent_at=SHOWN.started)) == ()
    assert [new.id for new in watched(SHOWN, replace(on_its_way, sent_at=100))] == ["new"]
    assert [new.id for new in watched(SHOWN, replace(on_its_way, nas_id="sw2"))] == ["new"]


def test_a_pause_stops_what_tightens_and_lets_a_release_pass() -> None:
    assert watched(paused=True) == ()
    quarantined = replace(SHOWN, access=Access.REMEDIATION)
    (release,) = watched(quarantined, row=replace(DECIDED, access=Access.PRODUCTION), vlan="10", paused=True)
    assert not release.tightens

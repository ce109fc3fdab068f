"""What accounting proves, and what contradicts."""

from dataclasses import replace

import pytest

from radius_policy.enforcement.proof import answers, less, less_answered, proof
from radius_policy.model import Access, HostId, Mac, Order, OrderState, Session, TenantId

S = OrderState
MAC, TENANT = Mac("02:00:00:00:00:10"), TenantId(1)
ORDER = Order(
    TENANT, "o1", HostId("h"), MAC, Access.REMEDIATION, 7, S.SENT, 1, 2, nas_id="sw1", session=b"old", sent_at=100
)
SHOWN = Session(TENANT, "sw1", b"new", MAC, started=150, generation=7, access=Access.REMEDIATION, shown=True)
OLD = Session(TENANT, "sw1", b"old", MAC, started=50, generation=6, access=Access.PRODUCTION, shown=True)


def test_a_start_with_our_class_of_that_generation_is_proof() -> None:
    assert proof(ORDER, [SHOWN], "66") is SHOWN


def test_so_is_a_later_generation_with_the_same_access_and_the_vlan_itself() -> None:
    later = replace(SHOWN, generation=9)
    assert proof(ORDER, [later], "66") is later
    by_vlan = replace(SHOWN, generation=None, access=None, shown=False, vlan="66")
    assert proof(ORDER, [by_vlan], "66") is by_vlan
    assert proof(ORDER, [by_vlan], "") is None


@pytest.mark.parametrize(
    "session",
    [
        replace(SHOWN, shown=False),
        replace(SHOWN, generation=6),
        replace(SHOWN, access=Access.PRODUCTION, generation=9),
        replace(SHOWN, generation=None, access=None),
        replace(SHOWN, generation=None),
        replace(SHOWN, access=None),
        replace(SHOWN, ended=200),
        replace(SHOWN, nas_id="sw2"),
        replace(SHOWN, vlan="10", generation=None, access=None),
    ],
    ids=[
        "answered only",
        "older",
        "other access",
        "no class",
        "no generation",
        "no access",
        "ended",
        "another switch",
        "another vlan",
    ],
)
def test_nothing_else_is_proof(session: Session) -> None:
    assert proof(ORDER, [session], "66") is None


def test_no_proof_while_another_session_of_it_there_still_has_less() -> None:
    assert proof(ORDER, [SHOWN, OLD], "66") is None
    assert proof(ORDER, [SHOWN, replace(OLD, ended=160)], "66") is SHOWN
    assert proof(ORDER, [SHOWN, replace(OLD, nas_id="sw2")], "66") is SHOWN
    in_place = replace(OLD, vlan="66")
    assert proof(ORDER, [in_place], "66") is in_place, "its VLAN was changed: its old Class is no contradiction"


def test_a_class_of_the_same_generation_is_never_less_whatever_it_says() -> None:
    same = replace(OLD, session=b"new", started=150, generation=7)
    assert not less(ORDER, same, "66")
    assert not less_answered(ORDER, "sw1", 7, Access.PRODUCTION, 150)


def test_the_first_generation_is_not_proved_by_a_class_without_any() -> None:
    assert proof(replace(ORDER, generation=1), [replace(SHOWN, generation=None)], "66") is None


def test_a_waiting_order_is_proved_anywhere() -> None:
    waiting = replace(ORDER, state=S.WAITING_FOR_SESSION, session=None, nas_id="")
    assert proof(waiting, [replace(SHOWN, nas_id="sw9")], "66") is not None


def test_less_is_a_session_begun_after_the_send_with_older_and_other_access() -> None:
    begun_after = replace(OLD, session=b"new", started=150)
    assert less(ORDER, begun_after, "66")
    assert not less(ORDER, replace(begun_after, started=90), "66"), "an old session's message"
    assert not less(ORDER, replace(begun_after, started=100), "66"), "it began with the send, not after it"
    assert not less(ORDER, replace(begun_after, shown=False, generation=None, access=None), "66"), "no class"
    assert not less(ORDER, replace(begun_after, access=Access.REMEDIATION), "66"), "the same access"
    assert not less(ORDER, replace(begun_after, vlan="66"), "66"), "its VLAN shows"
    assert not less(replace(ORDER, sent_at=0, state=S.PLANNED), begun_after, "66"), "never sent"
    assert less(replace(ORDER, sent_at=0, state=S.WAITING_FOR_SESSION, session=None), begun_after, "66")


def test_which_answers_of_ours_concern_an_order() -> None:
    assert answers(ORDER, "sw1", 7, Access.REMEDIATION)
    assert answers(ORDER, "sw1", 8, Access.REMEDIATION)
    assert not answers(ORDER, "sw1", 8, Access.PRODUCTION)
    assert not answers(ORDER, "sw1", 6, Access.REMEDIATION)
    assert not answers(ORDER, "sw2", 7, Access.REMEDIATION)
    assert answers(replace(ORDER, state=S.WAITING_FOR_SESSION, session=None), "sw2", 7, Access.REMEDIATION)
    assert less_answered(ORDER, "sw1", 6, Access.PRODUCTION, 150)
    assert not less_answered(ORDER, "sw1", 6, Access.PRODUCTION, 90)
    assert not less_answered(ORDER, "sw1", 6, Access.PRODUCTION, 100), "with the send, not after it"
    assert not less_answered(replace(ORDER, sent_at=0), "sw1", 6, Access.PRODUCTION, 150), "never sent"
    assert not less_answered(ORDER, "sw1", 6, Access.REMEDIATION, 150)
    assert not less_answered(ORDER, "sw2", 6, Access.PRODUCTION, 150)

"""What a CoA says: the NAS's own octets, the action, the time; and nothing more."""

from dataclasses import replace

import pytest

from radius_policy.coa.request import attributes
from radius_policy.model import SECOND, Mac, Session, TenantId
from radius_policy.nas.profile import Kind, load

LAB = load("lab")
SESSION = Session(
    TenantId(1), "sw1", b"\xff01", Mac("02:00:00:00:00:10"), ids={44: b"\xff01", 31: b"0200.0000.0010", 1: b"x"}
)


def test_it_names_the_session_verbatim_and_carries_the_time_of_sending() -> None:
    body = attributes(LAB, LAB.methods[0], SESSION, id_set=0, now=1_700_000_000 * SECOND + 999_999)
    assert body == b"\x2c\x05\xff01" + b"\x1f\x100200.0000.0010" + b"\x37\x06" + (1_700_000_000).to_bytes(4, "big")


def test_the_time_is_left_out_where_the_profile_says_so() -> None:
    silent = replace(LAB, event_timestamp=False)
    assert b"\x37\x06" not in attributes(silent, silent.methods[0], SESSION, id_set=1, now=0)


def test_vlan_and_class_go_along_only_where_the_session_is_changed_in_place() -> None:
    in_place = replace(LAB.methods[0], kind=Kind.VLAN, added=b"\x1d\x06\0\0\0\1")
    assert b"VLAN" in attributes(LAB, in_place, SESSION, id_set=0, now=0, authorization=b"VLAN")
    assert b"VLAN" not in attributes(LAB, LAB.methods[0], SESSION, id_set=0, now=0, authorization=b"VLAN")


def test_a_session_that_cannot_be_named_is_our_mistake_to_send_for() -> None:
    with pytest.raises(ValueError, match="no identifier"):
        attributes(LAB, LAB.methods[0], replace(SESSION, ids={}), id_set=0, now=0)

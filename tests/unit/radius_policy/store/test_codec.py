"""Rows are plain values for the driver, and records are whole again after."""

import pytest

from radius_policy.model import (
    Access,
    Channel,
    HostId,
    Mac,
    Order,
    OrderState,
    Posture,
    PostureReason,
    Reason,
    Session,
    TenantId,
)
from radius_policy.store.codec import Codec
from radius_policy.store.schema import record_type

SITE = TenantId(1)
PLAIN = {int, str, bytes, bool, float, type(None)}


def test_enums_and_nested_values_become_plain_ones() -> None:
    order = Order(SITE, "o1", HostId("h"), Mac("m"), Access.BLOCKED, 1, OrderState.SENT, 1, 2, datagram=b"\x00")
    row = Codec(record_type(Order)).row(order)
    assert {type(value) for value in row} <= PLAIN
    assert "blocked" in row
    assert Channel.NETWORK in row
    assert Codec(record_type(Order)).record(row) == order


def test_a_reason_is_kept_as_json_text() -> None:
    reason = PostureReason(SITE, HostId("h"), "k", Posture.COMPROMISED, 1, Reason("6", "nothing matched"))
    codec = Codec(record_type(PostureReason))
    assert '{"level":"6","text":"nothing matched","ref":"","author":""}' in codec.row(reason)
    assert codec.record(codec.row(reason)) == reason


def test_numbers_of_attributes_are_numbers_again() -> None:
    session = Session(SITE, "sw1", b"s", Mac("m"), ids={31: b"\xff\x00", 5: b""})
    codec = Codec(record_type(Session))
    assert codec.record(codec.row(session)).ids == {31: b"\xff\x00", 5: b""}


def test_flags_come_back_as_flags_from_a_database_that_has_only_numbers() -> None:
    codec = Codec(record_type(Order))
    order = Order(SITE, "o1", HostId("h"), Mac("m"), Access.BLOCKED, 1, OrderState.SENT, 1, 2, tightens=True)
    row = [int(value) if isinstance(value, bool) else value for value in codec.row(order)]
    assert codec.record(row).tightens is True
    assert codec.record(row).superseding is False


def test_a_word_that_no_enum_knows_is_never_taken_for_another() -> None:
    codec = Codec(record_type(Order))
    order = Order(SITE, "o1", HostId("h"), Mac("m"), Access.BLOCKED, 1, OrderState.SENT, 1, 2)
    row = ["teleported" if value == "sent" else value for value in codec.row(order)]
    with pytest.raises(KeyError, match="teleported"):
        codec.record(row)

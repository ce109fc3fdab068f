"""scapy's packets against packets made by hand, and the datagrams that are none."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.switch import codec
from lab.switch.codec import Forged, Malformed
from tests.unit.lab import by_hand as hand

ATTRIBUTES = st.lists(
    st.tuples(st.integers(1, 255).filter(lambda kind: kind != 80), st.binary(min_size=1, max_size=60)), max_size=8
)


@given(ATTRIBUTES, st.integers(0, 255))
def test_what_scapy_reads_is_what_the_octets_say(attributes: list[tuple[int, bytes]], identifier: int) -> None:
    data = hand.coa(identifier, attributes)
    with contextlib.suppress(Malformed):  # scapy refuses the inside of some attributes, and may
        message = codec.decode(data)
        assert message.attributes[1:] == tuple(attributes)
        assert (message.code, message.identifier) == (43, identifier)
        codec.verify_request(data, hand.SECRET)


@given(st.binary(max_size=200))
def test_garbage_is_malformed_and_nothing_worse(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        codec.decode(data)


@given(st.binary(max_size=80))
def test_garbage_behind_a_good_header_is_malformed_and_nothing_worse(body: bytes) -> None:
    data = struct.pack("!BBH", 43, 1, 20 + len(body)) + bytes(16) + body
    try:
        codec.decode(data)
    except Malformed:
        return
    with pytest.raises(Forged):
        codec.verify_request(data, hand.SECRET)


def test_every_changed_octet_of_an_answer_is_noticed() -> None:
    asked = codec.request(1, 5, [(1, b"a")], hand.SECRET, bytes(range(16)))
    good = hand.accept(asked, "66")
    codec.verify_response(good, asked, hand.SECRET, demand=True)
    for at in (0, 1, 4, 19, 22, 37, len(good) - 1):
        bad = bytearray(good)
        bad[at] ^= 1
        with pytest.raises(Forged):
            codec.verify_response(bytes(bad), asked, hand.SECRET, demand=True)


def test_an_accept_without_message_authenticator_is_forged() -> None:
    asked = codec.request(1, 5, [(1, b"a")], hand.SECRET, bytes(range(16)))
    head = struct.pack("!BBH", 2, 5, 20)
    bare = head + hand.md5(head + asked[4:20] + hand.SECRET)
    with pytest.raises(Forged, match="missing"):
        codec.verify_response(bare, asked, hand.SECRET, demand=True)


def test_attributes_with_and_without_a_class_of_scapys_are_built() -> None:
    data = codec.request(4, 1, [(4, "127.0.0.1"), (5, 7), (44, b"S1"), (25, b"c"), (55, 9)], hand.SECRET)
    assert hand.is_from_switch(data)
    assert hand.attributes(data) == {
        4: bytes((127, 0, 0, 1)),
        5: struct.pack("!I", 7),
        44: b"S1",
        25: b"c",
        55: struct.pack("!I", 9),
    }

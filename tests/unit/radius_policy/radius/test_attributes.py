"""What attributes mean: MAC spellings, VLANs with and without tags, numbers."""

import pytest

from radius_policy.radius.attributes import (
    Attribute,
    number,
    parse_mac,
    printable,
    read_vlan,
    write_number,
    write_vlan,
)
from radius_policy.radius.wire import parse


@pytest.mark.parametrize(
    "spelling",
    [
        b"00-10-A4-23-19-C0",
        b"00:10:a4:23:19:c0",
        b"0010.a423.19c0",
        b"0010a4-2319c0",
        b"0010a42319c0",
        b"00-10-A4-23-19-C0:guests",
        bytes.fromhex("0010a42319c0"),
    ],
)
def test_every_spelling_of_a_mac_is_one_mac(spelling: bytes) -> None:
    assert parse_mac(spelling) == "00:10:a4:23:19:c0"
    assert parse_mac(spelling) == "00:10:a4:23:19:c0", "the second time from the cache"


@pytest.mark.parametrize("text", [b"", b"bob", b"00-10-A4-23-19", b"00-10-A4-23-19-C0-", b"0010a42319c00", b"zz" * 6])
def test_what_is_no_mac_is_none(text: bytes) -> None:
    assert parse_mac(text) is None


def body(octets: bytes) -> tuple[tuple[int, bytes], ...]:
    return parse(bytes((2, 1)) + (20 + len(octets)).to_bytes(2, "big") + bytes(16) + octets).attributes


def test_a_vlan_is_three_attributes_with_one_unused_tag() -> None:
    written = body(write_vlan("66"))
    assert written == ((64, b"\0\0\0\x0d"), (65, b"\0\0\0\x06"), (81, b"\x0066"))
    assert read_vlan(written) == "66"


@pytest.mark.parametrize(
    ("attributes", "vlan"),
    [
        ([(64, b"\x01\0\0\x0d"), (81, b"\x0110")], "10"),
        ([(81, b"10")], "10"),
        ([(81, b"quarantine")], "quarantine"),
        ([(81, b"\x01")], ""),
        ([(81, b"")], ""),
        ([(64, b"\x01\0\0\x03"), (81, b"\x0110")], ""),
        ([(64, b"\x02\0\0\x03"), (64, b"\x01\0\0\x0d"), (81, b"\x02ten"), (81, b"\x0110")], "10"),
        ([(64, b"\x99\0\0\x03"), (81, b"\x0010")], "10"),
    ],
)
def test_the_vlan_shown_is_read_by_its_tag(attributes, vlan: str) -> None:
    assert read_vlan(attributes) == vlan


def test_a_vlan_without_name_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="no VLAN"):
        write_vlan("")


def test_numbers_have_four_octets() -> None:
    assert number(write_number(503)) == 503
    assert number(b"\0\1") is None
    assert number(None) is None
    with pytest.raises(ValueError, match="four octets"):
        write_number(2**32)


def test_values_are_shown_as_text_or_digits() -> None:
    assert printable(b"Gi1/0/7") == "Gi1/0/7"
    assert printable(b"\0\1") == "0001"
    assert printable(None) == ""
    assert Attribute.CLASS == 25

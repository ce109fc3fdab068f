"""Names for people, and that showing a packet never fails and never shows a password."""

import pytest

from radius_policy.radius.attributes import Attribute
from radius_policy.radius.dictionary import dictionary, name_of, number_of, show, show_value
from radius_policy.radius.wire import attribute, parse


def test_every_attribute_that_the_code_names_is_in_the_dictionary() -> None:
    for entry in Attribute:
        if entry is not Attribute.VENDOR_SPECIFIC:
            name = name_of(entry)
            assert number_of(name) == entry
            assert name.replace("-", "_").upper() == entry.name


def test_names_and_numbers() -> None:
    assert name_of(250) == "Attribute-250"
    assert len(dictionary()) > 30
    with pytest.raises(KeyError):
        number_of("No-Such-Thing")


def test_a_packet_is_shown_by_name_and_its_password_is_not() -> None:
    body = (
        attribute(1, b"bob")
        + attribute(2, b"secretsecretsecr")
        + attribute(6, b"\0\0\0\x0a")
        + attribute(4, bytes((10, 0, 0, 1)))
        + attribute(81, b"\x0066")
        + attribute(4, b"\1")
        + attribute(25, b"\xff")
        + attribute(240, b"\xfe")
    )
    lines = show(parse(bytes((1, 3, 0, 20 + len(body))) + bytes(16) + body))
    assert lines == [
        "Access-Request 3",
        "User-Name = bob",
        "User-Password = (hidden)",
        "Service-Type = Call-Check",
        "NAS-IP-Address = 10.0.0.1",
        "Tunnel-Private-Group-Id = 66",
        "NAS-IP-Address = 01",
        "Class = ff",
        "Attribute-240 = fe",
    ]


def test_showing_a_value_never_raises() -> None:
    for number in range(1, 256):
        for value in (b"", b"\0", b"\xff" * 4, b"\x80" * 18, b"text", bytes(253)):
            assert isinstance(show_value(number, value), str)

"""LLDP and CDP as switches send them, made by scapy, and what somebody on the wire may make of them."""

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.contrib import cdp, lldp
from scapy.layers.l2 import LLC, SNAP, Dot3, Ether

from health_agent.discovery import MOST, BadFrame, Neighbour, parse

SWITCH = "02:00:00:00:01:00"
LLDP_TO = "01:80:c2:00:00:0e"


def announced(*more: Any, port: Any = None, ttl: int = 120, to: str = LLDP_TO) -> bytes:
    """An LLDP frame of a switch."""
    frame = (
        Ether(src=SWITCH, dst=to)
        / lldp.LLDPDUChassisID(subtype=4, id=SWITCH)
        / (port or lldp.LLDPDUPortID(subtype=5, id=b"Gi1/0/17"))
        / lldp.LLDPDUTimeToLive(ttl=ttl)
    )
    for each in (*more, lldp.LLDPDUEndOfLLDPDU()):
        frame /= each
    return bytes(frame)


def told(*values: Any, version: int = 2, ttl: int = 180) -> bytes:
    """A CDP frame of a switch."""
    body = cdp.CDPv2_HDR(vers=version, ttl=ttl, msg=list(values))
    return bytes(Dot3(src=SWITCH, dst="01:00:0c:cc:cc:cc") / LLC() / SNAP() / body)


DEVICE, PORT = cdp.CDPMsgDeviceID(val=b"sw-floor2"), cdp.CDPMsgPortID(iface=b"GigabitEthernet1/0/17")


def named(switch: str = "sw-floor2") -> Any:
    return lldp.LLDPDUSystemName(system_name=switch.encode())


def test_a_switch_names_itself_its_port_and_where_it_is_managed() -> None:
    frame = announced(
        lldp.LLDPDUPortDescription(description=b"room 2.17"),
        named(),
        lldp.LLDPDUSystemDescription(description=b"some switch"),
        lldp.LLDPDUSystemCapabilities(mac_bridge_available=1, mac_bridge_enabled=1),
        lldp.LLDPDUManagementAddress(
            management_address_subtype=1, management_address=b"\x0a\x00\x00\x02", interface_numbering_subtype=2,
            interface_number=1,
        ),
    )  # fmt: skip
    assert parse(frame) == Neighbour("lldp", "sw-floor2", "Gi1/0/17", 120, SWITCH, "room 2.17", "10.0.0.2")


def test_a_switch_without_a_name_is_its_chassis() -> None:
    assert parse(announced()) == Neighbour("lldp", SWITCH, "Gi1/0/17", 120, SWITCH)


@pytest.mark.parametrize(
    ("port", "says"),
    [
        (lldp.LLDPDUPortID(subtype=3, id="02:00:00:00:01:11"), "02:00:00:00:01:11"),
        (lldp.LLDPDUPortID(subtype=7, id=b"509"), "509"),
        (lldp.LLDPDUPortID(subtype=4, family=1, id="10.0.0.2"), "10.0.0.2"),
        (lldp.LLDPDUPortID(subtype=5, id=b"a\x00\x1b[2Jb\x00"), "a�" "�[2Jb"),
    ],
)  # fmt: skip
def test_a_port_is_told_in_different_ways_and_never_unprintable(port: Any, says: str) -> None:
    found = parse(announced(port=port))
    assert found is not None
    assert found.port == says


def test_one_that_leaves_says_so_and_padding_is_nobodys() -> None:
    found = parse(announced(named(), ttl=0) + b"\0" * 20)
    assert found is not None
    assert (found.ttl_s, found.switch) == (0, "sw-floor2")


@pytest.mark.parametrize(
    "capabilities",
    [
        {"station_only_available": 1, "station_only_enabled": 1},
        {"mac_bridge_available": 1, "mac_bridge_enabled": 1, "telephone_available": 1, "telephone_enabled": 1},
        {"mac_bridge_available": 1},
    ],
)
def test_a_telephone_or_another_endpoint_is_no_switch(capabilities: dict[str, int]) -> None:
    assert parse(announced(lldp.LLDPDUSystemCapabilities(**capabilities))) is None


def test_other_frames_are_none_of_ours() -> None:
    assert parse(b"") is None
    assert parse(announced(to="ff:ff:ff:ff:ff:ff")) is None
    assert parse(bytes(Ether(dst=LLDP_TO, type=0x0800) / b"x")) is None
    assert parse(bytes(Dot3(dst="01:80:c2:00:00:00") / LLC() / b"spanning tree")) is None


def value(kind: int, body: bytes) -> bytes:
    return struct.pack("!H", kind << 9 | len(body)) + body


HEAD = bytes.fromhex("0180c200000e02000000010088cc")
THREE = (value(1, b"\x04\x02\x00\x00\x00\x01\x00"), value(2, b"\x05Gi1"), value(3, b"\x00\x78"))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "ends before its time to live"),
        (b"".join(THREE[:2]), "ends before its time to live"),
        (THREE[1] + THREE[0] + THREE[2], "does not begin with chassis, port and time to live"),
        (b"".join(THREE) + THREE[0], "value 1 is there twice"),
        (b"".join(THREE) + value(5, b"a") + value(5, b"b"), "value 5 is there twice"),
        (b"".join(THREE) + b"\x0a\xff" + b"a", "value 5 is longer than the frame"),
        (b"".join(THREE) + b"\x0a", "ends in the middle of a value"),
        (b"".join(THREE) + b"\x00\x01x", "its end has a length"),
        (value(1, b"\x04\x02") + THREE[1] + THREE[2], "value 1 is no MAC address"),
        (value(1, b"\x00abc") + THREE[1] + THREE[2], "value 1 is no identifier"),
        (value(1, b"\x07") + THREE[1] + THREE[2], "value 1 is no identifier"),
        (value(1, b"") + THREE[1] + THREE[2], "value 1 is no identifier"),
        (THREE[0] + value(2, b"\x07" + b"a" * 256) + THREE[2], "value 2 is no identifier"),
        (THREE[0] + value(2, b"\x07\0\0") + THREE[2], "names no switch, or no port"),
        (THREE[0] + THREE[1] + value(3, b"\x01"), "time to live has no two octets"),
        (b"".join(THREE) + value(7, b"\0\0"), "capabilities have no four octets"),
        (b"".join(THREE) + value(8, b"\x05\x01\x0a"), "management address is cut off"),
        (b"".join(THREE) + value(8, b""), "management address is cut off"),
    ],
)  # fmt: skip
def test_what_breaks_the_rules_of_lldp_is_refused_with_its_reason(body: bytes, says: str) -> None:
    with pytest.raises(BadFrame, match=says):
        parse(HEAD + body)


def test_a_cisco_switch_names_itself_and_its_port() -> None:
    addresses = cdp.CDPMsgAddr(naddr=1, addr=[cdp.CDPAddrRecordIPv4(addr="10.0.0.2")])
    found = parse(told(DEVICE, addresses, PORT, cdp.CDPMsgCapabilities(cap=0x28)))
    assert found == Neighbour("cdp", "sw-floor2", "GigabitEthernet1/0/17", 180, "sw-floor2", "", "10.0.0.2")


def test_a_cisco_telephone_is_no_switch() -> None:
    assert parse(told(DEVICE, PORT, cdp.CDPMsgCapabilities(cap=0x0490))) is None


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (told(DEVICE), "names no switch, or no port"),
        (told(DEVICE, PORT, version=9), "no version 9"),
        (told(DEVICE, PORT)[:-4], "shorter than it says"),
        (bytes.fromhex("01000ccccccc020000000100000aaaaa0300000c200002b4"), "ends before its first value"),
        (bytes.fromhex("01000ccccccc0200000001000010aaaa0300000c200002b4000000010003"), "value 1 has the length 3"),
        (bytes.fromhex("01000ccccccc0200000001000010aaaa0300000c200002b4000000010009"), "value 1 has the length 9"),
        (bytes.fromhex("01000ccccccc020000000100000eaaaa0300000c200002b400000001"), "middle of a value"),
    ],
)
def test_what_breaks_the_rules_of_cdp_is_refused_with_its_reason(frame: bytes, says: str) -> None:
    with pytest.raises(BadFrame, match=says):
        parse(frame)


WHOLE = [
    announced(named(), lldp.LLDPDUPortDescription(description=b"room 2.17"), lldp.LLDPDUSystemCapabilities(mac_bridge_enabled=1)),
    told(DEVICE, PORT, cdp.CDPMsgCapabilities(cap=0x28)),
]  # fmt: skip


def holds(frame: bytes) -> None:
    """Whatever comes: a neighbour that is fit to be shown, None, or a reason."""
    try:
        found = parse(frame)
    except BadFrame:
        return
    if found is not None:
        texts = (found.switch, found.port, found.chassis, found.description, found.address)
        assert all(text.isprintable() and len(text) <= MOST for text in texts)
        assert found.switch
        assert found.port
        assert 0 <= found.ttl_s < 65_536


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6),
    st.integers(0, 200),
)
def test_no_damage_to_a_frame_does_more_than_spoil_it(frame: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(frame)
    for at, octet in changes:
        damaged[at % len(damaged)] = octet
    holds(bytes(damaged))
    holds(bytes(damaged[: len(damaged) - cut]))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from((HEAD, HEAD + b"".join(THREE), WHOLE[1][:26])), st.binary(max_size=300))
def test_no_octets_behind_a_head_do_more_than_spoil_it(head: bytes, rest: bytes) -> None:
    holds(head + rest)

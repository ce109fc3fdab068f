"""The network as the agent sees it, and what counts as a change."""

import socket
import struct
from collections import namedtuple
from typing import Any

import psutil
import pytest

from health_agent import network
from health_agent.network import Changes

Address = namedtuple("Address", "family address")

LINK, ADDRESS, GONE, LINK_GONE = 16, 20, 21, 17
UP = 0x10000 | 1


def link(index: int, flags: int, kind: int = LINK) -> bytes:
    return message(kind, struct.pack("=BxHiII", 0, 1, index, flags, 0))


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def interfaces(monkeypatch: pytest.MonkeyPatch, found: dict[str, list[Address]]) -> None:
    monkeypatch.setattr(network.psutil, "net_if_addrs", lambda: found)


def mac(address: str) -> Address:
    return Address(psutil.AF_LINK, address)


def test_real_interfaces_are_named_by_their_macs(monkeypatch: pytest.MonkeyPatch) -> None:
    interfaces(
        monkeypatch,
        {
            "lo": [mac("00:00:00:00:00:00"), Address(socket.AF_INET, "127.0.0.1")],
            "eth0": [mac("02:00:00:00:00:1A"), Address(socket.AF_INET, "10.77.1.5")],
            "wlan0": [
                mac("02:00:00:00:00:1b"),
                Address(socket.AF_INET6, "fe80::1%wlan0"),
                Address(socket.AF_INET6, "2001:db8::1"),
            ],
            "veth12": [mac("02:00:00:00:00:99")],
            "tun0": [mac("00")],
        },
    )
    assert network.macs() == ("02:00:00:00:00:1a", "02:00:00:00:00:1b")
    assert network.addresses() == ("10.77.1.5", "2001:db8::1")


def test_where_there_are_only_virtual_interfaces_these_count(monkeypatch: pytest.MonkeyPatch) -> None:
    interfaces(monkeypatch, {"veth1": [mac("02:00:00:00:00:99")]})
    assert network.macs() == ("02:00:00:00:00:99",)


def test_the_first_word_of_a_link_that_is_up_is_no_news() -> None:
    changes = Changes()
    assert not changes.in_(link(2, UP))
    assert not changes.in_(link(2, UP | 0x1000)), "statistics, wireless events, …"


def test_a_carrier_that_goes_and_comes_is_two_changes() -> None:
    changes = Changes()
    assert changes.in_(link(2, 1)), "the first word of a link without carrier"
    assert changes.in_(link(2, UP))
    assert not changes.in_(link(2, UP))
    assert not changes.in_(link(3, UP))
    assert changes.in_(link(2, 1))


@pytest.mark.parametrize(
    ("kind", "family", "changed"),
    [
        (ADDRESS, socket.AF_INET, True),
        (ADDRESS, socket.AF_INET6, False),
        (GONE, socket.AF_INET, True),
        (GONE, socket.AF_INET6, True),
    ],
)
def test_addresses_that_come_or_go(kind: int, family: Any, changed: bool) -> None:
    assert Changes().in_(message(kind, bytes([family]) + bytes(7))) is changed


def test_a_link_that_is_removed_is_a_change() -> None:
    assert Changes().in_(link(2, UP, LINK_GONE))


@pytest.mark.parametrize("data", [b"", b"\x01", bytes(16), link(2, 1)[:20], struct.pack("=IHHII", 4, 16, 0, 0, 0)])
def test_broken_datagrams_are_no_change_and_no_error(data: bytes) -> None:
    assert not Changes().in_(data)


def test_several_messages_in_one_datagram() -> None:
    assert Changes().in_(link(2, UP) + link(2, 1))


def test_the_watcher_starts_and_stops() -> None:
    watcher = network.Watcher(lambda: None)
    watcher.start()
    watcher.stop()
    assert not watcher.is_alive()

"""What an endpoint keeps of the switches it hears, and what it says where it may not listen."""

import socket
from collections import Counter
from typing import Any

import msgspec
import pytest

from health_agent import contract
from health_agent.location import MOST, Listener, Places
from tests.unit.health_agent.test_discovery import DEVICE, PORT, announced, named, told

MAC = "02:00:00:00:00:10"


def ports(places: Places, now: float) -> list[str]:
    return [f"{one.protocol} {one.port}" for one in places.told(now)]


def test_the_newest_of_each_protocol_holds_until_its_time_is_over() -> None:
    places = Places(Counter())
    assert places.take("eth0", MAC, told(DEVICE, PORT), 0.0)
    assert places.take("eth0", MAC, announced(named()), 1.0)
    assert not places.take("eth0", MAC, announced(named()), 31.0), "a repetition is no news"
    first, second = places.told(41.0)
    assert (first.protocol, first.mac, first.switch, first.port, first.age_s) == (
        "lldp",
        MAC,
        "sw-floor2",
        "Gi1/0/17",
        10,
    )
    assert (second.protocol, second.age_s) == ("cdp", 41)
    assert ports(places, 150.5) == ["lldp Gi1/0/17", "cdp GigabitEthernet1/0/17"]
    assert ports(places, 180.0) == []


def test_an_endpoint_that_is_plugged_in_elsewhere_says_so() -> None:
    places = Places(Counter())
    places.take("eth0", MAC, announced(named()), 0.0)
    assert places.take("eth0", MAC, announced(named("sw-floor3")), 5.0)
    assert [one.switch for one in places.told(6.0)] == ["sw-floor3"]


def test_a_switch_that_leaves_is_forgotten() -> None:
    places = Places(Counter())
    places.take("eth0", MAC, announced(named()), 0.0)
    assert not places.take("eth0", MAC, announced(named(), ttl=0), 1.0)
    assert places.told(1.0) == ()


def test_a_malformed_frame_is_counted_and_changes_nothing() -> None:
    counts: Counter[str] = Counter()
    places = Places(counts)
    places.take("eth0", MAC, announced(named()), 0.0)
    assert not places.take("eth0", MAC, announced(named())[:20], 1.0)
    assert not places.take("eth0", MAC, b"", 1.0)
    assert counts == {"discovery_malformed": 1}
    assert ports(places, 2.0) == ["lldp Gi1/0/17"]


def test_so_many_are_kept_that_a_heartbeat_can_carry_them_and_old_ones_make_room() -> None:
    places = Places(Counter())
    for number in range(MOST + 5):
        places.take(f"eth{number}", MAC, announced(named()), 0.0)
    assert len(places.told(1.0)) == MOST
    assert places.take("late", MAC, announced(named()), 121.0)
    assert len(places.told(121.0)) == 1
    assert MOST == 16, "as contract.Heartbeat.neighbours says"


def test_without_the_right_nothing_fails_and_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> Any:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", refused)
    listener = Listener(lambda: None, Counter())
    listener.start()
    listener.join(5)
    listener.stop()
    assert listener.told() == ()
    assert listener.summary() == "not listening for LLDP and CDP: that needs the right CAP_NET_RAW"


def test_a_kernel_without_packet_sockets_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> Any:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", missing)
    assert "Address family not supported" in Listener(lambda: None, Counter()).summary()


def test_a_neighbour_is_what_the_wire_format_takes() -> None:
    places = Places(Counter())
    places.take("eth0", MAC, announced(named()), 0.0)
    [one] = places.told(0.0)
    assert msgspec.json.decode(msgspec.json.encode(one), type=contract.Neighbour) == one

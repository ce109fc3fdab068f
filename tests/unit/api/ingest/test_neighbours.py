"""Where endpoints are plugged in, as their heartbeats say it."""

from typing import Any

import pytest

from api.ingest.neighbours import GONE_AFTER
from health_agent.contract import Discovery, Neighbour
from radius_policy import model
from radius_policy.model import SECOND
from tests.unit.api.world import MAC, World


def heard(**more: Any) -> Neighbour:
    return Neighbour(**{"protocol": Discovery.LLDP, "mac": MAC, "switch": "sw-floor2", "port": "Gi1/0/17", **more})


def stays(world: World) -> list[model.Neighbour]:
    found: list[model.Neighbour] = world.read(lambda tx: tx.find(model.Neighbour, tenant=1, order="at"))
    return found


def test_a_stay_begins_when_the_switch_was_heard_and_goes_on_while_it_is(world: World) -> None:
    agent = world.agent()
    began = world.now
    agent.beat(neighbours=(heard(age_s=20),))
    for _ in range(10):
        world.now += 30 * SECOND
        agent.beat(neighbours=(heard(age_s=0),))
    [one] = stays(world)
    assert (one.host_id, one.mac, one.source, one.switch, one.port) == (
        agent.host_id,
        MAC,
        "lldp",
        "sw-floor2",
        "Gi1/0/17",
    )
    assert one.since == began - 20 * SECOND
    assert 0 <= world.now - one.at < 60 * SECOND, "it is known to a minute, and not written at each heartbeat"


def test_another_port_and_coming_back_after_a_while_are_new_stays(world: World) -> None:
    agent = world.agent()
    agent.beat(neighbours=(heard(),))
    world.now += 60 * SECOND
    agent.beat(neighbours=(heard(port="Gi1/0/18"),))
    world.now += GONE_AFTER + SECOND
    agent.beat(neighbours=(heard(port="Gi1/0/18"),))
    assert [one.port for one in stays(world)] == ["Gi1/0/17", "Gi1/0/18", "Gi1/0/18"]


def test_both_protocols_stand_beside_each_other(world: World) -> None:
    world.agent().beat(neighbours=(heard(), heard(protocol=Discovery.CDP, port="GigabitEthernet1/0/17")))
    assert {(one.source, one.port) for one in stays(world)} == {("lldp", "Gi1/0/17"), ("cdp", "GigabitEthernet1/0/17")}


def test_nobody_speaks_for_a_mac_that_is_not_bound_to_it(world: World) -> None:
    world.agent().beat(neighbours=(heard(mac="02:00:00:00:00:77"),))
    assert stays(world) == []


@pytest.mark.parametrize("port", ["02:00:00:00:01:11", "10.0.0.2", "fe80::1"])
def test_where_the_port_is_an_address_its_description_names_it(world: World, port: str) -> None:
    world.agent().beat(neighbours=(heard(port=port, description="Gi1/0/17"),))
    assert [one.port for one in stays(world)] == ["Gi1/0/17"]


def test_an_agent_that_hears_nothing_changes_nothing(world: World) -> None:
    agent = world.agent()
    agent.beat(neighbours=(heard(),))
    agent.beat()
    assert [one.port for one in stays(world)] == ["Gi1/0/17"]

"""Heartbeats and what agents are asked to do."""

import pytest

from api.ingest import orders
from health_agent.contract import Action, Heartbeat
from radius_policy.model import SECOND, Host, Mac, MacAccess, MacBinding
from tests.unit.api.world import MAC, World, answered, execution, problem

DOCK = "02:00:00:00:00:99"


def test_a_heartbeat_updates_what_is_known_of_the_agent(world: World) -> None:
    agent = world.agent()
    world.now += SECOND
    agent.beat(sensor="polling", operation="hold", agent_version="0.2.0")
    host = world.read(lambda tx: tx.get(Host, 1, agent.host_id))
    assert host is not None
    assert (host.sensor, host.operation, host.agent_version, host.last_evidence) == (
        "polling",
        "hold",
        "0.2.0",
        world.now,
    )


def test_a_heartbeat_sent_twice_is_answered_twice_and_recorded_once(world: World) -> None:
    agent = world.agent()
    beat = agent.message(Heartbeat, agent_version="1", sensor="fanotify", operation="notify")
    assert [answered(agent.send(beat, "/v1/heartbeat")).repeated for _ in range(2)] == [False, True]


def test_a_new_mac_gets_the_hosts_access(world: World) -> None:
    agent = world.agent()
    world.enforce()
    agent.tell(execution(world))
    agent.beat(macs=(MAC, DOCK))
    assert world.read(lambda tx: tx.get(MacBinding, 1, Mac(DOCK), agent.host_id))
    answer = world.read(lambda tx: tx.get(MacAccess, 1, Mac(DOCK)))
    assert answer is not None
    assert answer.access == "remediation"


@pytest.mark.parametrize("mac", ["02:00:00:00:00", "0200.0000.0010", "02:00:00:00:00:1G", ""])
def test_a_malformed_mac_is_refused_by_name(world: World, mac: str) -> None:
    agent = world.agent()
    beat = agent.message(Heartbeat, agent_version="1", sensor="fanotify", operation="notify", macs=(mac,))
    response = agent.send(beat, "/v1/heartbeat")
    assert problem(response) == "malformed"
    assert "macs[0]" in response.json()["detail"]


def test_an_order_is_repeated_in_every_answer_until_it_is_done(world: World) -> None:
    agent, other = world.agent(), world.agent("desk-2", "02:00:00:00:00:20")
    world.write(lambda tx: orders.ask(tx, 1, [agent.host_id], Action.FORGET, sha256="a" * 64, now=world.now))
    [order] = agent.beat().orders
    assert (order.action, order.sha256) == (Action.FORGET, "a" * 64)
    assert agent.beat().orders == (order,)
    assert other.beat(ack_orders=(order.id,)).orders == ()
    assert agent.beat().orders == (order,), "another endpoint cannot acknowledge it"
    assert agent.beat(ack_orders=(order.id,)).orders == ()


def test_asking_twice_is_asking_once(world: World) -> None:
    agent = world.agent()
    ask = lambda tx: orders.ask(tx, 1, [agent.host_id], Action.CUT, now=world.now)  # noqa: E731
    assert (world.write(ask), world.write(ask)) == (1, 0)


def ask(world: World, host_id: str, action: Action = Action.CUT) -> int:
    return world.write(lambda tx: orders.ask(tx, 1, [host_id], action, sha256="a" * 64, now=world.now))


def test_a_refused_order_is_closed_with_its_reason_told_once_and_not_repeated(world: World) -> None:
    agent = world.agent()
    ask(world, agent.host_id)
    [order] = agent.beat().orders
    why = "this kernel has no cgroup v2"
    assert agent.beat(refused_orders={order.id: why}).orders == ()
    assert agent.beat(refused_orders={order.id: why}).orders == ()
    [event] = [event for event in world.events() if event.kind == "order_refused"]
    assert event.text == "The agent of desk-1 cannot cut: this kernel has no cgroup v2"
    view = world.rest("GET", "/v1/hosts/desk-1").json()
    assert view["refused"] == [{"action": "cut", "sha256": "a" * 64, "reason": why, "at": world.now}]


def test_another_endpoint_cannot_refuse_it(world: World) -> None:
    agent, other = world.agent(), world.agent("desk-2", "02:00:00:00:00:20")
    ask(world, agent.host_id)
    [order] = agent.beat().orders
    other.beat(refused_orders={order.id: "not mine"})
    assert agent.beat().orders == (order,)
    assert not [event for event in world.events() if event.kind == "order_refused"]


def test_what_was_refused_may_be_asked_anew(world: World) -> None:
    agent = world.agent()
    ask(world, agent.host_id)
    [order] = agent.beat().orders
    agent.beat(refused_orders={order.id: "not now"})
    assert ask(world, agent.host_id) == 1
    assert agent.beat().orders == (order,)
    assert world.rest("GET", "/v1/hosts/desk-1").json()["refused"] == []

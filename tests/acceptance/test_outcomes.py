"""Every outcome that a rule can ask for, from an agent's signed report to what it brings: none is silently nothing.

What this release's agents cannot do (cut, isolate) is asked of them, refused with a reason, told to people, and shown by
`why`; it never passes for done.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.alerts.script_worker import Figures, Worker
from api.config import Config, Scripts, Service
from health_agent import contract
from radius_policy.judgement import explain
from radius_policy.model import AgentOrder, Event, EventKind, HostState, ScriptRun, Setting, Severity, TenantId
from tests.unit.api.world import Agent, World, execution
from tests.world import sha

T = TenantId(1)
REFUSAL = "this agent only watches (operation notify); it cannot do 'cut'"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def rules(world: World, **rows: str) -> None:
    """One rule for each user who starts something: USER = the lines of its `then`."""
    where = '"provenance.source" = "installer"\n'  # no grace without a word on where it came from
    text = "\n".join(
        f'[[rule]]\nname = "for-{user}"\n[rule.when]\n"user" = "{user}"\n{where if "grace" in then else ""}[rule.then]\n{then}\n'
        for user, then in rows.items()
    )
    world.write(
        lambda tx: (tx.put(Setting(T, "rules", {"text": text}, 2, "test", world.now)), tx.note(T, "settings", "rules"))
    )


def desk(world: World, mode: str = "enforce") -> Agent:
    agent = world.agent()
    if mode == "enforce":
        world.enforce()
    return agent


def starts(world: World, agent: Agent, user: str, **fields: Any) -> tuple[contract.Answer, Event]:
    """Somebody starts something; (the answer, what people are told of it)."""
    brought = contract.Provenance(contract.Source.INSTALLER)
    answer = agent.tell(execution(world, sha(user), user=user, provenance=brought, **fields))
    told = [event for event in world.events() if event.sha256 == sha(user)]
    return answer, told[0]


def access(world: World, agent: Agent) -> str:
    state = world.read(lambda tx: tx.get(HostState, T, agent.host_id))
    return str(state.access)


def why(world: World, agent: Agent) -> str:
    def look(tx: Any) -> str:
        return explain.why(tx, world.service.policies.current(tx, T, world.now), agent.host_id, now=world.now).words()

    return str(world.read(look))


def test_observe_waits_for_the_digest_and_moves_nobody(world: World) -> None:
    rules(world, anna="observe = true")
    agent = desk(world)
    _, told = starts(world, agent, "anna")
    assert (told.kind, told.severity, access(world, agent)) == (EventKind.HELD, Severity.INFO, "production")


def test_alert_is_told_at_once_and_moves_nobody(world: World) -> None:
    rules(world, anna="alert = true")
    agent = desk(world)
    _, told = starts(world, agent, "anna")
    assert (told.kind, told.severity, access(world, agent)) == (EventKind.HELD, Severity.WARNING, "production")


@pytest.mark.parametrize("outcome", ["cut", "isolate"])
def test_cut_and_isolate_are_asked_of_the_agent_and_a_refusal_is_told_shown_and_withdrawn_with_its_cause(
    world: World, outcome: str
) -> None:
    rules(world, anna=f"{outcome} = true")
    agent = desk(world)
    answer, told = starts(world, agent, "anna")
    [order] = answer.orders
    assert (order.action, order.sha256) == (contract.Action(outcome), sha("anna"))
    assert "its agent is asked to" in told.text
    assert f"agent: {outcome} is asked of the agent; it has not said yet" in why(world, agent)
    again = agent.beat(refused_orders={order.id: REFUSAL})
    assert again.orders == ()
    [refused] = world.events(EventKind.ORDER_REFUSED)
    assert (refused.severity, refused.host_id) == (Severity.WARNING, agent.host_id)
    assert REFUSAL in refused.text
    assert f"agent: {outcome} was asked of the agent, which refused: {REFUSAL}" in why(world, agent)
    world.rest("POST", "/v1/lists/allow", json={"value": sha("anna"), "why": "known"})
    left = world.read(lambda tx: tx.find(AgentOrder, tenant=T))
    assert [each.action for each in left] == ["forget"]


@pytest.mark.parametrize("mode", ["learn", "monitor"])
def test_cut_and_isolate_do_not_act_before_enforce_and_why_says_so(world: World, mode: str) -> None:
    rules(world, anna="cut = true\nisolate = true")
    agent = desk(world, mode)
    if mode == "monitor":
        world.rest("PUT", "/v1/mode", json={"mode": "monitor"})
    answer, told = starts(world, agent, "anna")
    assert answer.orders == ()
    assert "asked" not in told.text
    assert f"cut is wanted; mode {mode} asks no agent for it" in why(world, agent)


def test_nobody_isolates_a_protected_host_or_while_moves_are_paused_but_a_program_is_cut(world: World) -> None:
    rules(world, anna="cut = true\nisolate = true", boris="isolate = true")
    agent = desk(world)
    world.rest("PUT", "/v1/hosts/desk-1/never-quarantine", json={"never_quarantine": True, "why": "a server"})
    answer, _ = starts(world, agent, "anna")
    assert [order.action for order in answer.orders] == [contract.Action.CUT]
    world.rest("PUT", "/v1/hosts/desk-1/never-quarantine", json={"never_quarantine": False, "why": "no more"})
    world.rest("PUT", "/v1/pause", json={"paused": True, "why": "exam"})
    answer, _ = starts(world, agent, "boris")
    assert [order.action for order in answer.orders] == [contract.Action.CUT]


def test_a_site_without_network_for_unknown_programs_cuts_each_of_them_whatever_its_rule_says(world: World) -> None:
    rules(world, anna="observe = true")
    agent = desk(world)
    world.rest("PUT", "/v1/settings/unknown_network", json={"default": "off", "sites": {}})
    for user in ("anna", "carla"):
        answer, told = starts(world, agent, user)
        assert (contract.Action.CUT, sha(user)) in [(order.action, order.sha256) for order in answer.orders]
        assert "its agent is asked to cut its network" in told.text


def test_the_word_of_a_site_goes_before_the_default(world: World) -> None:
    agent = desk(world)
    world.rest("PUT", "/v1/settings/unknown_network", json={"default": "off", "sites": {"main": "on"}})
    answer, _ = starts(world, agent, "anna")
    assert answer.orders == ()


def test_a_graced_program_without_network_is_cut_on_each_host_and_told(world: World) -> None:
    rules(world, anna="grace = { hours = 8, max_hosts = 5 }\ncut = true")
    first, second = desk(world), world.agent("desk-2", "02:00:00:00:00:20")
    for agent in (first, second):
        answer, told = starts(world, agent, "anna")
        assert [order.action for order in answer.orders] == [contract.Action.CUT]
        assert told.kind == EventKind.GRACED
    assert len(world.events(EventKind.GRACED)) == 2


@pytest.mark.parametrize("then", ['run-script = "note"', 'grace = { hours = 8, max_hosts = 5 }\nrun-script = "note"'])
def test_run_script_runs_the_script_for_each_host(world: World, tmp_path: Path, then: str) -> None:
    rules(world, anna=then)
    agents = [desk(world), world.agent("desk-2", "02:00:00:00:00:20")]
    with tempfile.TemporaryDirectory(prefix="scripts-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "note.sh").write_text("#!/bin/sh\ncat\n")
        (folder / "note.sh").chmod(0o755)
        scripts = {"scripts": [{"name": "note", "run": ["note.sh"]}]}
        assert world.rest("PUT", "/v1/settings/scripts", json=scripts).status_code == 200
        config = Config(scripts=Scripts(folder, "nobody"), service=Service(data=tmp_path))

        async def work() -> None:
            worker = Worker(world.store, config, world.service.policies, lambda: world.now, Figures(), asyncio.Event())
            for _ in range(50):
                if not await worker.round() and not worker._tasks:
                    break
                await worker.idle()

        world.run(work())  # from here on it looks at what is new
        for agent in agents:
            starts(world, agent, "anna")
        world.run(work())
    runs = world.read(lambda tx: tx.find(ScriptRun, tenant=T, order="sequence"))
    assert [(run.script, run.state, run.exit_code) for run in runs] == [("note", "done", 0)] * 2
    told = [json.loads(run.output) for run in runs]
    assert {each["host"] for each in told} == {"desk-1", "desk-2"} or {each["mac"] for each in told} == {
        a.mac for a in agents
    }
    assert {each["sha256"] for each in told} == {sha("anna")}
    assert all(access(world, agent) == "production" for agent in agents)


def test_deny_by_a_rule_makes_its_host_compromised_and_moves_it(world: World) -> None:
    rules(world, anna="deny = true")
    agent = desk(world)
    _, told = starts(world, agent, "anna")
    assert (told.kind, access(world, agent)) == (EventKind.DENIED_RAN, "remediation")

"""Scripts over REST: what is set up, how runs ended, and what one would be told."""

from typing import Any

from api.auth.roles import Role
from radius_policy.model import DEFAULT_TENANT, EventKind, HostId, ScriptRun, Setting
from tests.unit.api.world import World

T = DEFAULT_TENANT
VALUE = {"scripts": [{"name": "shut-port", "run": ["pratique:shut_port"], "events": ["moved"]}]}


def ask(world: World, path: str, role: Role = Role.VIEWER) -> Any:
    return world.ask("GET", path, headers={"Authorization": f"Bearer {world.api_token(role)}"})


def test_scripts_runs_and_a_trial(world: World) -> None:
    agent = world.agent()
    run = ScriptRun(T, "e.s", "shut-port", "e", HostId(agent.host_id), EventKind.MOVED, "done", 1, 1, 1, exit_code=0)
    world.write(lambda tx: tx.put(run, Setting(T, "scripts", VALUE, 1, "test", 0)))
    told = ask(world, "/v1/scripts").json()
    assert [one["name"] for one in told["configured"]] == ["shut-port"]
    assert "pratique:ticket" in told["shipped"]
    [found] = ask(world, "/v1/scripts/runs?host=desk-1&event=moved").json()["runs"]
    assert (found["script"], found["code"], found["host"]) == ("shut-port", 0, "desk-1")
    assert ask(world, "/v1/scripts/runs?script=other").json() == {"runs": []}
    trial = ask(world, "/v1/scripts/shut-port/trial?host=desk-1", Role.ADMIN).json()
    assert (trial["stdin"]["host"], trial["stdin"]["event"]) == ("desk-1", "moved")


def test_who_may_not_and_what_is_not_there(world: World) -> None:
    assert world.ask("GET", "/v1/scripts/runs").status_code == 401
    assert ask(world, "/v1/scripts/none/trial").status_code == 403
    gone = ask(world, "/v1/scripts/none/trial", Role.ADMIN)
    assert (gone.status_code, gone.json()["type"]) == (404, "urn:pratique:problem:not-found")
    assert ask(world, "/v1/scripts/runs?host=nobody").status_code == 404

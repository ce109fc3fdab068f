"""Urgent alerts over REST: listed for those who may see, acknowledged by those who may act."""

from typing import Any

from api.auth.roles import Role
from radius_policy.model import DEFAULT_TENANT, Escalation, EventKind
from tests.unit.api.world import World

T = DEFAULT_TENANT


def matter(world: World) -> str:
    made = Escalation(T, "a" * 32, "all", "t", EventKind.MOVE_FAILED, "ev", world.now, world.now, site="main")
    world.write(lambda tx: tx.put(made))
    return made.id


def ask(world: World, method: str, path: str, role: Role, **given: Any) -> Any:
    return world.ask(method, path, headers={"Authorization": f"Bearer {world.api_token(role)}"}, **given)


def test_they_are_listed_and_acknowledged_once(world: World) -> None:
    name = matter(world)
    [found] = ask(world, "GET", "/v1/alerts", Role.VIEWER).json()["alerts"]
    assert (found["id"], found["state"], found["title"]) == (name, "open", "Move failed")
    done = ask(world, "POST", f"/v1/alerts/{name}/acknowledge", Role.OPERATOR, json={"why": "on it"})
    assert (done.status_code, done.json()["state"], done.json()["why"]) == (200, "acknowledged", "on it")
    assert ask(world, "GET", "/v1/alerts", Role.VIEWER).json() == {"alerts": []}
    assert len(ask(world, "GET", "/v1/alerts?state=all", Role.VIEWER).json()["alerts"]) == 1
    again = ask(world, "POST", f"/v1/alerts/{name}/acknowledge", Role.ADMIN, json={})
    assert again.json()["why"] == "on it"


def test_a_viewer_may_not_and_what_is_not_there_is_not_found(world: World) -> None:
    name = matter(world)
    assert ask(world, "POST", f"/v1/alerts/{name}/acknowledge", Role.VIEWER, json={}).status_code == 403
    gone = ask(world, "POST", "/v1/alerts/none/acknowledge", Role.OPERATOR, json={})
    assert (gone.status_code, gone.json()["type"]) == (404, "urn:pratique:problem:not-found")
    assert world.ask("GET", "/v1/alerts").status_code == 401

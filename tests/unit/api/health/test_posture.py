"""What NAC appliances ask."""

from api.admin import tokens
from api.auth.roles import Role
from radius_policy.model import ApiToken
from tests.unit.api.world import ADMIN, MAC, World, execution, problem


def test_posture_is_told_with_access_and_reasons(world: World) -> None:
    agent = world.agent()
    world.enforce()
    agent.tell(execution(world))
    told = world.rest("GET", f"/v1/hosts/{MAC}/posture").json()
    assert (told["host_id"], told["posture"], told["access"]) == (agent.host_id, "potential_problem", "remediation")
    assert told["access_reason"]["text"]
    assert told["reasons"][0]["key"] == "a" * 64
    assert told["as_of"] == world.now


def test_a_host_is_asked_for_by_id_name_and_mac_alike(world: World) -> None:
    agent = world.agent()
    answers = {
        world.rest("GET", f"/v1/hosts/{name}/posture").json()["host_id"]
        for name in (agent.host_id, "desk-1", MAC.upper())
    }
    assert answers == {agent.host_id}


def test_what_is_unknown_is_not_found(world: World) -> None:
    assert problem(world.rest("GET", "/v1/hosts/02:00:00:00:00:99/posture")) == "not-found"
    assert problem(world.rest("GET", "/v1/hosts/%20/posture")) == "not-found"


def test_the_list_is_paged_by_id(world: World) -> None:
    ids = sorted(world.agent(f"desk-{n}", f"02:00:00:00:01:{n:02x}").host_id for n in range(3))
    first = world.rest("GET", "/v1/hosts?limit=2").json()
    second = world.rest("GET", f"/v1/hosts?limit=2&after={first['next']}").json()
    assert [host["host_id"] for host in first["hosts"] + second["hosts"]] == ids
    assert second["next"] is None
    assert problem(world.rest("GET", "/v1/hosts?limit=0")) == "malformed"


def test_one_tenant_never_sees_another(world: World) -> None:
    world.agent()
    secret, token = world.write(lambda tx: tokens.make_api_token(tx, ADMIN, "other", Role.ADMIN, now=world.now))
    world.write(lambda tx: tx.delete(ApiToken, tenant=1, hash=token.hash))
    world.write(lambda tx: tx.put(ApiToken(2, token.hash, "other", "admin", 0)))
    assert problem(world.ask("GET", "/v1/hosts", headers={"Authorization": f"Bearer {secret}"})) == "unauthenticated"

"""People and tokens."""

import pytest

from api.admin import tokens, users
from api.auth.roles import Forbidden, Identity, Role
from api.errors import Conflict, NotFound, Refused
from radius_policy.model import SECOND, ApiToken, User
from tests.unit.api.world import ADMIN, World, problem


def add(world: World, name: str = "ann", role: Role = Role.ADMIN) -> User:
    return world.write(lambda tx: users.add_user(tx, ADMIN, name, role, password="hash", one_time=True, now=world.now))


@pytest.mark.parametrize("name", ["", "two words", "-dash", "x" * 65, "semi;colon"])
def test_a_name_is_plain(world: World, name: str) -> None:
    with pytest.raises(Refused, match="no user name"):
        add(world, name)


def test_a_person_is_added_once(world: World) -> None:
    add(world)
    with pytest.raises(Conflict, match="pratique user reset ann"):
        add(world)


def test_the_last_admin_cannot_be_disabled(world: World) -> None:
    add(world)
    disable = lambda name: world.write(lambda tx: users.disable_user(tx, ADMIN, name, now=world.now))  # noqa: E731
    with pytest.raises(Conflict, match="last admin"):
        disable("ann")
    add(world, "bob")
    assert disable("ann").disabled
    with pytest.raises(NotFound):
        disable("nobody")


def test_a_reset_gives_a_disabled_person_back(world: World) -> None:
    add(world)
    add(world, "bob")
    world.write(lambda tx: users.disable_user(tx, ADMIN, "ann", now=world.now))
    reset = world.write(lambda tx: users.reset_user(tx, ADMIN, "ann", password="other", now=world.now))
    assert (reset.disabled, reset.one_time, reset.password) == (False, True, "other")


def test_people_are_the_admins_business(world: World) -> None:
    with pytest.raises(Forbidden):
        world.write(
            lambda tx: users.add_user(
                tx, Identity(1, "op", Role.OPERATOR), "eve", Role.ADMIN, password="x", one_time=False, now=0
            )
        )


def test_an_api_token_logs_in_with_its_role_until_it_is_removed_or_expires(world: World) -> None:
    secret, _ = world.write(lambda tx: tokens.make_api_token(tx, ADMIN, "siem", Role.VIEWER, days=1, now=world.now))
    header = {"Authorization": f"Bearer {secret}"}
    assert world.ask("GET", "/v1/hosts", headers=header).status_code == 200
    assert problem(world.ask("PUT", "/v1/pause", headers=header, json={"paused": True})) == "forbidden"
    [kept] = world.read(lambda tx: tx.find(ApiToken, tenant=1))
    assert secret not in repr(kept)
    assert kept.last_used == world.now
    world.now += 86_401 * SECOND
    assert problem(world.ask("GET", "/v1/hosts", headers=header)) == "unauthenticated"
    world.write(lambda tx: tokens.remove_api_token(tx, ADMIN, "siem", now=world.now))
    with pytest.raises(NotFound):
        world.write(lambda tx: tokens.remove_api_token(tx, ADMIN, "siem", now=world.now))


def test_two_tokens_of_one_name_cannot_be_told_apart_in_the_audit(world: World) -> None:
    make = lambda: world.write(lambda tx: tokens.make_api_token(tx, ADMIN, "siem", Role.VIEWER, now=world.now))  # noqa: E731
    make()
    with pytest.raises(Conflict):
        make()


@pytest.mark.parametrize("minutes", [0, -5, 8 * 24 * 60])
def test_an_enrolment_token_lives_minutes_to_days(world: World, minutes: int) -> None:
    with pytest.raises(Refused, match="minutes"):
        world.enrol_token(minutes=minutes)


def test_rest_makes_a_person_with_a_one_time_password_shown_once(world: World) -> None:
    made = world.rest("POST", "/v1/users", json={"name": "ann", "role": "operator", "sites": ["main"]})
    assert made.status_code == 201
    assert len(made.json()["one_time_password"]) == 24
    listed = world.rest("GET", "/v1/users")
    assert listed.json()[0]["one_time"] is True
    assert "password" not in listed.text.replace("one_time_password", "")


def test_rest_makes_an_enrolment_token_that_names_service_and_ca(world: World) -> None:
    from health_agent.contract import EnrolmentToken

    made = world.rest("POST", "/v1/enrol-tokens", json={"minutes": 5}).json()
    token = EnrolmentToken.parse(made["token"])
    assert (token.url, token.ca) == (world.config.url, world.service.fingerprint)
    assert made["expires"] == world.now + 300 * SECOND
    api = world.rest("POST", "/v1/api-tokens", json={"name": "siem", "role": "viewer"}).json()
    assert api["token"].startswith("ptk_")
    assert world.rest("DELETE", "/v1/api-tokens/siem").status_code == 204

"""What a request must bring."""

from collections.abc import Callable

import pytest

from api.admin import users
from api.auth import passwords
from api.auth.identify import COOKIE, CSRF_HEADER
from api.auth.roles import Identity, Role
from tests.unit.api.world import ADMIN, World, problem

PASSWORD = "correct horse battery"
KEPT = passwords.hashed(PASSWORD)
CHANGE = {"json": {"paused": True}}


@pytest.fixture
def login(world: World) -> Callable[..., tuple[dict[str, str], Identity]]:
    def log_in(role: Role = Role.ADMIN, one_time: bool = False) -> tuple[dict[str, str], Identity]:
        world.write(lambda tx: users.add_user(tx, ADMIN, "ann", role, password=KEPT, one_time=one_time, now=world.now))
        made = world.run(world.service.logins.log_in("ann", PASSWORD, "a"))
        identity = world.run(world.service.logins.of_cookie(made.cookie))
        return {"Cookie": f"{COOKIE}={made.cookie}"}, identity

    return log_in


def test_nobody_is_nobody(world: World) -> None:
    response = world.ask("GET", "/v1/hosts")
    assert (problem(response), response.headers["www-authenticate"]) == ("unauthenticated", "Bearer")
    assert problem(world.ask("GET", "/v1/hosts", headers={"Authorization": "Bearer ptk_wrong"})) == "unauthenticated"
    assert problem(world.ask("GET", "/v1/hosts", headers={"Authorization": "Basic YTpi"})) == "unauthenticated"


def test_a_cookie_reads_and_changes_nothing_without_the_logins_csrf_value(
    world: World, login: Callable[..., tuple[dict[str, str], Identity]]
) -> None:
    cookie, identity = login()
    assert world.ask("GET", "/v1/hosts", headers=cookie).status_code == 200
    assert problem(world.ask("PUT", "/v1/pause", headers=cookie, **CHANGE)) == "csrf"
    assert problem(world.ask("PUT", "/v1/pause", headers=cookie | {CSRF_HEADER: "guessed"}, **CHANGE)) == "csrf"
    assert world.ask("PUT", "/v1/pause", headers=cookie | {CSRF_HEADER: identity.csrf}, **CHANGE).status_code == 200


def test_a_role_that_is_too_low_is_told_which_it_needs(
    world: World, login: Callable[..., tuple[dict[str, str], Identity]]
) -> None:
    cookie, identity = login(Role.VIEWER)
    response = world.ask("PUT", "/v1/pause", headers=cookie | {CSRF_HEADER: identity.csrf}, **CHANGE)
    assert problem(response) == "forbidden"
    assert "operator" in response.json()["detail"]


def test_a_one_time_password_opens_nothing(world: World, login: Callable[..., tuple[dict[str, str], Identity]]) -> None:
    cookie, _ = login(one_time=True)
    response = world.ask("GET", "/v1/hosts", headers=cookie)
    assert problem(response) == "forbidden"
    assert "one-time password" in response.json()["detail"]


def test_the_description_of_the_api_is_for_admins(world: World) -> None:
    assert problem(world.ask("GET", "/v1/openapi.json")) == "unauthenticated"
    viewer = {"Authorization": f"Bearer {world.api_token(Role.VIEWER)}"}
    assert problem(world.ask("GET", "/v1/openapi.json", headers=viewer)) == "forbidden"
    described = world.rest("GET", "/v1/openapi.json").json()
    assert "/v1/hosts/{name}/posture" in described["paths"]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
def test_the_frameworks_own_pages_are_not_there(world: World, path: str) -> None:
    assert world.ask("GET", path).status_code == 404

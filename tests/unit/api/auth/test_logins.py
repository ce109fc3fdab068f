"""Logging in, staying in, getting out."""

import pytest

from api.admin import users
from api.auth import passwords
from api.auth.logins import LIFE, TooMany, WrongLogin
from api.auth.roles import Role
from api.auth.throttle import PER_PAIR
from radius_policy.model import Login
from tests.unit.api.world import ADMIN, World

PASSWORD = "correct horse battery"
KEPT = passwords.hashed(PASSWORD)


@pytest.fixture
def ann(world: World) -> World:
    add(world, "ann")
    return world


def add(
    world: World, name: str, *, one_time: bool = False, role: Role = Role.ADMIN, sites: tuple[str, ...] = ()
) -> None:
    world.write(
        lambda tx: users.add_user(tx, ADMIN, name, role, password=KEPT, one_time=one_time, sites=sites, now=world.now)
    )


def log_in(world: World, name: str = "ann", password: str = PASSWORD, address: str = "192.0.2.7") -> str:
    return world.run(world.service.logins.log_in(name, password, address)).cookie


def who(world: World, cookie: str) -> object:
    return world.run(world.service.logins.of_cookie(cookie))


def test_a_login_lasts_until_it_ends(ann: World) -> None:
    cookie = log_in(ann)
    found = who(ann, cookie)
    assert (found.name, found.role, found.via) == ("ann", Role.ADMIN, "cookie")
    assert found.csrf
    [kept] = ann.read(lambda tx: tx.find(Login, tenant=1))
    assert cookie not in repr(kept)
    ann.now += LIFE
    assert who(ann, cookie) is None


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "wrong wrong wrong"), ("nobody", PASSWORD), ("", ""), ("ann", "")]
)
def test_wrong_name_and_wrong_password_are_told_alike(ann: World, name: str, password: str) -> None:
    with pytest.raises(WrongLogin, match="name or password"):
        log_in(ann, name, password)


def test_a_disabled_person_is_out_at_once(ann: World) -> None:
    cookie = log_in(ann)
    add(ann, "bob")
    ann.write(lambda tx: users.disable_user(tx, ADMIN, "ann", now=ann.now))
    assert who(ann, cookie) is None
    with pytest.raises(WrongLogin):
        log_in(ann)


def test_logging_out_ends_this_login_alone(ann: World) -> None:
    first, second = log_in(ann), log_in(ann)
    ann.run(ann.service.logins.log_out(first))
    assert who(ann, first) is None
    assert who(ann, second) is not None


def test_a_new_password_ends_all_logins_and_the_old_one(ann: World) -> None:
    cookie = log_in(ann)
    ann.run(ann.service.logins.change_password("ann", PASSWORD, "another good password", "a"))
    assert who(ann, cookie) is None
    with pytest.raises(WrongLogin):
        log_in(ann)
    log_in(ann, password="another good password")


def test_a_one_time_password_allows_nothing_but_changing_it(world: World) -> None:
    add(world, "ann", one_time=True)
    found = who(world, log_in(world))
    assert found.must_change
    assert not found.may(Role.VIEWER)
    with pytest.raises(passwords.WeakPassword, match="differ"):
        world.run(world.service.logins.change_password("ann", PASSWORD, PASSWORD, "a"))
    world.run(world.service.logins.change_password("ann", PASSWORD, "another good password", "a"))
    assert who(world, log_in(world, password="another good password")).may(Role.ADMIN)


def test_guessing_is_refused_even_when_it_guesses_right(ann: World) -> None:
    for _ in range(PER_PAIR):
        with pytest.raises(WrongLogin):
            log_in(ann, password="wrong wrong wrong")
    with pytest.raises(TooMany, match="try again in 900 seconds"):
        log_in(ann)
    log_in(ann, address="198.51.100.1")
    counted = ann.service.metrics.logins
    assert [counted.labels(word)._value.get() for word in ("wrong", "throttled", "done")] == [5, 1, 1]


def test_old_logins_are_swept_at_the_next_one(ann: World) -> None:
    log_in(ann)
    ann.now += LIFE + 1
    log_in(ann)
    assert ann.read(lambda tx: tx.count(Login, tenant=1)) == 1

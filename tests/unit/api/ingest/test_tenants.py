"""Two tenants with the same MAC never see or touch each other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.auth.roles import local
from radius_policy.model import HostState, Mac, MacAccess
from tests.unit.api.world import MAC, World, execution, problem


@pytest.fixture
def two(folder: Path) -> Iterator[tuple[World, World]]:
    from api import main

    first, second = World(folder), World(folder, "tenant = 2")
    second.run(second.store.close())
    second.service.doorbell.close()
    second.store = first.store
    second.service = main.wire(second.config, first.store, _material(first), lambda: second.now)
    yield first, second
    for one in (first, second):
        one.service.doorbell.close()
        one.runner.close()


def _material(world: World) -> object:
    from tests.unit.api.world import material

    return material(world.config.service.data)


def use(world: World) -> World:
    """The app answers for this tenant from now on."""
    from api import front

    front.equip(world.app, world.service)
    return world


def test_the_same_mac_in_two_tenants_is_two_endpoints(two: tuple[World, World]) -> None:
    first, second = two
    mine = use(first).agent()
    first.enforce()
    theirs = use(second).agent(who=local("other", second.service.tenant))
    use(first)
    mine.tell(execution(first))
    answers = [first.read(lambda tx, t=t: tx.get(MacAccess, t, Mac(MAC))) for t in (1, 2)]
    assert [answer.access for answer in answers if answer] == ["remediation", "production"]
    state = first.read(lambda tx: tx.get(HostState, 2, theirs.host_id))
    assert state is not None
    assert state.posture == "healthy"


def test_an_endpoint_and_a_token_of_one_tenant_are_unknown_to_the_other(two: tuple[World, World]) -> None:
    first, second = two
    mine = use(first).agent()
    token, secret = first.rest("GET", "/v1/hosts"), first.enrol_token()
    assert token.status_code == 200
    use(second)
    second.token = first.token
    assert problem(mine.send(mine.report(execution(first)))) == "unknown-host"
    assert problem(second.rest("GET", "/v1/hosts")) == "unauthenticated"
    from tests.unit.api.world import Agent

    assert problem(Agent(second).enrol(secret)) == "token-unknown"

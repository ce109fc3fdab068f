"""Endpoints: found, shown, cleared, quarantined, released, protected."""

import pytest

from api.admin import hosts
from api.auth.roles import Forbidden, Identity, Role
from api.errors import Conflict, NotFound, Refused
from radius_policy.model import SECOND, HostState
from tests.unit.api.world import ADMIN, MAC, World, execution, problem

OTHER = "02:00:00:00:00:20"


def find(world: World, text: str) -> str:
    return world.read(lambda tx: hosts.find_host(tx, 1, text)).host_id


def do(world: World, deed: object, name: str = "desk-1", who: Identity = ADMIN, **more: object) -> HostState:
    return world.run(world.desk().host(who, name, deed, **more))[1]


@pytest.mark.parametrize("text", ["desk-1", MAC, "02-00-00-00-00-10", "0200.0000.0010", "020000000010", " desk-1 "])
def test_a_host_is_found_by_name_and_by_mac_however_it_is_written(world: World, text: str) -> None:
    agent = world.agent()
    assert find(world, text) == agent.host_id


def test_a_host_is_found_by_its_id_and_its_beginning(world: World) -> None:
    agent = world.agent()
    assert find(world, agent.host_id) == find(world, agent.host_id[:8]) == agent.host_id


def test_a_mac_belongs_to_the_endpoint_that_last_proved_it(world: World) -> None:
    world.agent()
    world.now += SECOND
    newer = world.agent("desk-1b")
    assert find(world, MAC) == newer.host_id


@pytest.mark.parametrize(
    ("text", "says"),
    [("desk-9", "no endpoint"), ("02:00:00:00:00:99", "no endpoint has the MAC"), ("02:00:00:00:00", "six pairs")],
)
def test_what_does_not_exist_is_said_clearly(world: World, text: str, says: str) -> None:
    world.agent()
    with pytest.raises(NotFound, match=says):
        find(world, text)


def test_a_name_that_two_hosts_share_is_not_guessed(world: World) -> None:
    first, second = world.agent("desk-1"), world.agent("desk-1", OTHER)
    with pytest.raises(Refused, match="several") as refused:
        find(world, "desk-1")
    assert first.host_id in str(refused.value)
    assert second.host_id in str(refused.value)


def test_quarantine_holds_until_it_is_withdrawn(world: World) -> None:
    world.agent()
    assert do(world, hosts.quarantine, why="looks odd").access == "remediation"
    assert do(world, hosts.withdraw).access == "production"


def test_release_brings_a_host_back_and_clear_ends_its_reasons(world: World) -> None:
    agent = world.agent()
    world.enforce()
    agent.tell(execution(world))
    released = do(world, hosts.release, why="needed now")
    assert (released.access, released.posture) == ("production", "potential_problem")
    world.now += SECOND
    cleared = do(world, hosts.clear, why="looked at it")
    assert cleared.posture == "healthy"


def test_a_protected_host_is_never_quarantined_and_says_why(world: World) -> None:
    world.agent()
    do(world, hosts.protect, on=True, why="the domain controller")
    with pytest.raises(Conflict, match="stays where it is"):
        do(world, hosts.quarantine)
    do(world, hosts.protect, on=False)
    assert do(world, hosts.quarantine).access == "remediation"


def test_an_operator_acts_on_hosts_of_his_sites_alone(world: World) -> None:
    world.agent("desk-1", site="branch")
    world.agent("desk-2", OTHER, site="main")
    ann = Identity(1, "ann", Role.OPERATOR, ("branch",))
    assert do(world, hosts.quarantine, "desk-1", ann).access == "remediation"
    with pytest.raises(Forbidden, match="site main"):
        do(world, hosts.quarantine, "desk-2", ann)
    with pytest.raises(Forbidden, match="admin"):
        do(world, hosts.protect, "desk-1", ann, on=True)
    assert [view["name"] for view in world.read(lambda tx: hosts.hosts(tx, ann))] == ["desk-1"]


def test_pages_of_hosts_go_on_where_the_last_one_ended(world: World) -> None:
    for n in range(5):
        world.agent(f"desk-{n}", f"02:00:00:00:01:{n:02x}")
    seen: list[str] = []
    after = None
    while page := world.read(lambda tx, after=after: hosts.hosts(tx, ADMIN, limit=2, after=after)):
        seen += [view["name"] for view in page]
        after = page[-1]["host_id"]
    assert sorted(seen) == [f"desk-{n}" for n in range(5)]


def test_the_whole_view_tells_reasons_in_words(world: World) -> None:
    agent = world.agent()
    world.enforce()
    agent.tell(execution(world, path="/home/ann/invoice.exe"))
    view = world.read(lambda tx: hosts.whole_view(tx, hosts.find_host(tx, 1, "desk-1")))
    [reason] = view["reasons"]
    assert reason["posture"] == "potential_problem"
    assert reason["reason"]["text"]
    assert view["access_reason"]["text"]
    assert view["macs"] == [MAC]


def test_rest_acts_on_hosts_and_refuses_in_sentences(world: World) -> None:
    world.agent()
    assert world.rest("POST", "/v1/hosts/desk-1/quarantine", json={"why": "odd"}).json()["access"] == "remediation"
    assert world.rest("POST", "/v1/hosts/desk-1/release", json={}).json()["access"] == "production"
    world.rest("POST", "/v1/hosts/desk-1/withdraw", json={})
    world.rest("PUT", "/v1/hosts/desk-1/never-quarantine", json={"never_quarantine": True})
    assert problem(world.rest("POST", "/v1/hosts/desk-1/quarantine", json={})) == "conflict"
    assert problem(world.rest("POST", "/v1/hosts/nobody/clear", json={})) == "not-found"

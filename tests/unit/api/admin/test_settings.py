"""Settings, modes and the pause switch."""

import pytest

from api.admin import settings
from api.auth.roles import Forbidden, Identity, Role
from api.errors import Refused
from radius_policy.judgement.policy import Policy
from radius_policy.model import AuditLine, HostState, Mode, Setting
from radius_policy.radius.snapshot import SETTINGS, Snapshot, look_at_all, value_of
from tests.unit.api.world import ADMIN, World, execution, problem


def change(world: World, name: str, value: object) -> Setting:
    return world.write(lambda tx: settings.change_setting(tx, ADMIN, name, value, now=world.now))


def test_every_default_is_a_value_that_the_policy_takes(world: World) -> None:
    for name, value in settings.SETTINGS.items():
        if name not in ("mode", "pause"):
            assert change(world, name, value).version == 1
    world.read(lambda tx: Policy.load(tx, 1))


def test_versions_rise_and_the_old_value_is_in_the_audit(world: World) -> None:
    change(world, "vlans", {"production": "10"})
    assert change(world, "vlans", {"production": "20"}).version == 2
    lines = world.read(lambda tx: tx.find(AuditLine, tenant=1, order="number"))
    assert lines[-1].detail["from"] == {"production": "10"}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("vlan", {}, 'did you mean "vlans"'),
        ("vlans", {"production": 10}, "is a text"),
        ("vlans", {"blocked": "1"}, "has no VLAN"),
        ("vlans", [], "JSON object"),
        ("timezone", {"name": "Mars/Olympus"}, "Mars/Olympus"),
        ("unmonitored", {"access": "jail"}, "jail"),
        ("unlisted", {"access": "cellar"}, "there are production, guest, remediation"),
        ("unlisted", {"guest": True}, "no endpoint proved"),
        ("session_timeout", {"blocked": 300}, "has no sessions"),
        ("session_timeout", {"remediation": "5m"}, "whole number of seconds"),
        ("session_timeout", {"remediation": 5}, "at least 60"),
        ("reference_sets", {"sets": [{"name": "nsrl", "path": "rds.db"}]}, "an absolute path"),
        ("scripts", {"scripts": [{"name": "x", "run": ["/bin/sh", "-c", "id"]}]}, "the name of a file in the folder"),
        ("mode", {"default": "enforce"}, "pratique mode"),
        ("pause", {"paused": True}, "pratique pause"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(world: World, name: str, value: object, says: str) -> None:
    with pytest.raises(Refused, match=says):
        change(world, name, value)
    assert world.read(lambda tx: tx.count(Setting, tenant=1)) == 0


def test_what_the_radius_process_reads_is_what_may_be_set(world: World) -> None:
    assert set(SETTINGS) <= set(settings.SETTINGS), "each setting that answers depend on can be changed"
    change(world, "unlisted", {"access": "blocked"})
    change(world, "session_timeout", {"remediation": 300})
    snapshot = Snapshot()
    assert snapshot.apply(world.read(lambda tx: look_at_all(tx, [1]))).complaints == ()
    assert snapshot.rules(1).unlisted == "blocked"
    assert snapshot.rules(1).timeouts == {"remediation": 300}


def test_a_site_may_have_a_mode_of_its_own_and_lose_it_again(world: World) -> None:
    assert world.run(world.desk().mode(ADMIN, Mode.ENFORCE, site="branch")).value["sites"] == {"branch": "enforce"}
    assert world.run(world.desk().mode(ADMIN, None, site="branch")).value == settings.SETTINGS["mode"]
    with pytest.raises(Refused, match="some mode"):
        world.run(world.desk().mode(ADMIN, None))
    with pytest.raises(Refused, match="not both"):
        world.run(world.desk().mode(ADMIN, Mode.LEARN, site="a", group="b"))


def test_switching_to_enforce_previews_and_then_moves_what_is_undecided(world: World) -> None:
    agent = world.agent()
    world.run(world.desk().mode(ADMIN, Mode.MONITOR))
    agent.tell(execution(world))
    preview = world.run(world.desk().preview(ADMIN, Mode.ENFORCE))
    assert preview.moves == (agent.host_id,)
    state = world.read(lambda tx: tx.get(HostState, 1, agent.host_id))
    assert state.access == "production", "a preview does nothing"
    assert world.run(world.desk().mode(ADMIN, Mode.ENFORCE)).did.moves == (agent.host_id,)
    state = world.read(lambda tx: tx.get(HostState, 1, agent.host_id))
    assert state.access == "remediation"


def test_pause_stops_moves_for_policy_and_radius_alike_and_is_told(world: World) -> None:
    agent = world.agent()
    world.enforce()
    pause = lambda on: world.run(world.desk().pause(ADMIN, on, why="maintenance"))  # noqa: E731
    assert [pause(True), pause(True)] == [True, False]
    assert world.read(lambda tx: Policy.load(tx, 1)).paused
    assert value_of(world.read(lambda tx: tx.get(Setting, 1, "pause")).value, "paused", False) is True
    agent.tell(execution(world))
    assert world.read(lambda tx: tx.get(HostState, 1, agent.host_id)).access == "production"
    assert pause(False)
    assert world.read(lambda tx: tx.get(HostState, 1, agent.host_id)).access == "remediation"
    assert [event.kind for event in world.events() if event.topic == "pause"] == ["paused", "resumed"]


def test_pausing_everything_is_not_for_operators_of_one_site(world: World) -> None:
    ann = Identity(1, "ann", Role.OPERATOR, ("branch",))
    with pytest.raises(Forbidden, match="all sites"):
        world.run(world.desk().pause(ann, True))


def test_rest_shows_and_changes_settings(world: World) -> None:
    assert world.rest("GET", "/v1/settings").json()["mode"]["default"] == "learn"
    assert world.rest("PUT", "/v1/settings/vlans", json={"production": "110"}).json()["version"] == 1
    assert problem(world.rest("PUT", "/v1/settings/vlan", json={})) == "malformed"
    assert world.rest("PUT", "/v1/mode", json={"mode": "enforce", "preview": True}).json()["moves"] == []
    assert world.rest("PUT", "/v1/mode", json={"mode": "enforce"}).json()["mode"]["default"] == "enforce"
    assert world.rest("PUT", "/v1/pause", json={"paused": True}).json() == {"paused": True, "changed": True}

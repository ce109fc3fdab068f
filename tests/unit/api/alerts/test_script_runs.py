"""The runs of scripts as people read them, and a trial that starts nothing."""

from pathlib import Path
from typing import Any

import pytest

from api.alerts import script_runs
from api.alerts.scripts import Script
from api.auth.roles import Identity, Role
from api.errors import NotFound
from radius_policy.model import DEFAULT_TENANT, EventKind, Host, HostId, ScriptRun, Setting
from tests.unit.api.alerts.conftest import T0, Office

T = DEFAULT_TENANT
ALL = Identity(T, "anna", Role.VIEWER)
ELSEWHERE = Identity(T, "boris", Role.VIEWER, sites=("berlin",))


def run(number: int, host: str = "host-0001", kind: EventKind = EventKind.MOVED, **more: Any) -> ScriptRun:
    return ScriptRun(
        T, f"ev-{number}.shut-port", more.pop("script", "shut-port"), f"ev-{number}", HostId(host), kind,
        more.pop("state", "done"), T0 + number, 0, number, exit_code=0, output="port2 of sw1 is shut", **more,
    )  # fmt: skip


@pytest.fixture
def some(office: Office) -> Office:
    office.runs(1)
    with office.store.transaction() as tx:
        tx.put(Host(T, HostId("far"), "PC-far", site="berlin"))
        tx.put(run(1), run(2, kind=EventKind.RELEASED), run(3, "far"), run(4, "", EventKind.PAUSED, script="ticket"))
        value = {"scripts": [{"name": "shut-port", "run": ["pratique:shut_port"], "events": ["moved", "released"]}]}
        tx.put(Setting(T, "scripts", value, 1, "test", 0))
    return office


def ids(office: Office, who: Identity = ALL, **asked: Any) -> list[str]:
    return [one.event_id for one in script_runs.runs(office.store.reading(), who, **asked)]


def test_the_newest_stands_first_with_code_and_output(some: Office) -> None:
    assert ids(some) == ["ev-4", "ev-3", "ev-2", "ev-1"]
    last = script_runs.runs(some.store.reading(), ALL)[-1]
    assert (last.script, last.event, last.host, last.code, last.output) == (
        "shut-port", "moved", "PC-0001", 0, "port2 of sw1 is shut",
    )  # fmt: skip


def test_they_are_found_by_host_event_and_script(some: Office) -> None:
    assert ids(some, host_id="host-0001") == ["ev-2", "ev-1"]
    assert ids(some, event="moved") == ["ev-3", "ev-1"]
    assert ids(some, event="ev-2") == ["ev-2"]
    assert ids(some, script="ticket") == ["ev-4"]
    assert ids(some, host_id="host-0001", event="released", limit=5) == ["ev-2"]
    assert ids(some, limit=1) == ["ev-4"]


def test_somebody_of_one_site_sees_the_runs_for_its_hosts_alone(some: Office) -> None:
    assert ids(some, ELSEWHERE) == ["ev-3"]


def test_many_are_read_piece_by_piece_and_none_is_shown_twice(some: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_runs, "PIECE", 7)
    with some.store.transaction() as tx:
        tx.put(*(run(number) for number in range(10, 60)))
    found = ids(some, script="shut-port")
    assert len(found) == len(set(found)) == 53
    assert ids(some, event="released") == ["ev-2"]


def test_a_trial_says_what_would_be_started_and_what_it_would_be_told(some: Office) -> None:
    reading = some.store.reading()
    script = script_runs.named(reading, ALL, "shut-port")
    host = reading.get(Host, T, HostId("host-0001"))
    made = script_runs.trial(reading, script, host, tenant=T, folder=Path("/nonexistent"), user="nobody", now=T0)
    assert made["argv"][-1].endswith("shut_port.py")
    told = made["stdin"]
    assert (told["event"], told["host"], told["port"], told["dry_run"]) == ("moved", "PC-0001", "Gi1/0/1", True)
    bare = script_runs.trial(reading, script, None, tenant=T, folder=Path("/nonexistent"), user="nobody", now=T0)
    assert bare["stdin"]["host"] is None
    assert bare["stdin"].keys() == told.keys()


def test_a_script_that_is_not_there_is_named_with_those_that_are(some: Office) -> None:
    with pytest.raises(NotFound, match="there is no script other; configured are shut-port"):
        script_runs.named(some.store.reading(), ALL, "other")


def test_each_shipped_script_says_what_it_does(office: Office) -> None:
    assert set(script_runs.shipped_with()) == {"pratique:router_acl", "pratique:shut_port", "pratique:ticket"}
    assert all(script_runs.shipped_with().values())
    assert Script("one", ("pratique:ticket",)).run[0] in script_runs.shipped_with()

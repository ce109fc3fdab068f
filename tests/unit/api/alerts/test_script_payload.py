"""What a script is told about an event."""

from dataclasses import replace
from typing import Any

import pytest

from api.alerts.script_payload import payload
from radius_policy.model import (
    DEFAULT_TENANT,
    Event,
    EventKind,
    Posture,
    PostureReason,
    Reason,
    ScriptRun,
    Session,
    Severity,
)
from tests.unit.api.alerts.conftest import SHA, T0, Office


def told(office: Office, event: Event, **more: Any) -> dict[str, Any]:
    return payload(
        office.store.reading(), event, **{"script": "shut-port", "attempt": 1, "dry_run": False, "now": T0, **more}
    )


def put(office: Office, *records: Any) -> None:
    with office.store.transaction() as tx:
        tx.put(*records)


def test_host_port_and_program_of_a_start(office: Office) -> None:
    seen = told(office, office.runs(17))
    assert (seen["host"], seen["mac"], seen["macs"]) == ("PC-0017", "02:00:00:00:00:11", ["02:00:00:00:00:11"])
    assert (seen["switch"], seen["switch_address"], seen["port"]) == ("sw1", "10.0.0.2", "Gi1/0/17")
    assert (seen["sha256"], seen["name"], seen["user"]) == (SHA, "invoice.exe", "anna")
    assert seen["parents"][0]["path"] == "/usr/bin/thunderbird"
    assert (seen["groups"], seen["posture"], seen["access"]) == (["office"], "potential_problem", "remediation")
    assert (seen["script"], seen["attempt"], seen["dry_run"], seen["event"]) == ("shut-port", 1, False, "unknown_ran")


def test_a_move_names_the_program_that_it_is_for(office: Office) -> None:
    start = office.runs(17)
    reason = PostureReason(
        DEFAULT_TENANT, start.host_id, str(SHA), Posture.POTENTIAL_PROBLEM, T0, Reason("6", "unknown")
    )
    put(office, reason)
    move = replace(start, id="m", kind=EventKind.MOVED, sha256="", facts={"access": "remediation"})
    assert told(office, move)["sha256"] == SHA


def test_the_open_session_says_where_it_is_else_the_last_one(office: Office) -> None:
    start = office.runs(17)
    mac = told(office, start)["mac"]
    newer = Session(DEFAULT_TENANT, "sw1", b"later", mac, port="Gi1/0/40", started=T0 + 5, updated=T0 + 5, ended=T0 + 9)
    put(office, newer)
    assert (told(office, start)["port"], told(office, start)["session_open"]) == ("Gi1/0/17", True)
    old = office.store.reading().get(Session, DEFAULT_TENANT, "sw1", b"s17")
    put(office, replace(old, ended=T0 + 2))
    assert (told(office, start)["port"], told(office, start)["session_open"]) == ("Gi1/0/40", False)


def test_where_nothing_is_known_null_stands_and_the_members_are_the_same(office: Office) -> None:
    full = told(office, office.runs(17))
    bare = told(office, Event(DEFAULT_TENANT, "p", T0, EventKind.PAUSED, Severity.WARNING, "pause", "somebody paused"))
    assert bare.keys() == full.keys()
    nothing = ("host", "mac", "switch", "port", "sha256", "path", "last")
    assert [bare[name] for name in nothing] == [None] * len(nothing)
    assert (bare["macs"], bare["parents"], bare["never_quarantine"]) == ([], [], False)


@pytest.mark.parametrize(
    ("script", "state", "known"),
    [("shut-port", "done", True), ("shut-port", "failed", False), ("other", "done", False)],
)
def test_what_the_same_script_did_last_for_this_host_is_told(
    office: Office, script: str, state: str, known: bool
) -> None:
    start = office.runs(17)
    run = ScriptRun(
        DEFAULT_TENANT,
        "r",
        script,
        "e",
        start.host_id,
        "moved",
        state,
        T0,
        T0,
        5,
        ended=T0 + 1,
        output="Gi1/0/17 of sw1 is shut",
    )
    put(office, run)
    last = told(office, start)["last"]
    assert (last is not None) is known
    if known:
        assert (last["event"], last["output"]) == ("moved", "Gi1/0/17 of sw1 is shut")

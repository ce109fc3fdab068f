"""The console's breaker trips: a card with four answers, a page that asks before each, and nothing done by looking."""

import pytest

from radius_policy.judgement.trips import trips
from radius_policy.model import (
    BreakerTrip,
    Escalation,
    Event,
    EventKind,
    Executable,
    Host,
    HostExecutable,
    HostId,
    HostState,
    Posture,
    PostureReason,
    Reason,
    Severity,
)

from .conftest import NOW, Console, fleet

SHA = "ab" * 32
WHY = Reason("breaker", "limit of 3 hosts reached", f"executable:{SHA}")


@pytest.fixture
def trip(console: Console) -> str:
    with console.store.transaction() as tx:
        hosts = tx.find(Host, tenant=fleet.T, order="host_id", limit=3)
        record = BreakerTrip(fleet.T, f"executable:{SHA}", NOW, WHY)
        event = Event(
            fleet.T, "ev-trip", NOW, EventKind.BREAKER_TRIPPED, Severity.URGENT, SHA, "more than a limit allows",
            HostId(""), SHA, facts={"trip": record.id, "level": record.level},
        )  # fmt: skip
        tx.put(record, event, Executable(fleet.T, SHA, name="/tmp/<b>odd"))
        for host in hosts:
            tx.put(HostExecutable(fleet.T, host.host_id, SHA, NOW, NOW, path="/tmp/odd", ran=True))
            tx.put(PostureReason(fleet.T, host.host_id, SHA, Posture.POTENTIAL_PROBLEM, NOW, WHY, contained=True))
        tx.put(Escalation(fleet.T, "e" * 32, "all", SHA, event.kind, event.id, NOW, NOW, sha256=SHA))
    return record.id


def hosts_of(console: Console) -> list[Host]:
    return console.store.reading().find(Host, tenant=fleet.T, order="host_id", limit=3)


def test_a_trip_that_waits_stands_on_every_page_and_leads_to_its_card(console: Console, trip: str) -> None:
    console.log_in()
    assert f"/console/trips/{trip}" in console.get("").text
    page = console.get("trips").text
    assert "waits for an answer" in page
    assert "&lt;b&gt;odd" in page
    assert "<b>odd" not in page
    for answer in ("allow", "deny", "quarantine", "keep"):
        assert f"/console/trips/{trip}/{answer}" in page


def test_the_page_of_the_alert_has_the_four_answers(console: Console, trip: str) -> None:
    console.log_in()
    page = console.get("alerts/" + "e" * 32).text
    assert f"/console/trips/{trip}/quarantine" in page
    assert f"/console/trips/{trip}/keep" in page
    assert "without one the site's choice applies" in page.replace("&#39;", "'")


@pytest.mark.parametrize("answer", ["allow", "deny", "quarantine", "keep"])
def test_asking_changes_nothing_and_an_answer_needs_a_reason(console: Console, trip: str, answer: str) -> None:
    console.log_in()
    asked = console.get(f"trips/{trip}/{answer}")
    assert asked.status_code == 200
    assert "3 hosts" in asked.text
    refused = console.post(f"trips/{trip}/{answer}", why="")
    assert refused.status_code == 409
    assert "Say why" in refused.text
    with_reading = console.store.reading()
    assert [one.id for one in trips(with_reading, fleet.T, NOW)] == [trip]


def test_the_preview_names_who_stays(console: Console, trip: str) -> None:
    from dataclasses import replace

    first = hosts_of(console)[0]
    with console.store.transaction() as tx:
        tx.put(replace(first, never_quarantine=True))
    console.log_in()
    page = console.get(f"trips/{trip}/quarantine").text
    assert "Who stays, and why" in page
    assert "never-quarantine list" in page


def test_an_answer_is_carried_out_once_it_is_posted(console: Console, trip: str) -> None:
    console.log_in()
    done = console.post(f"trips/{trip}/quarantine", why="a worm")
    assert (done.status_code, done.headers["location"]) == (303, f"/console/trips/{trip}")
    states = [console.store.reading().get(HostState, fleet.T, host.host_id) for host in hosts_of(console)]
    assert {state.ordered for state in states if state is not None} == {"quarantine"}
    assert "quarantine by" in console.get(f"trips/{trip}").text


def test_a_viewer_is_told_what_is_missing(console: Console, trip: str) -> None:
    console.log_in("vera")
    assert f"/console/trips/{trip}/allow" not in console.get("trips").text
    assert "needs the role operator" in console.get(f"trips/{trip}/keep").text
    assert console.post(f"trips/{trip}/keep", why="x").status_code == 409


def test_what_is_no_answer_or_no_trip_is_not_found(console: Console, trip: str) -> None:
    console.log_in()
    assert console.get(f"trips/{trip}/panic").status_code == 404
    assert console.get("trips/ffffffffffff").status_code == 404

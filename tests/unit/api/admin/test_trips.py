"""Breaker trips answered over REST: listed, previewed, decided by somebody with the right role, and audited."""

from typing import Any

import pytest

from api.auth.roles import Role
from radius_policy import judgement
from radius_policy.judgement.policy import Policy
from radius_policy.model import (
    AuditLine,
    Escalation,
    EventKind,
    Execution,
    Host,
    HostId,
    HostState,
    Setting,
    TenantId,
)
from tests.unit.api.world import START, World, problem
from tests.world import sha

T = TenantId(1)


def tripped(world: World, hosts: int = 5, **choices: Any) -> str:
    """Five desks, a server and the last till ran one unknown program: one is moved. The trip's id."""

    def happens(tx: Any) -> None:
        for name, value in (
            ("mode", {"default": "enforce"}),
            ("breaker", {"executable": {"number": 1, "percent": 100}}),
            ("groups", {"tills": {"min_available": 1}}),
            ("trips", {"minutes": 5, "choice": "release", **choices}),
        ):
            tx.put(Setting(T, name, value, 1, "test", START))
            tx.note(T, "settings", name)
        names: dict[str, dict[str, Any]] = {f"desk{n}": {} for n in range(1, hosts + 1)}
        names |= {"server": {"never_quarantine": True}, "till": {"groups": ("tills",)}}
        for n, (name, more) in enumerate(names.items()):
            tx.put(Host(T, HostId(name), name, public_key=b"k" * 32, last_evidence=START, **more))
            start = Execution(T, f"start-{n}", HostId(name), sha("N"), "/tmp/n", 1, world.now + n, world.now + n)
            judgement.record(tx, start, now=world.now + n, policy=Policy.load(tx, T))

    world.write(happens)
    [trip] = world.rest("GET", "/v1/trips").json()["trips"]
    return str(trip["id"])


def moved(world: World) -> list[str]:
    found = world.read(lambda tx: tx.find(HostState, tenant=T, access="remediation", order="host_id"))
    return [each.host_id for each in found]


def audited(world: World) -> list[str]:
    return [line.what for line in world.read(lambda tx: tx.find(AuditLine, tenant=T, order="number"))]


def answer(world: World, trip: str, word: str, **body: Any) -> Any:
    given = world.rest("POST", f"/v1/trips/{trip}/{word}", json={"why": "looked at it", **body})
    assert given.status_code == 200, given.text
    return given.json()


def test_a_trip_says_what_it_contains_and_what_follows_without_an_answer(world: World) -> None:
    trip = tripped(world)
    shown = world.rest("GET", f"/v1/trips/{trip[:6]}").json()
    assert (shown["waits"], shown["answer"], shown["hosts"], shown["choices"]) == (True, "", 7, {"main": "release"})
    [one] = shown["executables"]
    assert (one["sha256s"], one["ran"], one["moved"], one["contained"]) == ([sha("N")], 7, 1, 6)
    assert "worm" in shown["reading"]
    assert shown["due"] == shown["at"] + 300_000_000
    for name in (sha("N"), f"executable:{sha('N')}", sha("N")[:10]):
        assert world.rest("GET", f"/v1/trips/{name}").json()["id"] == trip
    assert problem(world.rest("GET", "/v1/trips/nothing")) == "not-found"


def test_the_preview_of_quarantine_all_says_who_would_stay_and_why_and_changes_nothing(world: World) -> None:
    trip = tripped(world)
    planned = answer(world, trip, "quarantine", preview=True)["hosts"]
    stays = {each["host"]: each["why_not"] for each in planned if each["why_not"]}
    assert set(stays) == {"server", "till"}
    assert "never-quarantine list" in stays["server"]
    assert "group 'tills' would fall below its minimum" in stays["till"]
    assert moved(world) == ["desk1"]
    assert "trip.quarantine" not in audited(world)


def test_quarantine_all_moves_those_who_ran_it_and_refuses_the_protected_with_the_reason(world: World) -> None:
    trip = tripped(world)
    done = answer(world, trip, "quarantine")
    assert moved(world) == ["desk1", "desk2", "desk3", "desk4", "desk5"]
    assert {host for host, _ in done["stayed"]} == {"server", "till"}
    assert audited(world).count("host.quarantine") == 5
    assert "trip.quarantine" in audited(world)
    assert world.rest("GET", "/v1/trips").json()["trips"] == []
    assert len(answer(world, trip, "allow")["released"]) == 5, "one decision frees all"
    assert moved(world) == []


def test_keep_holding_moves_nobody_calls_nobody_and_the_sites_choice_does_not_follow(world: World) -> None:
    from api.ingest import due

    trip = tripped(world)
    world.write(
        lambda tx: tx.put(
            Escalation(T, "e1", "all", sha("N"), EventKind.BREAKER_TRIPPED, "ev", START, START, sha256=sha("N"))
        )
    )
    answer(world, trip, "keep")
    world.now += 600_000_000
    assert not world.run(due.look(world.service))
    assert moved(world) == ["desk1"]
    [matter] = world.read(lambda tx: tx.find(Escalation, tenant=T))
    assert (matter.state, matter.why) == ("decided", "looked at it")
    [one] = world.rest("GET", "/v1/trips?state=all").json()["trips"]
    assert (one["waits"], one["answer"]) == (False, "keep")
    answer(world, trip, "allow")
    assert moved(world) == []


@pytest.mark.parametrize(("word", "after"), [("allow", []), ("deny", ["desk1"])])
def test_allow_and_deny_put_all_that_it_contains_on_the_list(world: World, word: str, after: list[str]) -> None:
    trip = tripped(world)
    done = answer(world, trip, word)
    assert done["entries"] == 1
    assert set(after) <= set(moved(world))
    assert bool(moved(world)) is bool(after)
    assert f"trip.{word}" in audited(world)
    assert f"{word}.add" in audited(world)
    again = world.rest("POST", f"/v1/trips/{trip}/{word}", json={})
    assert problem(again) == "conflict"
    assert "is decided" in again.json()["detail"]


def test_a_viewer_sees_trips_and_answers_none(world: World) -> None:
    trip = tripped(world)
    headers = {"Authorization": f"Bearer {world.api_token(Role.VIEWER)}"}
    assert world.ask("GET", "/v1/trips", headers=headers).status_code == 200
    assert problem(world.ask("POST", f"/v1/trips/{trip}/keep", headers=headers, json={})) == "forbidden"


def test_somebody_of_another_site_neither_sees_nor_answers_it(world: World) -> None:
    from dataclasses import replace

    from api.admin import trips
    from api.auth.roles import Forbidden
    from api.errors import NotFound
    from tests.unit.api.world import ADMIN

    trip = tripped(world)
    with pytest.raises(NotFound):
        world.run(trips.decide(world.desk(), replace(ADMIN, sites=("berlin",)), trip, "keep"))
    with pytest.raises(Forbidden, match="all sites"):
        world.run(trips.decide(world.desk(), replace(ADMIN, sites=("main",)), trip, "keep"))

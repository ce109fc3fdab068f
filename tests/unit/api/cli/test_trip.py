"""`pratique trip`: list, show, preview and the four answers, on a database of its own."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from api.config import load
from radius_policy import judgement
from radius_policy.judgement.policy import Policy
from radius_policy.model import DEFAULT_TENANT, Execution, Host, HostId, Setting
from radius_policy.store import open_store
from tests.world import START, sha

from .conftest import Say


@pytest.fixture
def trip(folder: Path) -> str:
    """Three desks and a server ran one unknown program; one desk is moved. The trip's id."""

    def happens(tx: Any) -> None:
        for name, value in (
            ("mode", {"default": "enforce"}),
            ("breaker", {"executable": {"number": 1, "percent": 100}}),
        ):
            tx.put(Setting(DEFAULT_TENANT, name, value, 1, "test", START))
        for n, name in enumerate(("desk1", "desk2", "desk3", "server")):
            host = Host(DEFAULT_TENANT, HostId(name), name, public_key=b"k" * 32, never_quarantine=name == "server")
            tx.put(host)
            start = Execution(
                DEFAULT_TENANT, f"s{n}", HostId(name), sha("N"), "/tmp/odd\tname", 1, START + n, START + n
            )
            judgement.record(tx, start, now=START + n, policy=Policy.load(tx, DEFAULT_TENANT))

    async def work() -> str:
        store = await open_store(load(folder / "pratique.toml").database)
        await store.write(happens)
        from radius_policy.judgement.trips import trips

        [found] = await store.read(lambda tx: trips(tx, DEFAULT_TENANT, START))
        await store.close()
        return found.id

    return asyncio.run(work())


def test_without_a_trip_it_says_so(say: Say) -> None:
    assert "no breaker trip waits" in say("trip", "list").out


def test_a_trip_is_listed_and_shown(say: Say, trip: str) -> None:
    [line] = say("trip", "list").out.splitlines()[1:]
    assert line.split("\t")[0] == trip
    assert "nobody yet" in line
    assert "keep at main" in line
    shown = say("trip", "show", trip[:6]).out
    assert "limit of 1 hosts reached" in shown
    assert sha("N") in shown
    assert say("trip", "show", sha("N")[:12], "--json").json["id"] == trip


def test_quarantine_all_is_previewed_and_done(say: Say, trip: str) -> None:
    previewed = say("trip", "quarantine", trip, "--preview").out
    assert "desk1\tmain\tquarantined until released" in previewed
    assert "server\tmain\tstays: it is on the never-quarantine list" in previewed
    done = say("trip", "quarantine", trip, "--why", "it is a worm")
    assert "quarantined: 3, not quarantined: 1" in done.out
    assert "stays: server: it is on the never-quarantine list" in done.out
    assert say("host", "list").out.count("remediation") == 3


@pytest.mark.parametrize(("answer", "says", "away"), [("keep", "is kept as it is", 1), ("allow", "released: 1", 0), ("deny", "list entries: 1", 1)])  # fmt: skip
def test_the_other_answers(say: Say, trip: str, answer: str, says: str, away: int) -> None:
    assert "4 hosts" in say("trip", answer, trip, "--preview").out
    assert says in say("trip", answer, trip, "--why", "looked").out
    assert say("host", "list").out.count("remediation") == away
    assert "no breaker trip waits" in say("trip", "list").out
    assert f"trip.{answer}" in say("audit", "list").out


def test_what_cannot_be_answered_is_one_sentence(say: Say, trip: str) -> None:
    assert say("trip", "allow", trip).code == 0
    again = say("trip", "deny", trip)
    assert (again.code, again.err) == (1, "pratique: this trip is decided: what it contains is allowed\n")
    assert "there is no breaker trip" in say("trip", "keep", "abcdef").err

"""`pratique why`: what is known is explained, what is not is said."""

import asyncio
import json
from pathlib import Path

from radius_policy import judgement
from radius_policy.judgement.policy import Policy
from radius_policy.model import DEFAULT_TENANT, Execution, Host, HostId
from radius_policy.store import open_store
from tests.unit.api.cli.conftest import Say
from tests.world import START, sha


def test_nobody_known_is_said_in_a_sentence(say: Say) -> None:
    said = say("why", "nobody")
    assert said.code == 1
    assert "no host's name or id" in said.err


def test_a_host_and_an_executable_are_explained_in_words_and_as_json(say: Say, folder: Path) -> None:
    asyncio.run(_happened(folder))
    said = say("why", "pc")
    assert said.code == 0
    assert "posture: potential_problem" in said.out
    assert "mode learn" in said.out
    data = json.loads(say("why", sha("N")[:10], "--json").out)
    assert data["subject"] == sha("N")
    assert data["steps"][0]["kind"] == "executable"


def test_the_past_is_told_in_the_sites_zone_with_its_offset(say: Say, folder: Path) -> None:
    asyncio.run(_happened(folder))
    said = say("why", "pc", "--at", "2025-11-24T17:00:01").out
    assert "event: 2025-11-24 17:00:00+01:00 unknown_ran" in said
    assert "UTC" not in said
    say("setting", "set", "timezone", '{"name": "Europe/Berlin", "sites": {"main": "America/New_York"}}')
    assert "event: 2025-11-24 11:00:00-05:00 unknown_ran" in say("why", "pc", "--at", "2025-11-24T11:00:01").out
    assert "unknown_ran" not in say("why", "pc", "--at", "2025-11-24T10:59:59").out


async def _happened(folder: Path) -> None:
    store = await open_store(f"sqlite:///{next((folder / 'data').glob('*.db'))}")

    def happens(tx):  # type: ignore[no-untyped-def]
        tx.put(Host(DEFAULT_TENANT, HostId("host-0001"), "pc", public_key=b"k" * 32))
        start = Execution(DEFAULT_TENANT, "start-0001", HostId("host-0001"), sha("N"), "/tmp/n", 1, START, START)
        judgement.record(tx, start, now=START, policy=Policy.load(tx, DEFAULT_TENANT))

    try:
        await store.write(happens)
    finally:
        await store.close()

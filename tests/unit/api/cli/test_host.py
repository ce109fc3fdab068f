"""Endpoints on the command line."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from radius_policy.judgement.policy import Modes, Policy
from radius_policy.model import SECOND, Execution, Host, MacBinding, Mode, Session
from radius_policy.store import open_store
from radius_policy.store.interface import Tx
from tests.unit.api.cli.conftest import Say

MAC = "02:00:00:00:00:10"
NOW = 1_700_000_000 * SECOND


def write(folder: Path, work: Callable[[Tx], object]) -> None:
    async def story() -> None:
        store = await open_store(f"sqlite:///{folder}/data/pratique.db")
        try:
            await store.write(work)
        finally:
            await store.close()

    asyncio.run(story())


@pytest.fixture
def infected(folder: Path) -> None:
    from dataclasses import replace

    from radius_policy import judgement

    def work(tx: Tx) -> None:
        tx.put(
            Host(
                1,
                "0a1b2c3d-host",
                "desk-1",
                public_key=b"k" * 32,
                last_evidence=NOW,
                enrolled_at=NOW,
                agent_version="0.1",
            ),
            MacBinding(1, MAC, "0a1b2c3d-host", NOW, NOW),
            Session(1, "sw1", b"s1", MAC, port="7", started=NOW, updated=NOW, vlan="10"),
        )
        policy = replace(Policy.load(tx, 1), modes=Modes(Mode.ENFORCE))
        start = Execution(1, "e1", "0a1b2c3d-host", "a" * 64, "/tmp/[red]dropper", 1, NOW, NOW)
        judgement.record(tx, start, now=NOW, policy=policy)

    write(folder, work)


@pytest.mark.usefixtures("infected")
def test_a_host_is_listed_and_shown_with_its_reasons(say: Say) -> None:
    listed = say("host", "list").out
    assert "desk-1" in listed
    assert "potential_problem" in listed
    shown = say("host", "show", "0200.0000.0010").out
    assert "remediation" in shown
    assert "[red]dropper" in shown
    assert "sw1" in shown
    assert say("host", "show", "desk-1", "--json").json["reasons"][0]["key"] == "a" * 64


@pytest.mark.usefixtures("infected")
def test_a_host_is_cleared_quarantined_released_and_protected(say: Say) -> None:
    assert "healthy, production" in say("host", "clear", "desk-1", "--why", "looked at it").out
    assert "remediation" in say("host", "quarantine", "desk-1").out
    assert say("host", "release", MAC, "--json").json["access"] == "production"
    assert say("host", "withdraw", "0a1b2c3d").code == 0
    assert say("host", "protect", "desk-1").code == 0
    refused = say("host", "quarantine", "desk-1")
    assert refused.code == 1
    assert "stays where it is" in refused.err
    assert say("host", "protect", "desk-1", "--off").code == 0


def test_an_empty_list_says_what_to_do(say: Say) -> None:
    assert "pratique enrol-token" in say("host", "list").out

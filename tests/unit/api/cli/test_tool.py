"""`pratique tool`, as an admin types it."""

import asyncio
from pathlib import Path

import pytest

from radius_policy.model import Tool, ToolRole
from radius_policy.store import open_store
from tests.unit.api.cli.conftest import Say

SHA = "d" * 64


@pytest.fixture
def proposed(folder: Path) -> None:
    """An inventory proposed a deployment tool."""

    async def put() -> None:
        store = await open_store(f"sqlite:///{folder / 'data' / 'pratique.db'}")
        try:
            await store.write(lambda tx: tx.put(Tool(1, SHA, ToolRole.DEPLOYMENT, "opsiclientd", "/opt/deploy")))
        finally:
            await store.close()

    asyncio.run(put())


def test_without_an_inventory_there_is_no_tool(say: Say) -> None:
    assert "no inventory proposes a tool yet" in say("tool", "list").out


@pytest.mark.usefixtures("proposed")
def test_a_proposed_tool_is_confirmed_with_a_trust_and_removed(say: Say) -> None:
    assert say("tool", "list", "--json").json[0]["confirmed"] is False
    done = say("tool", "confirm", SHA[:8], "--trust", "grace", "--hours", "24", "--max-hosts", "50", "--why", "ours")
    assert done.out == f"opsiclientd ({SHA[:16]}) is a deployment tool, trust grace: 24 h on at most 50 hosts\n"
    assert "cli:" in say("tool", "list", "--role", "deployment").out
    assert say("tool", "confirm", SHA, "--trust", "proof", "--json").json["trust"] == "proof"
    assert "is no deployment tool any more" in say("tool", "remove", SHA).out
    assert say("tool", "list", "--json").json == []


@pytest.mark.usefixtures("proposed")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("confirm", "9" * 64, "--role", "deployment"), "no inventory lists"),
        (("confirm", SHA, "--trust", "blind"), "is no trust"),
        (("remove", "9" * 64), "has no tool role"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(say: Say, words: tuple[str, ...], says: str) -> None:
    done = say("tool", *words)
    assert (done.code, done.out) == (1, "")
    assert says in done.err

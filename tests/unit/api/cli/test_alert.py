"""`pratique alert`: list, acknowledge, try."""

import asyncio
from pathlib import Path

from api.config import load
from radius_policy.model import DEFAULT_TENANT, Escalation, EventKind
from radius_policy.store import open_store

from .conftest import Say

NAME = "d" * 32


def put_matter(folder: Path) -> None:
    async def work() -> None:
        store = await open_store(load(folder / "pratique.toml").database)
        await store.write(
            lambda tx: tx.put(
                Escalation(DEFAULT_TENANT, NAME, "all", "t", EventKind.MOVE_FAILED, "ev", 1, 1, site="main")
            )
        )
        await store.close()

    asyncio.run(work())


def test_an_urgent_alert_is_listed_and_acknowledged(folder: Path, say: Say) -> None:
    assert "no urgent alert waits" in say("alert", "list").out
    put_matter(folder)
    assert "Move failed" in say("alert", "list").out
    done = say("alert", "ack", NAME[:8], "--why", "on it")
    assert done.code == 0
    assert "has it since" in done.out
    assert say("alert", "list", "--json").json == []
    [kept] = say("alert", "list", "--all", "--json").json
    assert (kept["state"], kept["why"]) == ("acknowledged", "on it")
    assert kept["by"].startswith("cli:")


def test_an_alert_that_is_not_there_is_a_sentence(say: Say) -> None:
    done = say("alert", "ack", "none")
    assert (done.code, done.err) == (
        1,
        "pratique: there is no urgent alert none; `pratique alert list` shows those that wait\n",
    )


def test_trying_a_channel_says_whether_it_took_the_message(folder: Path, say: Say) -> None:
    log = folder / "alerts.jsonl"
    setting = f'{{"channels": {{"log": {{"type": "file", "path": "{log}", "format": "cloudevents"}}}}}}'
    assert say("setting", "set", "alerts", setting).code == 0
    done = say("alert", "try", "log")
    assert (done.code, done.out) == (0, "log: taken\n")
    assert "tries this channel" in log.read_text()
    assert "there is no channel pager; there are log" in say("alert", "try", "pager").err


def test_trying_without_any_channel_says_what_to_set(say: Say) -> None:
    assert "no channel is configured" in say("alert", "try").err


def test_a_setting_that_names_a_channel_that_is_not_there_is_refused(say: Say) -> None:
    done = say("setting", "set", "alerts", '{"routes": [{"name": "a", "channels": ["pager"]}]}')
    assert done.code == 1
    assert 'names the channel "pager", which is not there; there are mail' in done.err

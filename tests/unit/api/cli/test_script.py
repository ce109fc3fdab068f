"""`pratique script`: list, show, test, runs."""

import asyncio
from pathlib import Path

import pytest

from api.config import load
from radius_policy.model import DEFAULT_TENANT, EventKind, Host, HostId, ScriptRun
from radius_policy.store import open_store

from .conftest import Say

SETTING = '{"scripts": [{"name": "shut-port", "run": ["pratique:shut_port", "--switches", "/etc/s.toml"], "events": ["moved"]}]}'


@pytest.fixture
def ran(folder: Path, say: Say) -> None:
    """A script is set up, and it has run once."""

    async def work() -> None:
        store = await open_store(load(folder / "pratique.toml").database)
        host = HostId("h-17")
        run = ScriptRun(
            DEFAULT_TENANT, "ev.shut-port", "shut-port", "ev", host, EventKind.MOVED, "failed", 1, 1, 1, 1,
            exit_code=1, output="refused: it is an uplink",
        )  # fmt: skip
        await store.write(lambda tx: tx.put(Host(DEFAULT_TENANT, host, "PC-17"), run))
        await store.close()

    assert say("setting", "set", "scripts", SETTING).code == 0
    asyncio.run(work())


def test_what_is_set_up_and_what_is_shipped(ran: None, say: Say) -> None:
    out = say("script", "list").out
    assert "pratique:shut_port --switches /etc/s.toml" in out
    assert "pratique:ticket" in out
    assert say("script", "list", "--json").json["configured"][0]["name"] == "shut-port"
    assert say("script", "show", "shut-port").json["events"] == ["moved"]


def test_a_trial_starts_nothing_and_prints_what_it_would_get(ran: None, say: Say) -> None:
    made = say("script", "test", "shut-port", "--host", "PC-17").json
    assert made["argv"][-2:] == ["--switches", "/etc/s.toml"]
    assert (made["stdin"]["host"], made["stdin"]["event"], made["stdin"]["dry_run"]) == ("PC-17", "moved", True)
    assert say("script", "test", "shut-port").json["stdin"]["host"] is None


def test_runs_tell_how_they_ended(ran: None, say: Say) -> None:
    out = say("script", "runs", "--host", "PC-17").out
    assert "refused: it is an uplink" in out
    assert "failed" in out
    [run] = say("script", "runs", "--event", "moved", "--json").json
    assert (run["code"], run["host"]) == (1, "PC-17")
    assert "no script has run" in say("script", "runs", "--event", "released").out


def test_what_is_not_there_is_a_sentence(say: Say) -> None:
    for words in (("show", "none"), ("test", "none")):
        done = say("script", *words)
        assert (done.code, done.err) == (
            1, "pratique: there is no script none; configured are none (pratique setting set scripts)\n"
        )  # fmt: skip
    assert say("script", "runs", "--host", "nobody").err == 'pratique: there is no endpoint "nobody"\n'
    assert "no script is configured" in say("script", "list").out

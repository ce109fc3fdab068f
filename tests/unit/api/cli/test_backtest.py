"""`pratique policy backtest`: one JSON object on the last line, progress beside it, and sentences for what is wrong."""

import json
from pathlib import Path

import pytest

from tests.unit.api.cli.conftest import Say
from tests.world import sha

RULES = '[[rule]]\nname = "shells"\n[rule.when]\n"parent.verdict" = "allowed"\n[rule.then]\ngrace = { hours = 1, max_hosts = 9 }\n'


@pytest.fixture
def week(tmp_path: Path) -> Path:
    """Two hosts, one known shell, one unknown program that it starts."""
    folder = tmp_path / "week"
    folder.mkdir()
    cmd = {"sha256": sha("cmd"), "path": r"C:\Windows\System32\cmd.exe", "signer": None, "images": ["i"]}
    event = {"id": "e1", "t": 5, "host": "A", "sha256": sha("N"), "path": r"C:\n.exe", "parent_sha256": sha("cmd")}
    for name, lines in {
        "hosts": [{"host": "A", "image": "i"}, {"host": "B", "image": "i"}],
        "baseline": [cmd],
        "events": [{**event, "parent_path": cmd["path"]}],
    }.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_a_folder_is_replayed_without_any_database(say: Say, week: Path) -> None:
    said = say("policy", "backtest", "--events", str(week), "--rules", "builtin", "--mode", "enforce", "--json")
    assert said.code == 0
    result = json.loads(said.out.splitlines()[-1])
    assert (result["events"], [moved["event"] for moved in result["moved"]], result["held"]) == (1, ["e1"], ["e1"])
    assert "1 events" in said.err


def test_the_difference_of_two_rule_sets_is_one_command(say: Say, week: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES)
    said = say("policy", "backtest", "--events", str(week), "--rules", "builtin", "--diff", str(rules))
    result = json.loads(said.out.splitlines()[-1])
    assert [moved["event"] for moved in result["diff"]["moved_no_more"]] == ["e1"]
    assert said.out.startswith("1 moves, 0 executables contained")


def test_the_stores_own_history_is_replayed(say: Say) -> None:
    said = say("policy", "backtest", "--history", "30d", "--json")
    assert (said.code, json.loads(said.out)["events"]) == (0, 0)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--events", "nowhere", "--rules", "builtin"], "nowhere: there is no such file"),
        (
            ["--events", "WEEK", "--rules", "builtin", "--mode", "enfroce"],
            "'enfroce' is none of learn, monitor, enforce",
        ),
        (["--events", "WEEK", "--operation", "wait"], "'wait' is none of hold, notify"),
        (["--history", "soon"], "is no time span"),
        ([], "say either --events DIR or --history 30d"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(say: Say, week: Path, words: list[str], sentence: str) -> None:
    said = say("policy", "backtest", *(str(week) if word == "WEEK" else word for word in words))
    assert said.code != 0
    assert sentence in " ".join(said.err.replace("│", " ").split())
    assert "Traceback" not in said.err

"""Which scripts an event runs, and that their command lines are the administrator's own words alone."""

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.alerts.script_payload import payload
from api.alerts.scripts import ENVIRONMENT, BadScripts, Command, Script, ScriptSettings, command, parse, shipped, wanted
from api.alerts.scripts import FOLDER as SHIPPED_FOLDER
from radius_policy.grace import RuleSet
from radius_policy.grace import parse as parse_rules
from radius_policy.model import Event, EventKind, Severity
from radius_policy.store.memory import MemoryStore
from tests.unit.api.alerts.conftest import T0, Office

SHUT = {"name": "shut-port", "run": ["pratique:shut_port", "--switches", "/etc/pratique/sw.toml"], "events": ["moved"]}
NO_RULES = RuleSet()


def event(kind: EventKind = EventKind.MOVED, severity: Severity = Severity.INFO, **more: Any) -> Event:
    return Event(1, "e1", T0, kind, severity, "topic", "text", "h1", site="main", **more)


def names(settings: ScriptSettings, what: Event, groups: tuple[str, ...] = (), rules: RuleSet = NO_RULES) -> list[str]:
    return [script.name for script in wanted(settings, what, groups, rules)]


def test_without_a_setting_no_script_runs() -> None:
    assert names(parse(None), event()) == []
    assert parse({}).concurrency == 4


def test_a_script_runs_on_its_events_sites_groups_and_severities() -> None:
    settings = parse(
        {
            "scripts": [
                SHUT,
                {"name": "elsewhere", "run": ["a"], "events": ["moved"], "sites": ["lyon"]},
                {"name": "servers", "run": ["a"], "events": ["moved"], "groups": ["servers"]},
                {"name": "urgent", "run": ["a"], "events": ["moved"], "severity": "urgent"},
                {"name": "never", "run": ["a"]},
            ]
        }
    )
    assert names(settings, event()) == ["shut-port"]
    assert names(settings, event(), ("servers", "office")) == ["shut-port", "servers"]
    assert names(settings, event(severity=Severity.URGENT)) == ["shut-port", "urgent"]
    assert names(settings, event(EventKind.RELEASED)) == []


def test_a_rule_runs_the_script_that_it_names() -> None:
    rules = parse_rules(
        '[[rule]]\nname = "odd"\n[rule.when]\n"user" = "anna"\n[rule.then]\nmove = true\nrun-script = "never"\n', "test"
    )
    settings = parse({"scripts": [{"name": "never", "run": ["a"]}]})
    assert names(settings, event(EventKind.UNKNOWN_RAN, facts={"rule": "odd"}), rules=rules) == ["never"]
    assert names(settings, event(EventKind.UNKNOWN_RAN, facts={"rule": "other"}), rules=rules) == []
    assert names(settings, event(EventKind.MOVED, facts={"rule": "odd"}), rules=rules) == []


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ({"name": "x", "run": ["/bin/sh", "-c", "id"]}, "the name of a file in the folder of scripts"),
        ({"name": "x", "run": ["../x"]}, "the name of a file"),
        ({"name": "x", "run": ["-x"]}, "the name of a file"),
        ({"name": "x", "run": ["pratique:../x"]}, "the name of a file"),
        ({"name": "x", "run": ["x", "a\0b"]}, "NUL"),
        ({"name": "x", "run": []}, "length"),
        ({"name": "X y", "run": ["x"]}, "matching regex"),
        ({"name": "x", "run": ["x"], "events": ["moved!"]}, "events"),
        ({"name": "x", "run": ["x"], "timeout_s": 0}, "timeout_s"),
        ({"name": "x", "run": ["x"], "shell": True}, "unknown field"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(script: dict[str, Any], says: str) -> None:
    with pytest.raises(BadScripts, match=says):
        parse({"scripts": [script]})


def test_two_scripts_of_one_name_are_refused() -> None:
    with pytest.raises(BadScripts, match="same name"):
        parse({"scripts": [SHUT, SHUT]})


def test_a_shipped_script_is_run_by_our_own_python_and_nothing_around_it() -> None:
    made = command(msgspec.convert(SHUT, Script), Path("/nowhere"), "nobody")
    assert made.argv == (
        sys.executable,
        "-I",
        str(SHIPPED_FOLDER / "shut_port.py"),
        "--switches",
        "/etc/pratique/sw.toml",
    )
    assert {"pratique:shut_port", "pratique:router_acl", "pratique:ticket"} <= set(shipped())
    with pytest.raises(BadScripts, match=r"shipped are .*pratique:router_acl"):
        command(Script("x", ("pratique:none",)), Path("/nowhere"), "nobody")


def test_only_a_file_that_nobody_else_can_change_is_run(tmp_path: Path) -> None:
    folder = tmp_path / "scripts"
    folder.mkdir(mode=0o755)
    file = folder / "mine"
    script = Script("x", ("mine", "--one"))
    with pytest.raises(BadScripts, match="No such file"):
        command(script, folder, "nobody")
    file.write_text("#!/bin/sh\n")
    file.chmod(0o644)
    with pytest.raises(BadScripts, match="no executable file"):
        command(script, folder, "nobody")
    file.chmod(0o755)
    file.write_text("echo no shell is asked to guess\n")
    with pytest.raises(BadScripts, match="is no program"):
        command(script, folder, "nobody")
    file.write_text("#!/bin/sh\n")
    assert command(script, folder, "nobody").argv == (str(file), "--one")
    for path, mode in ((file, 0o775), (folder, 0o777)):
        before = path.stat().st_mode
        path.chmod(mode)
        with pytest.raises(BadScripts, match="written by others"):
            command(script, folder, "nobody")
        path.chmod(before)


hostile = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [
        "-rf",
        "--switches=/tmp/x",
        "$(reboot)",
        "`id`",
        "a;b",
        "a\nb",
        "a' b",
        'a" b',
        "{0}",
        "%s",
        "\u202egpj.exe",
        "../../x",
    ]
)


@given(program=hostile, name=hostile, user=hostile, text=hostile)
def test_nothing_that_an_endpoint_chose_is_in_the_command_line_or_the_environment(
    program: str, name: str, user: str, text: str
) -> None:
    """Whatever names there are: the command is the same, and all of them are data in one JSON object."""
    office = Office(MemoryStore())
    made = office.runs(1, program=program, name=name)
    script = msgspec.convert(SHUT, Script)
    before = command(script, Path("/nowhere"), "nobody")
    told = payload(office.store.reading(), made, script=script.name, attempt=1, dry_run=False, now=0)
    written = msgspec.json.encode(told | {"text": text, "user": user})

    assert command(script, Path("/nowhere"), "nobody") == before
    assert isinstance(before, Command)
    assert dict(ENVIRONMENT).keys() == {"PATH", "LANG", "HOME"}
    read = msgspec.json.decode(written)
    assert (read["path"], read["text"], read["user"]) == (program, text, user)
    assert read["host"] == (name or "PC-0001")
    assert b"\n" not in written

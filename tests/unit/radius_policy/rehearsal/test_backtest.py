"""The backtest: the same judgement with simulated time, and a result in the agreed words."""

import json
from pathlib import Path
from typing import Any

import pytest

from radius_policy.grace import RuleSet, parse
from radius_policy.grace.builtin import builtin
from radius_policy.model import Mode, Operation
from radius_policy.rehearsal.backtest import Result, backtest, difference
from radius_policy.rehearsal.history import Folder
from tests.world import sha

CMD = {"sha256": sha("cmd"), "path": r"C:\Windows\System32\cmd.exe", "signer": "Microsoft", "images": ["img0"]}
UPDATER = {"sha256": sha("upd"), "path": r"C:\Program Files\Msg\Update.exe", "signer": None, "images": ["img0"]}


class Story:
    """A history that is written line by line."""

    def __init__(self, folder: Path, hosts: int = 8) -> None:
        self.folder = folder
        self.events: list[dict[str, Any]] = []
        self._write("hosts", [{"host": f"PC{n}", "role": "office", "image": "img0"} for n in range(hosts)])
        self._write("baseline", [CMD, UPDATER])

    def start(
        self, t: float, host: int, what: str, path: str = r"C:\Tools\x.exe", parent: dict[str, Any] = CMD, **more: Any
    ) -> str:
        event = {
            "id": f"e{len(self.events)}", "t": t, "host": f"PC{host}", "sha256": sha(what), "path": path,
            "parent_path": parent["path"], "parent_sha256": parent["sha256"], **more,
        }  # fmt: skip
        self.events.append(event)
        return str(event["id"])

    def replay(
        self, rules: RuleSet | None = None, mode: Mode = Mode.ENFORCE, how: Operation = Operation.HOLD
    ) -> Result:
        self._write("events", self.events)
        return backtest(Folder(self.folder, how), rules or builtin(), mode=mode)

    def _write(self, name: str, lines: list[dict[str, Any]]) -> None:
        (self.folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def test_an_unknown_moves_its_host_and_is_held_until_then(story: Story) -> None:
    story.start(10, 0, "cmd", CMD["path"])
    event = story.start(20, 1, "N")
    result = story.replay()
    assert result.moved == [{"event": event, "t": 20, "host": "PC1", "sha256": sha("N"), "rule": "default"}]
    assert (result.held, result.events, result.hosts, result.unknown, result.alerts) == ([event], 2, 2, 1, 1)


def test_the_fourth_host_is_contained_with_time_and_hosts(story: Story) -> None:
    events = [story.start(60 * n, n, "N") for n in range(6)]
    result = story.replay()
    assert [each["event"] for each in result.moved] == events[:2]  # a quarter of eight hosts
    assert result.contained == [{"sha256": sha("N"), "t": 120, "hosts": 4}]
    assert result.held == events
    assert result.alerts == 2


def test_where_agents_only_notify_the_start_that_made_the_move_had_run(story: Story) -> None:
    events = [story.start(60 * n, n, "N") for n in range(6)]
    again = story.start(600, 0, "M")
    result = story.replay(how=Operation.NOTIFY)
    assert result.held == [*events[3:], again]


def test_an_undecided_hold_ends_in_deny_and_moves_nobody(story: Story) -> None:
    events = [story.start(n, n, "V", r"C:\Program Files\Msg\msg.exe", UPDATER) for n in range(6)]
    result = story.replay()
    assert (result.moved, result.held, result.alerts, result.contained) == ([], events, 1, [])


def test_in_monitor_nobody_is_moved_and_nothing_is_held(story: Story) -> None:
    story.start(1, 0, "N")
    result = story.replay(mode=Mode.MONITOR)
    assert (result.moved, result.held, result.unknown) == ([], [], 1)


def test_an_event_that_stands_twice_counts_once(story: Story) -> None:
    story.start(1, 0, "N")
    story.events.append(story.events[0])
    result = story.replay()
    assert (result.events, len(result.moved)) == (1, 1)


def test_a_late_event_is_placed_by_its_own_time(story: Story) -> None:
    story.start(100_000, 0, "N")
    story.start(50, 1, "N")
    assert [each["t"] for each in story.replay().moved] == [100_000, 50]


def test_a_start_without_content_is_unknown_by_itself(story: Story) -> None:
    story.start(1, 0, "N")
    story.events[0]["sha256"] = None
    (moved,) = story.replay().moved
    assert moved["sha256"] is None


def test_a_host_that_only_an_event_names_is_taken_in(story: Story) -> None:
    story.start(1, 99, "N")
    assert story.replay().moved[0]["host"] == "PC99"


def test_the_result_has_exactly_the_agreed_members(story: Story) -> None:
    story.start(1, 0, "N")
    assert set(story.replay().as_json()) == {
        "events", "hosts", "seconds", "moved", "contained", "held", "graced", "alerts", "unknown",
    }  # fmt: skip


def test_two_replays_are_the_same(story: Story) -> None:
    for n in range(8):
        story.start(n, n % 5, f"N{n % 3}")
    first, second = story.replay().as_json(), story.replay().as_json()
    first.pop("seconds"), second.pop("seconds")
    assert first == second


def test_a_difference_of_two_rule_sets_names_the_moves_that_change(story: Story) -> None:
    event = story.start(1, 0, "N")
    graced = parse(
        '[[rule]]\nname = "x"\n[rule.when]\n"parent.verdict" = "allowed"\n[rule.then]\ngrace = { hours = 1, max_hosts = 5 }\n'
    )
    changed = difference(story.replay(), story.replay(graced))
    assert [each["event"] for each in changed["moved_no_more"]] == [event]
    assert (changed["moved_newly"], changed["graced"], changed["unknown"]) == ([], 1, -1)


def test_a_rule_that_asks_for_what_no_line_carries_holds_for_none_and_changes_nothing(story: Story) -> None:
    story.start(1, 0, "N")
    never = parse('[[rule]]\nname = "x"\n[rule.when]\n"writer.in_transaction" = true\n[rule.then]\nhold = true\n')
    with_it, without = story.replay(never).as_json(), story.replay(RuleSet()).as_json()
    with_it.pop("seconds"), without.pop("seconds")
    assert with_it == without

"""What the benchmark says about its figures."""

import pytest

from lab.measure import BUDGETS, judged, table

GOOD = {
    "ok": True,
    "fabric": "netns",
    "sensor": "fanotify",
    "exec_to_moved_ms": {"p50": 7.0, "p95": 9.0, "max": 30.0},
    "hops_ms": {"execve → stored": {"p50": 3.0, "p95": 4.0, "max": 5.0}},
    "service_start_ms": 900.0,
    "agent_rss_mb": 50.0,
    "agent_idle_percent": 0.2,
}


def test_within_all_budgets_it_is_ok() -> None:
    assert judged(GOOD) == {**GOOD, "missed": []}


@pytest.mark.parametrize("budget", BUDGETS, ids=str)
def test_every_missed_budget_is_named_and_fails(budget: tuple[str, str]) -> None:
    name, quantile = budget
    value = {**GOOD["exec_to_moved_ms"], quantile: 99_999.0} if quantile else 99_999.0  # type: ignore[dict-item]
    result = judged({**GOOD, name: value})
    assert not result["ok"]
    assert len(result["missed"]) == 1
    assert name in result["missed"][0]


def test_the_port_table_is_measured_and_not_judged() -> None:
    slow = {**GOOD, "fabric": "table", "sensor": "polling", "exec_to_moved_ms": {"p50": 900, "p95": 950, "max": 999}}
    assert judged(slow)["ok"]


def test_the_table_for_people_has_a_line_for_every_figure_and_every_miss() -> None:
    lines = table({**judged(GOOD), "missed": ["x: 2 > 1"]})
    assert any("exec_to_moved_ms" in line and "9.00" in line for line in lines)
    assert any("execve → stored" in line for line in lines)
    assert lines[-1] == "MISSED x: 2 > 1"

"""The counters, and the RADIUS process' figures among them."""

import json
import os
from pathlib import Path

from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import RADIUS_FRESH_S, Metrics


def samples(metrics: Metrics) -> dict[str, float]:
    return {
        s.name: s.value for family in text_string_to_metric_families(metrics.text().decode()) for s in family.samples
    }


def test_the_radius_process_is_down_until_it_writes(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path, lambda: 1000.0)
    assert samples(metrics)["pratique_radius_up"] == 0
    file = tmp_path / "radius-stats.json"
    file.write_text(
        json.dumps({"requests": {"answered": 5}, "name": "text", "on": True, "coa dropped": {"bad-code": 2}})
    )
    os.utime(file, (1000, 1000 - RADIUS_FRESH_S))
    shown = samples(metrics)
    assert shown["pratique_radius_up"] == 1
    assert shown["pratique_radius_requests_answered"] == 5
    assert shown["pratique_radius_coa_dropped_bad_code"] == 2
    assert not [name for name in shown if name.endswith(("_name", "_on"))]
    os.utime(file, (1000, 999 - RADIUS_FRESH_S))
    assert samples(metrics)["pratique_radius_up"] == 0


def test_damaged_figures_are_no_figures(tmp_path: Path) -> None:
    (tmp_path / "radius-stats.json").write_text("{")
    assert Metrics(tmp_path).radius.figures() == {}
    (tmp_path / "radius-stats.json").write_text("[1]")
    assert Metrics(tmp_path).radius.figures() == {}


def test_a_background_task_that_is_begun_again_gets_a_registry_again(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    for _ in range(2):
        Counter("pratique_sent", "x", registry=metrics.fresh("alerts")).inc()
    assert samples(metrics)["pratique_sent_total"] == 1

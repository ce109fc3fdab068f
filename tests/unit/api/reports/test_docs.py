"""The page about reports shows the shapes that the reports have, member by member."""

import json
import re
from pathlib import Path
from typing import Any

from api.reports.render import Report, render
from api.reports.values import Unreadable
from radius_policy.model import VerdictWord
from radius_policy.rehearsal.recorded.reading import READERS
from radius_policy.zones import zone

from . import samples

PAGE = (Path(__file__).resolve().parents[4] / "docs/reference/reports.md").read_text(encoding="utf-8")


def shape(value: Any) -> Any:
    """Names of members, in their order; of a list that of its first element."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items() if name != "sites"}
    return [shape(value[0])] if isinstance(value, list) and value else None


def test_the_shapes_on_the_page_are_those_of_the_reports() -> None:
    shown = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    day = samples.day(samples.new())
    unreadable = (Unreadable("e", "anna", "/tmp/gone", samples.BEGIN, VerdictWord.UNKNOWN),)
    made: list[Report] = [
        type(day)(day.scope, day.day, day.begin, day.end, day.executables, day.new_here, unreadable),
        samples.window("anna"),
        samples.spread(),
    ]
    assert [shape(one) for one in shown] == [shape(json.loads(render(report, "json"))) for report in made]


def test_every_kind_of_log_is_on_the_page() -> None:
    for suffix in READERS:
        assert f"`*{suffix}`" in PAGE


def test_the_zone_of_one_site_is_set_as_the_page_says() -> None:
    setting = json.loads("".join(re.findall(r'`(\{"name": "Europe/Berlin",\n.*?\}\})`', PAGE)[0].split("\n")))
    assert [zone(name).key for name in (setting["name"], *setting["sites"].values())] == [
        "Europe/Berlin",
        "Europe/Lisbon",
    ]

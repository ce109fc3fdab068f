"""Reports as text: the shapes that scripts rely on, and what no name of an endpoint may do to a reader."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports.render import FORMATS, MEDIA, Report, render
from api.reports.render.csv import harmless
from api.reports.render.html import policy
from radius_policy.model import VerdictWord

from .samples import BEGIN, HOSTILE, HOUR, day, new, spread, window

EVERY = [day(new()), day(), window("anna", "boris"), window(), spread(), spread(1)]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("report", EVERY)
def test_every_report_comes_in_every_format(report: Report, format_: str) -> None:
    assert format_ in MEDIA
    assert render(report, format_).endswith("\n")


def test_a_day_in_json_has_the_members_that_were_promised() -> None:
    told = json.loads(render(day(new()), "json"))
    (one,) = told["executables"]
    assert told["day"] == "2026-11-21"
    assert one["sha256"] == "a" * 64
    assert one["first_execution"] == "2026-11-21T08:00:00+01:00"
    assert (one["verdict_then"], one["verdict_now"], one["hosts"]) == ("unknown", "unknown", ["anna", "boris"])
    for promised in ("users", "last_execution", "parents", "provenance", "grace_until", "action", "curve"):
        assert promised in one
    assert told["new_on_host"][0]["hosts"] == ["clara"]


def test_a_window_in_json_has_the_members_that_were_promised() -> None:
    told = json.loads(render(window("anna", uncertain=True), "json"))
    (host,) = told["hosts"]
    assert (host["host"], host["mac"], host["switch"], host["port"]) == ("anna", "02:00:00:00:00:01", "sw-1", "Gi1/0/1")
    assert host["executables"][0]["end"] is None
    assert host["executables"][0]["uncertain"] is True
    assert host["executables"][0]["start"] == "2026-11-21T08:00:00+01:00"


def test_the_unknown_come_first_and_each_verdict_has_its_section() -> None:
    words = (VerdictWord.ALLOWED, VerdictWord.GRACED, VerdictWord.UNKNOWN)
    text = render(day(*(new(str(n) * 64, word) for n, word in enumerate(words))), "table")
    places = [text.index(title) for title in ("unknown when it ran (1)", "graced (1)", "new and allowed (1)")]
    assert places == sorted(places)
    assert "known before, first time on these hosts (1)" in text


def test_the_columns_of_a_table_stand_in_line() -> None:
    lines = render(window("anna", "a-long-name"), "table").splitlines()
    header = next(line for line in lines if line.startswith("host "))
    at = header.index("start")
    rows = [line for line in lines if line.startswith(("anna", "a-long"))]
    assert len(rows) == 2
    assert all(re.match(r"2026-11-21 08:00:0\d", row[at:]) for row in rows)
    assert not any(line != line.rstrip() for line in lines)


def test_no_name_breaks_a_line_or_turns_letters_around_in_a_table() -> None:
    text = render(window("anna", path="/tmp/a\nb\x1b[31m\u202e"), "table")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "‹U+000A›" in text


# --- CSV ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1dcmd"])
def test_what_a_spreadsheet_would_compute_becomes_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@given(st.text())
def test_no_cell_begins_like_a_formula(cell: str) -> None:
    assert not harmless(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert harmless(cell).removeprefix("'") == cell.removeprefix("'")


@given(st.text(min_size=1, max_size=40).filter(lambda text: "\x00" not in text))
def test_a_csv_is_read_back_whole_whatever_a_file_is_called(path: str) -> None:
    rows = list(csv.DictReader(io.StringIO(render(window("anna", path=path), "csv"), newline="")))
    assert [row["path"].removeprefix("'") for row in rows] == [path.removeprefix("'")]
    assert rows[0]["sha256"] == "a" * 64


def test_each_section_of_a_day_is_told_in_the_first_column() -> None:
    rows = list(csv.reader(io.StringIO(render(day(new(), new("b" * 64, VerdictWord.GRACED)), "csv"), newline="")))
    assert [row[0] for row in rows] == [
        "section", "unknown when it ran", "graced", "section", "known before, first time on these hosts",
    ]  # fmt: skip


# --- HTML -----------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a browser would see of a page: its tags with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize(
    "report", [day(new(path=HOSTILE)), window("anna", HOSTILE, path=HOSTILE), spread(path=HOSTILE)]
)
def test_a_page_loads_nothing_and_runs_nothing(report: Report) -> None:
    page = Page(render(report, "html"))
    assert page.named("script") == []
    assert page.named("link") == []
    for tag, attributes in page.tags:
        assert not {"src", "href", "style"} & set(attributes), tag
        assert not any(name.startswith("on") for name in attributes), tag
    (meta,) = [each for each in page.named("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert meta["content"] == policy()
    assert "unsafe" not in policy()
    assert "\u202e" not in page.text


def test_the_window_has_a_timeline_with_a_bar_for_each_start() -> None:
    page = Page(render(window("anna", "boris", end=BEGIN + 8 * HOUR + HOUR // 3600), "html"))
    bars = [each for each in page.named("rect") if str(each.get("class")).startswith("bar")]
    assert len(bars) == 2
    assert all(float(str(bar["width"])) >= 3 for bar in bars), "five milliseconds must be seen"


def test_a_day_has_a_picture_and_a_curve_for_what_spread() -> None:
    page = Page(render(day(new()), "html"))
    assert [each["class"] for each in page.named("svg")] == ["picture", "spark"]


def test_an_empty_report_says_none() -> None:
    page = Page(render(window(), "html"))
    assert page.named("svg") == []
    assert "none" in page.text

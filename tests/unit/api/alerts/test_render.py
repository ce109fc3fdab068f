"""An alert in words: one subject line, a text that stands alone, HTML that loads nothing."""

from typing import Any

import pytest

from api.alerts.render import SUBJECT_LIMIT, render, subject
from radius_policy.model import EventKind, OrderState, Severity

from .test_content import alert


def test_the_subject_says_what_ran_where(office: Any) -> None:
    assert subject(alert(office, [office.runs(17)])) == "Unknown executable ran on PC-0017: invoice.exe [3f9ac2d1]"


def test_an_urgent_subject_says_so_and_several_hosts_are_counted(office: Any) -> None:
    events = [office.runs(n, kind=EventKind.DENIED_RAN, severity=Severity.URGENT) for n in (1, 2)]
    assert subject(alert(office, events)) == "URGENT: Denied executable ran on 2 hosts: invoice.exe [3f9ac2d1]"


@pytest.mark.parametrize("name", ["x" * 300, "שלום" * 80, "\r\nBcc: x@example.org"])
def test_the_subject_is_one_short_line_whatever_the_names(office: Any, name: str) -> None:
    said = subject(alert(office, [office.runs(1, name=name, program=f"/tmp/{name}")]))
    assert len(said) <= SUBJECT_LIMIT
    assert said.splitlines() == [said]


def test_a_move_under_way_is_not_written_as_done(office: Any) -> None:
    made = render(alert(office, [office.runs(1, order=OrderState.ACKNOWLEDGED)]))
    for part in (made.text, made.html.lower()):
        assert "moved to remediation" not in part
        assert "not confirmed yet" in part


def test_the_html_is_escaped_and_loads_nothing(office: Any, hostile: str) -> None:
    made = render(alert(office, [office.runs(1, name=hostile, program=f"/tmp/{hostile}")]))
    assert "<script" not in made.html
    for loading in ("src=", "<link", "<img", "@import", "url("):
        assert loading not in made.html


def test_the_text_names_every_further_host(office: Any) -> None:
    made = render(alert(office, [office.runs(n) for n in range(1, 61)]))
    assert all(f"PC-{n:04}" in made.text and f"PC-{n:04}" in made.html for n in range(1, 61))


def test_every_tag_of_the_html_is_closed_in_its_place(office: Any) -> None:
    from html.parser import HTMLParser

    open_tags: list[str] = []
    said: list[str] = []

    class Check(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag not in ("meta", "br"):
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

        def handle_data(self, data: str) -> None:
            said.append(data)

    Check().feed(render(alert(office, [office.runs(1), office.runs(2)])).html)
    assert open_tags == []
    assert "bdi>" not in "".join(said)

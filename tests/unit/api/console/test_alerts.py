"""The console's pages of urgent alerts and digests: a link asks, a button acknowledges, and nothing else changes."""

import re
from typing import Any

import pytest

from api.alerts.links import Links, key_in
from radius_policy.model import AuditLine, Escalation, Event, EventKind, HostId, Severity

from .conftest import NOW, Console, fleet

DAY = 86_400_000_000


@pytest.fixture
def matter(console: Console) -> str:
    event = Event(
        fleet.T,
        "ev-u",
        NOW,
        EventKind.MOVE_FAILED,
        Severity.URGENT,
        "host:host-00001",
        "the <b>move</b> failed",
        HostId("host-00001"),
        site="main",
    )
    made = Escalation(
        fleet.T,
        "c" * 32,
        "all",
        event.topic,
        event.kind,
        event.id,
        NOW,
        NOW,
        host_id=event.host_id,
        site="main",
        names=("anna",),
        told=2,
    )
    with console.store.transaction() as tx:
        tx.put(event, made)
    return made.id


def state(console: Console, name: str) -> str:
    found = console.store.reading().get(Escalation, fleet.T, name)
    assert found is not None
    return found.state


def test_what_nobody_has_stands_on_every_page_and_in_the_list(console: Console, matter: str) -> None:
    console.log_in()
    assert "1 urgent alert that nobody has acknowledged" in console.get("").text
    page = console.get("alerts").text
    assert "Move failed" in page
    assert "the &lt;b&gt;move&lt;/b&gt; failed" in page
    assert "route all, anna" in page


def test_the_link_of_an_alert_asks_and_only_the_button_acknowledges(console: Console, matter: str) -> None:
    links = Links("https://nac.example.org", key_in(console.config.service.data))
    address = links.make(fleet.T, "acknowledge", NOW, alert=matter)
    path = address.removeprefix("https://nac.example.org/console/")
    there = console.get(path).headers["location"]
    assert there.startswith("/console/login"), "somebody must log in"
    console.log_in()
    asked = console.get(path).headers["location"]
    assert asked == f"/console/alerts/{matter}/acknowledge"
    for _ in range(2):  # a mail scanner opens it too
        assert "Nobody has it yet" in console.get(asked.removeprefix("/console/")).text
    assert state(console, matter) == "open"
    assert console.post(f"alerts/{matter}/acknowledge", why="on it").headers["location"] == "/console/alerts"
    assert state(console, matter) == "acknowledged"
    assert "otto</bdi> has it" in console.get(f"alerts/{matter}").text
    assert "nobody has acknowledged" not in console.get("").text


def test_a_viewer_is_told_whom_to_ask(console: Console, matter: str) -> None:
    console.log_in("vera")
    page = console.get(f"alerts/{matter}/acknowledge").text
    assert "needs the role operator" in page
    assert "<button" not in page.split("<main")[1].split("</main")[0]
    assert console.post(f"alerts/{matter}/acknowledge").status_code == 403
    assert state(console, matter) == "open"


def test_a_form_that_the_console_did_not_make_does_nothing(console: Console, matter: str) -> None:
    console.log_in()
    assert console.post(f"alerts/{matter}/acknowledge", csrf=False).status_code == 403
    assert state(console, matter) == "open"
    assert console.store.reading().find(AuditLine, tenant=fleet.T) == []


def test_an_alert_that_is_not_there_is_a_page_that_says_so(console: Console) -> None:
    console.log_in()
    assert console.get("alerts/none").status_code == 404


def happens(console: Console, at: int) -> None:
    with console.store.transaction() as tx:
        tx.put(
            Event(
                fleet.T,
                f"e-{at}",
                at,
                EventKind.CLEARED,
                Severity.INFO,
                "h",
                "PC-7 was <i>cleared</i>",
                HostId("host-00001"),
                site="main",
            )
        )


@pytest.mark.parametrize(
    ("name", "span"),
    [("daily", "Sunday 22 November 2026"), ("weekly", "Monday 16 November 2026 to Sunday 22 November 2026")],
)
def test_the_newest_digest_is_shown_without_being_asked_for_a_day(console: Console, name: str, span: str) -> None:
    happens(console, NOW - DAY)
    console.log_in()
    page = console.get(f"digest/{name}").text
    assert span in page
    assert "PC-7 was &lt;i&gt;cleared&lt;/i&gt;" in page


def test_any_day_can_be_asked_for_and_no_day_is_a_sentence(console: Console) -> None:
    console.log_in()
    assert "Friday 20 November 2026" in console.get("digest/daily?day=2026-11-20").text
    for wrong in ("digest/daily?day=friday", "digest/daily?day=9999-12-31", "digest/daily?day=0001-01-01"):
        assert console.get(wrong).status_code in (400, 409), wrong
    assert console.get("digest/hourly").status_code == 404


def test_the_pages_hold_no_inline_script_or_style(console: Console, matter: str) -> None:
    happens(console, NOW - DAY)
    console.log_in()
    for path in ("alerts", f"alerts/{matter}/acknowledge", "digest/daily"):
        page: Any = console.get(path)
        assert page.status_code == 200
        assert not re.search(r"<style|style=|<script(?! type=\"module\" src)|onclick", page.text)

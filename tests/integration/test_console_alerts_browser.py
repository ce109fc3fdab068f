"""The console's alerts and digests in a real browser, and the mail of a digest: light and dark, wide and narrow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from api.alerts import digest, digest_outbox
from api.alerts.links import Links, key_in
from api.alerts.periods import day_of
from api.alerts.render import render
from radius_policy.model import Delivery, Escalation, Event, EventKind, HostId, Severity
from radius_policy.zones import local, zone
from tests.integration.console_pictures import CHROMIUM, log_in
from tests.integration.console_site import PASSWORD, Site, T, sha, site_with
from tests.integration.test_console_browser import LOOKS, axe, complaints
from tests.unit.api.alerts.conftest import HOSTILE

pytestmark = [pytest.mark.peer("chromium"), pytest.mark.slow]
MATTER = "e" * 32


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as p:
        launched = p.chromium.launch(**CHROMIUM)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_with(tmp_path_factory.mktemp("alerts"), "hostile") as running:
        running.write(lambda tx: tx.put(*matters(running.now)))
        yield running


def matters(now: int) -> list[Any]:
    """An urgent matter that waits, and one that somebody has; both with hostile texts."""
    host = HostId("host-00000")
    event = Event(
        T, "ev-u", now, EventKind.DENIED_RAN, Severity.URGENT, "x", f"/tmp/{HOSTILE * 4} ran", host, sha(100), "main"
    )
    waiting = Escalation(
        T, MATTER, "all", "x", event.kind, event.id, now, now + 1, told=3, names=("anna", "boris"), host_id=host,
        sha256=event.sha256, site="main",
    )  # fmt: skip
    had = Escalation(
        T, "f" * 32, "all", "y", event.kind, event.id, now, now, "acknowledged", ended=now, by="otto", why=HOSTILE * 3
    )
    return [event, waiting, had]


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_pages_neither_overflow_nor_complain_nor_shut_anybody_out(
    browser: Browser, site: Site, scheme: Any, width: int
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, ignore_https_errors=True
    )
    page = context.new_page()
    heard = complaints(page)
    log_in(page, site)
    today = local(site.now, zone("Europe/Berlin")).date().isoformat()
    for path in ("alerts", f"alerts/{MATTER}", f"digest/daily?day={today}", "digest/weekly"):
        page.goto(f"{site.url}/console/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is wider than the window"
        assert axe(page) == [], path
    context.close()
    assert heard == []


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_mail_of_a_digest_reads_well(browser: Browser, site: Site, tmp_path: Path, scheme: Any, width: int) -> None:
    berlin = zone("Europe/Berlin")
    period = day_of(local(site.now, berlin).date().isoformat(), berlin)
    delivery = Delivery(
        T, "a" * 32, "", "mail", "waiting", site.now, site.now, topic=f"digest:daily:{period.begin}:{period.end}"
    )
    links = Links("https://nac.example.org", b"k" * 32)
    made: Any = site.read(lambda tx: digest_outbox.alert(tx, delivery, berlin, links))
    assert isinstance(made.digest, digest.Digest)
    assert not made.digest.empty
    file = tmp_path / "digest.html"
    file.write_text(render(made).html, encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []
    page.close()


def test_the_link_of_an_alert_asks_and_the_button_acknowledges(browser: Browser, tmp_path: Path) -> None:
    with site_with(tmp_path / "data", "quiet") as running:
        running.write(lambda tx: tx.put(*matters(running.now)))
        link = Links(running.url, key_in(tmp_path / "data")).make(T, "acknowledge", running.now, alert=MATTER)
        context = browser.new_context(ignore_https_errors=True)
        page: Page = context.new_page()
        page.goto(link)
        page.get_by_label("Name").fill("otto")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"**/alerts/{MATTER}/acknowledge")
        assert "Somebody is needed" in page.locator("#banners").inner_text()
        assert state(running) == "open", "opening it changed nothing"
        page.get_by_role("button", name="I have it").click()
        page.wait_for_url("**/console/alerts")
        assert "otto" in page.locator("#alerts").inner_text()
        assert state(running) == "acknowledged"
        context.close()


def state(site: Site) -> str:
    found: Any = site.read(lambda tx: tx.get(Escalation, T, MATTER))
    return str(found.state)

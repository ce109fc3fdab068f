"""The console in a real browser: seen in light and dark, wide and narrow, empty, busy and hostile; live; by keyboard alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from api.alerts.links import Links, key_in
from radius_policy.model import EventKind as Kind
from radius_policy.model import HostId, HostState, ListEntry, OrderState, Severity
from tests.integration import console_site as fleet
from tests.integration.console_pictures import CHROMIUM, log_in, paths
from tests.integration.console_site import PASSWORD, Site, T, sha, site_with

pytestmark = [pytest.mark.peer("chromium"), pytest.mark.slow]
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
LOOKS = [("light", 1440), ("dark", 390), ("dark", 1440), ("light", 390)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as p:
        launched = p.chromium.launch(**CHROMIUM)
        yield launched
        launched.close()


@pytest.fixture(scope="module", params=["quiet", "busy", "hostile"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site]]:
    with site_with(tmp_path_factory.mktemp("console"), request.param) as site:
        yield request.param, site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_with(tmp_path / "data", "quiet") as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, ignore_https_errors=True)
    opened = context.new_page()
    yield opened
    context.close()


def complaints(page: Page) -> list[str]:
    """What the browser complains about from now on: script errors, CSP violations, failed loads, dialogs."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.append(str(error)))

    def dialog(shown: Any) -> None:
        heard.append(f"dialog: {shown.message}")
        shown.dismiss()

    page.on("dialog", dialog)
    return heard


def axe(page: Page) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:160]}" for v in found]


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_no_page_overflows_complains_or_shuts_anybody_out(
    browser: Browser, filled: tuple[str, Site], scheme: Any, width: int
) -> None:
    name, site = filled
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, ignore_https_errors=True
    )
    page = context.new_page()
    heard = complaints(page)
    page.goto(f"{site.url}/console/login")
    assert axe(page) == []
    log_in(page, site)
    for title, path in paths(name).items():
        page.goto(f"{site.url}/console/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{title} is wider than the window"
        assert axe(page) == [], title
    context.close()
    assert heard == []


def new_unknown(site: Site, number: int = 1, state: OrderState = OrderState.SENT) -> str:
    """PC-000`number` starts an unknown and is ordered to remediation."""
    now = site.now

    def work(tx: Any) -> str:
        host = HostId(f"host-{number:05}")
        which = fleet.executable(tx, 700, now, host, name="/tmp/dropper.bin")
        fleet.runs(tx, number, which, now, "/tmp/dropper.bin")
        fleet.moved(tx, number, which, now, state, 900)
        text = f"dropper.bin ran on PC-000{number}"
        fleet.event(tx, number, now, Kind.UNKNOWN_RAN, Severity.WARNING, text, which)
        tx.note(T, "host", host)
        return which

    return str(site.write(work))


def test_the_first_screen_says_what_is_new_who_has_it_and_what_was_done_without_a_click(page: Page, site: Site) -> None:
    new_unknown(site)
    log_in(page, site)
    row = page.locator("#new tbody tr").first
    said = row.inner_text()
    assert "dropper.bin" in said
    assert "unknown" in said
    assert "PC-0001" in said
    assert "sent to the switch, no answer yet" in said
    assert "confirmed" not in said


def test_what_happens_appears_by_itself_and_what_a_person_types_stays(page: Page, site: Site) -> None:
    log_in(page, site)
    page.get_by_text("Live", exact=True).wait_for()
    page.get_by_label("Find a host").fill("pc-00")
    new_unknown(site)
    page.locator("#new").get_by_role("link", name="Allow dropper.bin").wait_for(timeout=5000)
    page.locator("#events").get_by_text("dropper.bin ran on PC-0001").wait_for(timeout=5000)
    assert page.get_by_label("Find a host").input_value() == "pc-00"


def test_an_order_that_becomes_confirmed_is_shown_so_only_then(page: Page, site: Site) -> None:
    which = new_unknown(site)
    log_in(page, site)
    page.goto(f"{site.url}/console/hosts/host-00001")
    assert "moved to remediation" not in page.content()

    def confirm(tx: Any) -> None:
        fleet.moved(tx, 1, which, site.now, OrderState.CONFIRMED, 900)
        tx.note(T, "order", "o900")

    page.get_by_text("Live", exact=True).wait_for()
    site.write(confirm)
    page.locator("#state").get_by_text("moved to remediation, confirmed").wait_for(timeout=5000)


def test_an_executable_is_allowed_by_keyboard_alone_and_the_host_comes_back(page: Page, site: Site) -> None:
    which = new_unknown(site, state=OrderState.CONFIRMED)
    page.goto(f"{site.url}/console/login")
    page.keyboard.type("otto")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/")
    tab_to(page, f"/console/executables/{which}/allow")
    page.keyboard.press("Enter")
    page.wait_for_url("**/allow")
    assert "1 host" in page.locator("#touched-title").inner_text()
    tab_to(page, "why")
    page.keyboard.type("known tool of the finance department")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/executables/{which}")
    assert "allowed" in page.locator("#state").inner_text()
    [entry] = site.read(lambda tx: tx.find(ListEntry, tenant=T, value=which))
    assert (entry.action, entry.author, entry.why) == ("allow", "otto", "known tool of the finance department")
    assert site.read(lambda tx: tx.get(HostState, T, "host-00001")).access == "production"


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the element with this address or id has the focus, and see that the focus is visible."""
    for _ in range(80):
        page.keyboard.press("Tab")
        where = page.evaluate("[document.activeElement.getAttribute('href'), document.activeElement.id]")
        if wanted in where:
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none"
            return
    raise AssertionError(f"no way by keyboard to {wanted}")


def test_the_first_tab_offers_to_skip_to_the_content(page: Page, site: Site) -> None:
    log_in(page, site)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_one_time_password_opens_nothing_but_the_choice_of_an_own_one(page: Page, site: Site) -> None:
    log_in(page, site, "neu")
    assert page.url.endswith("/console/password")
    page.goto(f"{site.url}/console/hosts")
    assert page.url.endswith("/console/password")
    page.get_by_label("One-time password").fill(PASSWORD)
    page.get_by_label("New password (at least").fill("a longer one of my own")
    page.get_by_label("New password again").fill("a longer one of my own")
    page.get_by_role("button", name="Set it").click()
    page.wait_for_url("**/console/")
    page.context.clear_cookies()
    page.goto(f"{site.url}/console/login")
    page.get_by_label("Name").fill("neu")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    assert "wrong" in page.get_by_role("alert").inner_text()


def test_the_pages_work_without_scripts(browser: Browser, site: Site) -> None:
    new_unknown(site)
    context = browser.new_context(java_script_enabled=False, ignore_https_errors=True)
    page = context.new_page()
    log_in(page, site)
    page.get_by_role("link", name="Deny dropper.bin").click()
    page.get_by_label("Reason", exact=True).first.fill("malware")
    page.get_by_role("button", name="Deny it").click()
    assert "denied" in page.locator("#state").inner_text()
    context.close()


def test_a_viewer_sees_and_decides_nothing(page: Page, site: Site) -> None:
    which = new_unknown(site)
    log_in(page, site, "vera")
    assert page.get_by_role("link", name="Allow dropper.bin").count() == 0
    page.goto(f"{site.url}/console/executables/{which}/allow")
    assert "needs the role operator" in page.locator("main").inner_text()
    assert page.get_by_role("button", name="Allow it").count() == 0


def test_a_link_of_an_alert_opens_the_page_that_asks_and_changes_nothing(
    page: Page, site: Site, tmp_path: Path
) -> None:
    which = new_unknown(site)
    link = Links(site.url, key_in(tmp_path / "data")).make(T, "allow", site.now, sha256=which)
    page.goto(link)
    assert "/console/login" in page.url
    page.get_by_label("Name").fill("otto")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**/executables/{which}/allow")
    page.goto(link)
    assert page.get_by_role("button", name="Allow it").is_visible()
    assert site.read(lambda tx: tx.find(ListEntry, tenant=T)) == []
    page.goto(link[:-3] + "AAA")
    assert "damaged" in page.locator("main").inner_text()


def test_a_link_from_web_mail_finds_the_login_that_is_there(page: Page, site: Site, tmp_path: Path) -> None:
    which = new_unknown(site)
    link = Links(site.url, key_in(tmp_path / "data")).make(T, "deny", site.now, sha256=which)
    log_in(page, site)
    page.goto(f"data:text/html,<a href='{link}'>alert</a>")
    page.get_by_text("alert").click()
    page.wait_for_url(f"**/executables/{which}/deny")


def test_the_pause_switch_shows_on_every_page(page: Page, site: Site) -> None:
    log_in(page, site)
    page.locator("#pause summary").click()
    page.get_by_label("Reason").fill("the core switch is being replaced")
    page.get_by_role("button", name="Pause: move nobody").click()
    for path in ("", "hosts", "events"):
        page.goto(f"{site.url}/console/{path}")
        assert "anna paused it: the core switch is being replaced" in page.locator("#banners").inner_text()


def test_logging_out_ends_the_login(page: Page, site: Site) -> None:
    log_in(page, site)
    page.locator("#me summary").click()
    page.get_by_role("button", name="Log out").click()
    page.goto(f"{site.url}/console/hosts")
    assert "/console/login" in page.url


def test_hostile_names_are_shown_as_text_with_their_hidden_characters_written_out(
    browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    heard = complaints(page)
    with site_with(tmp_path / "data", "hostile") as site:
        log_in(page, site)
        text = page.locator("#new").inner_text()
        assert "invoice‹U+202E›gpj.exe" in text
        assert page.locator("main script, main img[src='x']").count() == 0
        page.goto(f"{site.url}/console/executables/{sha(103)}")
        assert "x" * 300 in page.locator("h1").text_content().replace("\n", "")
    context.close()
    assert heard == []

"""Pictures of the console, to be looked at: `python -m tests.integration.console_pictures FOLDER [FLEET …]`.

Every page, light and dark, 390 and 1440 pixels wide, for each fleet of `console_site`.
"""

import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, sync_playwright

from tests.integration.console_site import FLEETS, PASSWORD, Site, sha, site_with

CHROMIUM = {
    "executable_path": "/usr/bin/chromium",
    "args": ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
}
FIRST = {"quiet": ("host-00000", ""), "busy": ("host-00003", sha(6000)), "hostile": ("host-00000", sha(100))}


def paths(fleet: str) -> dict[str, str]:
    """Name → address of the pages that a fleet has."""
    host, executable = FIRST[fleet]
    pages = {"now": "", "hosts": "hosts", "host": f"hosts/{host}", "events": "events", "lists": "lists"}
    pages |= {"executables": "executables", "release": f"hosts/{host}/release"}
    if executable:
        pages |= {"executable": f"executables/{executable}", "allow": f"executables/{executable}/allow"}
        pages |= {"spread": f"reports?kind=spread&hash={executable}"}
    now = datetime.now(ZoneInfo("Europe/Berlin"))
    window = f"from={now - timedelta(hours=3):%Y-%m-%dT%H:%M}&to={now:%Y-%m-%dT%H:%M}"
    return pages | {
        "reports": "reports",
        "day": f"reports?kind=day&day={now:%Y-%m-%d}",
        "window": f"reports?kind=window&{window}",
    }


def log_in(page: Page, site: Site, name: str = "anna") -> None:
    page.goto(f"{site.url}/console/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/console/**")


def main(folder: Path, fleets: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as p, tempfile.TemporaryDirectory() as data:
        browser = p.chromium.launch(**CHROMIUM)
        for fleet in fleets:
            with site_with(Path(data) / fleet, fleet) as site:
                for scheme in ("light", "dark"):
                    for width in (1440, 390):
                        context = browser.new_context(
                            viewport={"width": width, "height": 900}, color_scheme=scheme, ignore_https_errors=True
                        )
                        page = context.new_page()
                        page.on("console", lambda message: print("console:", message.text))
                        page.on("pageerror", lambda error: print("error:", error))
                        page.goto(f"{site.url}/console/login")
                        page.screenshot(path=folder / f"{fleet}-login-{scheme}-{width}.png")
                        log_in(page, site)
                        for name, path in paths(fleet).items():
                            page.goto(f"{site.url}/console/{path}")
                            page.wait_for_timeout(150)
                            page.screenshot(path=folder / f"{fleet}-{name}-{scheme}-{width}.png", full_page=True)
                        context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or list(FLEETS))

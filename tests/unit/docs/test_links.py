"""The pages hang together: each is in the navigation, and no link leads nowhere."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = sorted(
    [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]
)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href|srcset)=\"([^\"]+)\"")


def _in_nav(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    values = nav.values() if isinstance(nav, dict) else nav
    return [path for value in values for path in _in_nav(value)]


def test_every_page_is_in_the_navigation_once() -> None:
    nav = _in_nav(tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"])
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert pages - set(nav) == set(), "these pages need a line in zensical.toml"
    assert set(nav) - pages == set(), "these lines of zensical.toml lead to no page"
    assert len(nav) == len(set(nav))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_link_leads_nowhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for found in LINK.findall(text):
        target, _, anchor = (found[0] or found[1]).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{target} of {page.name}"
        if anchor and file.suffix == ".md":
            assert anchor in _anchors(file), f"{target}#{anchor} of {page.name}"


def test_a_proof_that_the_readme_names_is_there() -> None:
    """What works is a table of tests; a bare `test_x.py` lies somewhere below `tests/`."""
    named = re.findall(r"`((?:tests/[\w/]+/)?(?:test_\w+\.py)?)`", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len([name for name in named if name]) >= 15
    for name in filter(None, named):
        found = [ROOT / name] if name.startswith("tests/") else list((ROOT / "tests").rglob(name))
        assert any(file.exists() for file in found), name


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_a_page_has_one_title_and_it_is_its_first_line() -> None:
    for page in DOCS.rglob("*.md"):
        lines = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL).splitlines()
        assert lines[0].startswith("# "), page
        assert sum(line.startswith("# ") for line in lines) == 1, page

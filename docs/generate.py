"""The reference pages that are made from the code: `python -m docs.generate` writes all of them.

`pages()` maps each path below `docs/` to its text; those about verdicts, facts and rules are made beside their tables
(`docs.pages.rules`). A test compares what is on disk with this, so no page says anything else than the code.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from docs.pages import alert_settings, commands, configuration, events, http_api, retention, tables, testing
from docs.pages.rules import pages as rule_pages

DOCS = Path(__file__).resolve().parent
OURS: Final[dict[str, Callable[[], str]]] = {
    "explanation/testing.md": testing.page,
    "reference/alerts.md": alert_settings.page,
    "reference/commands.md": commands.page,
    "reference/configuration.md": configuration.page,
    "reference/events.md": events.page,
    "reference/http-api.md": http_api.page,
    "reference/retention.md": retention.page,
    "reference/tables.md": tables.page,
}
"""Path below `docs/` → what makes it, without the pages that the rules bring."""


def made(path: str) -> str:
    """One of `OURS`."""
    return OURS[path]().rstrip("\n") + "\n"


def pages() -> dict[str, str]:
    """Every generated page, by its path below `docs/`."""
    return rule_pages() | {path: made(path) for path in OURS}


def main(folder: Path = DOCS) -> None:
    """Write every page below `folder`."""
    for path, text in pages().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

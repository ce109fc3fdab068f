"""The reference pages that are made from the code: `python -m docs.generate` writes all of them.

`pages()` maps each path below `docs/` to its text; those about verdicts, facts and rules are made beside their tables
(`radius_policy.grace.pages`). A test compares what is on disk with this, so no page says anything else than the code.
"""

from pathlib import Path

from docs.pages import commands, configuration, events, http_api, tables
from radius_policy.grace.pages import pages as rule_pages

DOCS = Path(__file__).resolve().parent


def pages() -> dict[str, str]:
    """Every generated page, by its path below `docs/`."""
    made = {
        "reference/commands.md": commands.page(),
        "reference/configuration.md": configuration.page(),
        "reference/tables.md": tables.page(),
        "reference/events.md": events.page(),
        "reference/http-api.md": http_api.page(),
    }
    return rule_pages() | {path: text.rstrip("\n") + "\n" for path, text in made.items()}


def main(folder: Path = DOCS) -> None:
    """Write every page below `folder`."""
    for path, text in pages().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

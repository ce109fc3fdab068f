"""The reference pages say what the code does."""

import re
from pathlib import Path

import pytest

from docs.pages.rules import OUTCOMES, main, pages
from radius_policy.facts.table import FACTS
from radius_policy.grace import builtin, conditions, reading
from radius_policy.model import Outcome
from radius_policy.nas import profile

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize("path", sorted(pages()))
def test_a_page_on_disk_is_what_the_code_makes(path: str) -> None:
    assert (DOCS / path).read_text(encoding="utf-8") == pages()[path], "run: python -m docs.pages.rules docs"


def test_no_page_is_left_of_a_rule_that_is_gone() -> None:
    there = {path.stem for path in (DOCS / "reference" / "grace-rules").glob("*.md")}
    assert there == {rule.name for rule in builtin().rules}


def test_every_fact_rule_and_outcome_is_in_the_docs() -> None:
    made = pages()
    assert all(f"`{name}`" in made["reference/facts.md"] for name in FACTS)
    assert all(f"[{rule.name}]" in made["reference/grace-rules.md"] for rule in builtin().rules)
    assert set(OUTCOMES) == set(Outcome)


def test_the_grammar_on_the_page_is_the_one_that_is_read() -> None:
    page = pages()["reference/grace-rules.md"]
    (example,) = re.findall(r"```toml\n(.+?)```", page, re.DOTALL)
    (rule,) = reading.parse(example).rules
    assert (rule.name, rule.outcomes) == ("same-signer-new-version", {Outcome.GRACE, Outcome.ALERT})
    for word in (*reading.FIELDS, *reading.GRACE_FIELDS, *conditions.OPERATORS):
        assert re.search(rf"[`.\s\[{{]{word}\b", page), word


def test_each_profile_of_a_switch_stands_in_the_how_to() -> None:
    page = (DOCS / "how-to" / "add-a-switch.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `([\w-]+)` \|", page.split("| profile |", 1)[1].split("\n\n", 1)[0], re.MULTILINE)
    assert sorted(shown) == sorted(profile.names()), "docs/how-to/add-a-switch.md has a line for each profile"


def test_the_pages_can_be_written_anywhere(tmp_path: Path) -> None:
    main(str(tmp_path))
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")} == set(pages())

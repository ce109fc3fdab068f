"""The page of the judgement cases: every case stands on it, and what it calls proven is a test that is there."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "explanation" / "judgement-cases.md"
WITHOUT_STORY = {"J25"}


@cache
def names() -> frozenset[str]:
    """The names of all tests."""
    found = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return frozenset(found)


def test_all_cases_stand_on_the_page_once_and_in_order() -> None:
    rows = re.findall(r"^\| (J\d\d) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [f"J{n:02d}" for n in range(1, 30)]


def test_a_case_has_its_story_on_the_judgement_or_the_page_says_why_not() -> None:
    told = {match[1] for name in names() if (match := re.match(r"test_(J\d\d)_", name))}
    assert {f"J{n:02d}" for n in range(1, 30)} - told == WITHOUT_STORY


def test_what_the_page_calls_proven_is_a_test() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    assert named
    assert named <= names()

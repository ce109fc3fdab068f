"""A file that the code's own words name is there: a docstring that points to a module outlives its move otherwise."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("radius_policy", "health_agent", "api", "lab", "pratique", "docs", "benchmarks")
NAMED = re.compile(r"`([\w/]+\.py)`|\(([\w/]+\.py)\)")


def named(text: str) -> Iterator[str]:
    """The file names in a text; one in capitals (`NAME.py`) stands for any."""
    for match in NAMED.finditer(text):
        name = match[1] or match[2]
        if not re.match(r"[A-Z]{2}", name):
            yield name


def is_there(name: str, beside: Path) -> bool:
    """Whether a name leads somewhere: from its own folder or one above, up to the root."""
    return any((folder / name).is_file() for folder in beside.parents if folder.is_relative_to(ROOT))


def test_a_file_that_the_code_names_is_there() -> None:
    files = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
    found = [(file, name) for file in files for name in named(file.read_text(encoding="utf-8"))]
    assert len(found) > 60
    assert [f"{file.relative_to(ROOT)}: {name}" for file, name in found if not is_there(name, file)] == []


def test_a_name_that_leads_nowhere_would_be_noticed() -> None:
    assert list(named("see `table.py`, `NAME.py` and (core/no_such.py)")) == ["table.py", "core/no_such.py"]
    assert is_there("radius_policy/access.py", ROOT / "api" / "main.py")
    assert not is_there("core/no_such.py", ROOT / "radius_policy" / "access.py")

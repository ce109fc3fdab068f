"""The page that follows one unknown program names only what is there."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("health_agent", "radius_policy", "api", "lab", "pratique")
NAME = re.compile(rf"`((?:{'|'.join(ROOMS)})(?:\.\w+)+)`")
EXPLAINING = sorted((ROOT / "docs" / "explanation").glob("*.md"))


def names(page: Path) -> list[str]:
    return list(dict.fromkeys(NAME.findall(page.read_text(encoding="utf-8"))))


def found(name: str) -> Any:
    """What a dotted name stands for: the longest module in it, then its members. Raises ImportError, AttributeError."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            there: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            there = getattr(there, part)
        return there
    raise ImportError(name)


@pytest.mark.parametrize("name", [name for page in EXPLAINING for name in names(page)])
def test_a_name_on_the_way_is_a_name_in_the_code(name: str) -> None:
    found(name)


def test_a_name_that_is_gone_would_be_noticed() -> None:
    with pytest.raises(AttributeError):
        found("radius_policy.judgement.recording.recorded")
    with pytest.raises(ImportError):
        found("no_such_room.at_all")


def test_the_way_passes_every_room_of_the_service() -> None:
    on_the_way = names(ROOT / "docs" / "explanation" / "the-way.md")
    assert len(on_the_way) > 50
    for room in ("health_agent.sensors", "health_agent.core", "api.ingest", "radius_policy.verdict", "radius_policy.posture",
                 "radius_policy.breaker", "radius_policy.access", "radius_policy.enforcement.core", "radius_policy.radius",
                 "radius_policy.coa", "api.alerts", "api.console", "api.admin"):  # fmt: skip
        assert any(name.startswith(room) for name in on_the_way), room


def test_its_steps_are_numbered_without_a_gap() -> None:
    text = (ROOT / "docs" / "explanation" / "the-way.md").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", text, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))

"""Deliberate faults, one per core and shell, and the tests that must catch them."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Fault:
    """One change of one file that would be a defect. `caught_by` is a test, or a test file, that must fail with it."""

    name: str
    room: str
    file: str
    was: str
    becomes: str
    caught_by: str


def faults() -> tuple[Fault, ...]:
    """Every fault of `faults.toml`, in its order."""
    lines = tomllib.loads(Path(__file__).with_name("faults.toml").read_text(encoding="utf-8"))["fault"]
    return tuple(
        Fault(line["name"], line["room"], line["file"], line["was"], line["is"], line["caught_by"]) for line in lines
    )

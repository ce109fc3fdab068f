"""How the lab starts Python: this interpreter, and the parts of this program by module."""

import os
import sys
from pathlib import Path
from typing import Final

STATE_VARIABLE: Final = "LAB_STATE_OF_PRATIQUE"
"""Marks every process of a lab with its state folder, so that a later run knows whose it was."""


def module(name: str) -> list[str]:
    """The command line that runs a module."""
    return [sys.executable, "-m", name]


def pratique(*words: str) -> list[str]:
    """The command line of `pratique WORD …`."""
    return [*module("pratique"), *words]


def environment(**more: str) -> dict[str, str]:
    """The environment of the lab's processes: the modules are found from any folder, output is not held back, and no
    PRATIQUE_ variable of the person who started the lab overrides what the lab configures."""
    root = str(Path(__file__).resolve().parent.parent)
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PRATIQUE_")}
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    return {**inherited, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **more}

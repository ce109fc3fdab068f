"""Plant each deliberate fault in a copy of the tree and see that its tests fail: `python -m tests.faults`.

The last line is one JSON object; exit 1 where a fault went unnoticed, or where a test fails without any.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults import ROOT, Fault, faults

ROOMS = ("health_agent", "radius_policy", "api", "lab", "pratique", "docs", "tests", "benchmarks")


def failing(tree: Path, wanted: str) -> list[str]:
    """Names of the tests of `wanted` that fail in `tree`."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", wanted],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^(?:FAILED|ERROR) \S+?::(.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{wanted} could not be run: {done.stdout[-500:]}{done.stderr[-500:]}")
    return found


def plant(tree: Path, fault: Fault) -> str:
    """Put the fault into the tree's file; its former text. Raises SystemExit where the place is not there once."""
    file = tree / fault.file
    text = file.read_text(encoding="utf-8")
    if text.count(fault.was) != 1:
        raise SystemExit(f"{fault.file} has the place of {fault.name!r} {text.count(fault.was)} times, not once")
    file.write_text(text.replace(fault.was, fault.becomes), encoding="utf-8")
    return text


def main() -> int:
    caught: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for room in ROOMS:
            shutil.copytree(ROOT / room, tree / room, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, tree / name)
        for wanted in sorted({fault.caught_by for fault in faults()}):
            if broken := failing(tree, wanted):
                raise SystemExit(f"without any fault {broken[0]} fails: mend that first")
        for fault in faults():
            before = plant(tree, fault)
            found = failing(tree, fault.caught_by)
            (tree / fault.file).write_text(before, encoding="utf-8")
            caught[fault.name] = found[0] if found else ""
            print(f"{fault.name}: {found[0] if found else 'NOT CAUGHT'}", file=sys.stderr, flush=True)
    missed = [name for name, by in caught.items() if not by]
    print(json.dumps({"faults": len(caught), "caught": len(caught) - len(missed), "missed": missed, "by": caught}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

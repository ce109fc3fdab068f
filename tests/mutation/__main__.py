"""Change the pure cores one small thing at a time and see how many changes a test notices: `python -m tests.mutation`.

mutmut runs in a copy of the tree; what it changes and which tests it asks stands in pyproject.toml (`[tool.mutmut]`).
The last line is one JSON object; exit 1 where the tests notice less than `LEAST`, in all or in one module. `unlisted` are
survivors that `survivors.toml` gives no reason for: kill them with a test, or say there why they may live.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.mutation import LEAST, ROOT, listed

ROOMS = ("health_agent", "radius_policy", "api", "lab", "pratique", "docs", "tests", "benchmarks")
NOTICED = frozenset({"killed", "timeout", "segfault"})


def mutmut(tree: Path, *words: str) -> str:
    """What a command of mutmut says in `tree`. Raises SystemExit where it cannot be run."""
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *words],
        cwd=tree,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"mutmut {' '.join(words)} could not be run: {done.stdout[-1500:]}{done.stderr[-500:]}")
    return done.stdout


def fates(results: str) -> dict[str, str]:
    """By the name of each mutant what became of it, from `mutmut results --all`."""
    lines = (line.strip().partition(": ") for line in results.splitlines() if ": " in line)
    return {name: fate for name, _, fate in lines if "__mutmut_" in name}


def changed(difference: str) -> str:
    """The lines that a mutant takes away, from `mutmut show`."""
    return "\n".join(
        line[1:] for line in difference.splitlines() if line.startswith("-") and not line.startswith("---")
    )


def module(mutant: str) -> str:
    """`radius_policy.access.x__first__mutmut_1` is a mutant of radius_policy.access."""
    return mutant.rpartition(".")[0]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for room in ROOMS:
            shutil.copytree(ROOT / room, tree / room, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, tree / name)
        mutmut(tree, "run")
        found = fates(mutmut(tree, "results", "--all", "true"))
        alive = [name for name, fate in found.items() if fate not in NOTICED]
        shown = {name: changed(mutmut(tree, "show", name)) for name in alive}
    if not found:
        raise SystemExit("mutmut made no mutants: look at [tool.mutmut] in pyproject.toml")
    known = listed().survivors
    unlisted = [name for name in alive if not any(each.is_of(name, shown[name]) for each in known)]
    for name in unlisted:
        print(f"{name}: {found[name]}: {shown[name].strip()}", file=sys.stderr)
    every, lost = Counter(map(module, found)), Counter(map(module, alive))
    modules = {name: round(1 - lost[name] / count, 3) for name, count in sorted(every.items())}
    ratio = 1 - len(alive) / len(found)
    said = {"mutants": len(found), "killed": len(found) - len(alive), "ratio": round(ratio, 3)}
    print(json.dumps({**said, "modules": modules, "unlisted": unlisted}))
    return 1 if min(ratio, *modules.values()) < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())

"""Who is moved when: made-up weeks of a fleet replayed under the shipped rules, joined with what happened in truth.

For each scenario: hosts moved for harmless and for harmful starts, harmful starts that ran, containments, alerts.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import figures, histories
from benchmarks.histories import Row
from radius_policy.grace.builtin import builtin
from radius_policy.model import Operation
from radius_policy.rehearsal.backtest import backtest
from radius_policy.rehearsal.history import Folder

QUICK_SEEDS: Final = (1,)
SEEDS: Final = (1, 2, 3)
SMALL: Final[dict[str, Any]] = {"hosts": 600, "baseline_per_host": 8}
Spoil = Callable[[Path, Path], Path]


def _missing(source: Path, out: Path) -> Path:
    return histories.rewrite(source, out, histories.unchanged, histories.apps_missing(source))


def _signed(name: str) -> Spoil:
    return lambda source, out: histories.rewrite(source, out, histories.signed_by(name))


def _updated(signed: bool, *, at_home: bool) -> Spoil:
    def spoil(source: Path, out: Path) -> Path:
        updater: Row = histories.updater_of(source, signed=signed)
        folder = updater["path"].removesuffix("Update.exe") if at_home else None
        return histories.rewrite(source, out, histories.started_by(updater, folder=folder))

    return spoil


SCENARIOS: Final[dict[str, tuple[str, dict[str, Any], Spoil | None]]] = {
    "roll-out and patient zero": ("cryptowall", {}, None),
    "roll-out without provenance": ("quiet,rollout-np,patient0", {}, None),
    "worm": ("worms", {"doubling": 120}, None),
    "worm, a hash per host": ("quiet,worm-poly", {"doubling": 120}, None),
    "slow worm": ("quiet,slow", {}, None),
    "mimic": ("quiet,mimic", {}, None),
    "imaging room": ("quiet,image", {}, None),
    "apps missing from the inventory": ("quiet,patient0", {}, _missing),
    "patient zero signed by a new publisher": ("cryptowall", {}, _signed("Evil Ltd")),
    "patient zero signed by the roll-out's publisher": ("cryptowall", {}, _signed("Contura GmbH")),
    "patient zero under a signed updater": ("cryptowall", {}, _updated(True, at_home=False)),
    "patient zero under an unsigned updater": ("cryptowall", {}, _updated(False, at_home=False)),
    "patient zero in a signed updater's home": ("cryptowall", {}, _updated(True, at_home=True)),
    "updates, 90 days": ("updates", {"days": 90, "baseline_per_host": 1}, None),
    "everything": ("all", {}, None),
}
QUICK: Final = ("roll-out and patient zero", "roll-out without provenance", "worm, a hash per host", "imaging room")


def main() -> None:
    chosen = figures.arguments(__doc__)
    if (reason := histories.here()) is not None:
        figures.missing("scenarios", reason)
        figures.finish({"scenarios": None})
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in QUICK if chosen.quick else SCENARIOS:
            mode, options, spoil = SCENARIOS[name]
            for seed in QUICK_SEEDS if chosen.quick else SEEDS:
                size = {**SMALL, **options} if chosen.quick else options
                source = histories.generate(Path(folder) / f"{len(result)}", mode, seed=seed, **size)
                if spoil is not None:
                    source = spoil(source, Path(folder) / f"{len(result)}-spoiled")
                told = backtest(Folder(source, Operation.HOLD), builtin()).as_json()
                result[f"{name}, seed {seed}"] = found = asdict(histories.score(source, told))
                if not chosen.json:
                    print(f"{name}, seed {seed}: {found}", flush=True)
    figures.finish({"scenarios": result})


if __name__ == "__main__":
    main()

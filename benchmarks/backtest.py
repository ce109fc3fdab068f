"""How many recorded starts a second are judged anew, with the shipped rules, reading the folder included."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import figures, histories
from radius_policy.grace.builtin import builtin
from radius_policy.rehearsal.backtest import backtest
from radius_policy.rehearsal.history import Folder

WANTED = 20_000


def main() -> None:
    chosen = figures.arguments(__doc__)
    if (reason := histories.here()) is not None:
        figures.missing("scenarios", reason)
        figures.finish({"backtest": None})
    with tempfile.TemporaryDirectory() as folder:
        size = {"hosts": 600} if chosen.quick else {}
        source = histories.generate(Path(folder) / "week", "cryptowall", **size)
        runs = [backtest(Folder(source), builtin()) for _ in range(2 if chosen.quick else 5)]
    rates = [run.events / run.seconds for run in runs]
    figures.finish({"events": runs[0].events, "events_per_s": figures.spread(rates, 0), "wanted": WANTED})


if __name__ == "__main__":
    main()

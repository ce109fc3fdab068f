"""First light, many times: execve to moved and every hop between, what the agent costs idle, how soon the service starts.

    python benchmarks/first_light.py [--quick] [--json] [--runs N] [--fabric netns|table]

The budgets hold on the netns fabric with the notify sensor; elsewhere the figures are told and not judged. There is
no peer to compare with: no other product measures this path. Exit 1 when a run fails or a budget is missed.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab.fabric import FabricError, choose
from lab.launch import launch

RUNS, QUICK_RUNS = 20, 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs instead of {RUNS}; at most 50 s")
    parser.add_argument("--json", action="store_true", help="the last line of output is one JSON object")
    parser.add_argument("--runs", type=int, help="how many runs")
    parser.add_argument("--fabric", choices=("netns", "table"))
    given = parser.parse_args()
    try:
        choice = choose(given.fabric)
    except FabricError as error:
        print(error, file=sys.stderr)
        return 1
    runs = given.runs or (QUICK_RUNS if given.quick else RUNS)
    return launch("bench", fabric=choice.name, why=choice.why, story="first-light", json_only=given.json, runs=runs)


if __name__ == "__main__":
    sys.exit(main())

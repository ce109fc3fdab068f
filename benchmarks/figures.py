"""What every benchmark shares: the two switches, percentiles, and one JSON object on the last line.

`--quick` bounds a benchmark to 50 s; `--json` leaves out the words before the object. A peer that is missing gives
null and a reason on stderr; where the ratio needs that peer the exit code is 1.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def arguments(description: str | None) -> argparse.Namespace:
    """`quick` and `json`, from the command line."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="at most 50 seconds, for a first look")
    parser.add_argument("--json", action="store_true", help="nothing but the JSON object on stdout")
    return parser.parse_args()


def spread(values: Sequence[float], digits: int = 2) -> dict[str, float | int]:
    """p50, p95 and max of some values (nearest rank), and how many there were."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")

    def rank(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], digits)

    return {"p50": rank(0.5), "p95": rank(0.95), "max": round(ordered[-1], digits), "n": len(ordered)}


def finish(result: Mapping[str, Any], *, code: int = 0) -> None:
    """Print the object as the last line and end with `code`."""
    print(json.dumps(result, ensure_ascii=False), flush=True)
    sys.exit(code)


def missing(peer: str, reason: str) -> None:
    """Say on stderr why the figure of a real peer is null."""
    print(f"peer {peer} is missing: {reason}", file=sys.stderr)

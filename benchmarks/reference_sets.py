"""Looking a hash up in ten million known ones: how long, and how much memory beyond the page cache.

    python benchmarks/reference_sets.py [--quick] [--json]

Half of the look-ups hit. The peer is SQLite's own index over the same hashes as the NSRL publishes them (RDS v3, FILE).
`--quick` takes one million. Budget: p99 at most 50 us, at most 50 MB of memory. Exit 1 when it is missed.
"""

import hashlib
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil

from benchmarks.figures import arguments, finish, spread
from radius_policy.lists.reference import HashSet, build

BUDGET_US, BUDGET_MB = 50.0, 50.0
LOOKUPS = 50_000


def digests(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield hashlib.sha256(number.to_bytes(8, "big")).digest()


def measured(look: Callable[[str], object], asked: list[tuple[str, bool]]) -> dict[str, float | int]:
    taken = []
    for sha, known in asked:
        began = time.perf_counter_ns()
        found = look(sha)
        taken.append((time.perf_counter_ns() - began) / 1000)
        if (found is not None) is not known:
            raise SystemExit(f"a wrong answer for {sha}")
    return spread(taken) | {"p99": round(sorted(taken)[int(0.99 * len(taken))], 2)}


def peer(folder: Path, count: int, asked: list[tuple[str, bool]]) -> dict[str, float | int]:
    with closing(sqlite3.connect(folder / "rds.db")) as base:
        base.execute("PRAGMA synchronous=OFF")
        base.execute("CREATE TABLE FILE (sha256 VARCHAR NOT NULL PRIMARY KEY) WITHOUT ROWID")
        base.executemany("INSERT INTO FILE VALUES (?)", ((each.hex().upper(),) for each in sorted(digests(count))))
        base.commit()
        return measured(
            lambda sha: base.execute("SELECT 1 FROM FILE WHERE sha256 = ?", (sha.upper(),)).fetchone(), asked
        )


def main() -> None:
    given = arguments(__doc__)
    count = 1_000_000 if given.quick else 10_000_000
    choose = random.Random(1)
    asked = []
    for _ in range(LOOKUPS):
        known = choose.random() < 0.5
        number = choose.randrange(count) + (0 if known else count)
        asked.append((hashlib.sha256(number.to_bytes(8, "big")).hexdigest(), known))
    with tempfile.TemporaryDirectory(prefix="pratique-bench-") as name:
        folder = Path(name)
        began = time.perf_counter()
        build(digests(count), folder / "index")
        built = time.perf_counter() - began
        process = psutil.Process()
        before = process.memory_info().rss
        with HashSet("nsrl", folder / "index") as opened:
            ours = measured(opened.lookup, asked)
            used = (process.memory_info().rss - before) / 1e6
        theirs = peer(
            folder, min(count, 1_000_000), [each for each in asked if count <= 1_000_000] or asked_of(choose, 1_000_000)
        )
    missed = ours["p99"] > BUDGET_US or used > BUDGET_MB
    finish(
        {
            "hashes": count, "lookup_us": ours, "budget_us": BUDGET_US, "rss_mb": round(used, 2), "budget_mb": BUDGET_MB,
            "build_s": round(built, 1), "peer_sqlite_us": theirs, "peer_hashes": min(count, 1_000_000),
        },
        code=int(missed),
    )  # fmt: skip


def asked_of(choose: random.Random, count: int) -> list[tuple[str, bool]]:
    numbers = [(choose.randrange(count) + (0 if hit else count), hit) for hit in (True, False) * (LOOKUPS // 2)]
    return [(hashlib.sha256(number.to_bytes(8, "big")).hexdigest(), hit) for number, hit in numbers]


if __name__ == "__main__":
    main()

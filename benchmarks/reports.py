"""How long the reports take over years of data: a day, a window, a spread, over 10,000,000 sightings in SQLite.

    python benchmarks/reports.py [--quick] [--json]

A year of 1,500 endpoints: 450 new executables a day, 400 of them on one host, 50 on 540 hosts; a fifth is graced or
unknown and runs from milliseconds to days. Measured is what the command does after the database is open: query, value and
JSON. *Cold*: the file's pages are dropped from the page cache before each report (posix_fadvise), connection new; *warm*:
the same again. `--quick` has 270,000 sightings. Budget: day 1 s, window (20 minutes) 300 ms, both warm p95; exit 1 when missed.
"""

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.figures import arguments, finish, spread

from radius_policy.store import open_store  # isort: skip - the store's schema comes before what it keeps
from api.reports.day import day_report
from api.reports.render import render
from api.reports.spread import spread_report
from api.reports.values import Scope
from api.reports.window import window_report
from radius_policy.model import SECOND, Micros, TenantId
from radius_policy.store.interface import Reading
from radius_policy.zones import zone

TENANT = TenantId(1)
HOSTS, DAYS = 1500, 365
NARROW, WIDE, REACH = 400, 50, 540
FIRST = date(2026, 1, 1)
BEGIN = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * SECOND
DAY = 86_400 * SECOND
BUDGET = {"day": 1000.0, "window": 300.0}
ROUNDS = 7
REASON = '{"level":"rule","text":"","ref":"","author":""}'

NUMBERS = """
CREATE TEMP TABLE made AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :executables)
SELECT i, i / :per_day AS day, i % :per_day < :narrow AS narrow,
  lower(hex(i || 'e')) || substr('0000000000000000000000000000000000000000000000000000000000000000', length(hex(i || 'e')) + 1) AS sha,
  CASE WHEN i % 5 THEN 'allowed' WHEN i % 50 = 0 THEN 'unknown' ELSE 'graced' END AS word,
  :begin + (i / :per_day) * :day + abs((i * 2654435761) % :day) AS first
FROM n
"""
SIGHTED = """
CREATE TEMP TABLE sighted AS WITH RECURSIVE h(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM h WHERE j + 1 < :reach)
SELECT made.i, sha, word, 'host-' || printf('%05d', (i * 7919 + j * 13) % :hosts) AS host, i || '-' || j AS id,
  first + j * (:day / :reach / 2) AS started, (i * 31 + j * 17) % 100 AS draw
FROM made JOIN h ON j = 0 OR NOT narrow
"""
LENGTH = "CASE WHEN draw < 60 THEN 5000 WHEN draw < 95 THEN draw * 20000000 WHEN draw < 99 THEN draw * 300000000 ELSE 172800000000 END"
TABLES = {
    "executables": """(tenant, sha256, kind, name, family, first_seen, first_host)
        SELECT 1, sha, 'pe', 'a.exe', '', first, 'host-' || printf('%05d', (i * 7919) % :hosts) FROM made""",
    "host_executables": """(tenant, host_id, sha256, first, last, starts, path, verdict, rule, facts, ran)
        SELECT 1, host, sha, started, started, 1, 'C:\\Program Files\\app\\a.exe', word, '', '{}', 1 FROM sighted""",
    "executions": f"""(tenant, id, host_id, sha256, path, pid, started, received, user, kind, ended, end_uncertain,
        uncertainty_us, sighting, held, ran, parents, proven, verdict, reason, made_from, judgeable,
        rules, span)
        SELECT 1, id, host, sha, 'C:\\Program Files\\app\\a.exe', 1, started, started, 'ann', 'pe',
          CASE WHEN word = 'allowed' THEN NULL ELSE started + {LENGTH} END, 0, 50000, 1, 0, 1, '[]', 0, word,
          '{REASON}', '[]', 1, '',
          CASE WHEN word = 'allowed' THEN 0 WHEN {LENGTH} + 100000 <= 3600000000 THEN 1 WHEN {LENGTH} + 100000 <= 86400000000 THEN 2 ELSE 3 END
        FROM sighted""",
    "hosts": """(tenant, host_id, name, site, groups, role, user, public_key, enrolled_at, operation, sensor, agent_version,
        image, clock_offset_us, clock_uncertainty_us, never_quarantine)
        SELECT DISTINCT 1, host, 'pc-' || substr(host, 6), 'main', '[]', '', '', X'', 0, 'notify', '', '', '', 0, 0, 0 FROM sighted""",
    "prevalence": """(tenant, sha256, scope, hosts, first, last)
        SELECT 1, sha, 'fleet', CASE WHEN narrow THEN 1 ELSE :reach END, first, first + :day FROM made""",
}


async def build(path: Path, days: int) -> tuple[int, int]:
    """The database; how many sightings and octets it has. Its indexes are made after its rows, as that is much quicker."""
    await (await open_store(f"sqlite:///{path}", migrate=True)).close()
    numbers = {
        "executables": days * (NARROW + WIDE), "per_day": NARROW + WIDE, "narrow": NARROW, "begin": BEGIN, "day": DAY,
        "reach": REACH, "hosts": HOSTS,
    }  # fmt: skip
    made = sqlite3.connect(path, isolation_level=None)
    made.executescript(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA temp_store = 1"
    )
    indexes = made.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    for name, _ in indexes:
        made.execute(f"DROP INDEX {name}")
    made.execute(NUMBERS, numbers)
    made.execute(SIGHTED, numbers)
    for table, rows in TABLES.items():
        made.execute(f"INSERT OR IGNORE INTO {table} {rows}", numbers)
    for _, sql in indexes:
        made.execute(sql)
    count: int = made.execute("SELECT count(*) FROM host_executables").fetchone()[0]
    made.close()
    return count, os.stat(path).st_size


def drop_from_cache(path: Path) -> None:
    """The file's pages leave the page cache, as far as the kernel agrees."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


async def timed(url: str, work: Callable[[Reading], Any], *, cold: Path | None) -> tuple[float, int]:
    """Milliseconds of one report with a connection of its own, and the length of its JSON."""
    if cold is not None:
        drop_from_cache(cold)
    store = await open_store(url)
    try:
        began = time.perf_counter()
        text = render(await store.read(work), "json")
        return (time.perf_counter() - began) * 1000, len(text)
    finally:
        await store.close()


async def main() -> None:
    options = arguments(__doc__)
    days = 10 if options.quick else DAYS
    scope, now = Scope("", zone("Europe/Berlin")), BEGIN + days * DAY
    with tempfile.TemporaryDirectory(prefix="pratique-reports-") as folder:
        path = Path(folder, "reports.db")
        began = time.perf_counter()
        sightings, octets = await build(path, days)
        built = time.perf_counter() - began
        if not options.json:
            print(f"{sightings:,} sightings in {octets / 1e9:.1f} GB, built in {built:.0f} s")

        def day(number: int) -> Callable[[Reading], Any]:
            return lambda tx: day_report(tx, TENANT, FIRST + timedelta(days=number), scope, now=now)

        def window(number: int) -> Callable[[Reading], Any]:
            at: Micros = BEGIN + number * DAY + DAY // 3
            return lambda tx: window_report(tx, TENANT, at, at + 1200 * SECOND, scope)

        def spread_of(number: int) -> Callable[[Reading], Any]:
            name = f"{number * (NARROW + WIDE) + NARROW}e".encode().hex().ljust(64, "0")
            return lambda tx: spread_report(tx, TENANT, name, scope, now=now)

        result: dict[str, Any] = {
            "benchmark": "reports",
            "sightings": sightings,
            "hosts": HOSTS,
            "days": days,
            "octets": octets,
        }
        chosen = [2 + step * max(1, (days - 4) // ROUNDS) for step in range(ROUNDS)]
        for name, made in (("day", day), ("window", window), ("spread", spread_of)):
            cold, warm, size = [], [], 0
            for number in chosen:
                cold.append((await timed(f"sqlite:///{path}", made(number), cold=path))[0])
                took, size = await timed(f"sqlite:///{path}", made(number), cold=None)
                warm.append(took)
            result[name] = {"cold_ms": spread(cold, 1), "warm_ms": spread(warm, 1), "json_octets": size}
    missed = [name for name, most in BUDGET.items() if result[name]["warm_ms"]["p95"] > most]
    finish({**result, "budget_ms": BUDGET, "missed": missed}, code=1 if missed else 0)


if __name__ == "__main__":
    asyncio.run(main())

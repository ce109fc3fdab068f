"""How long it takes to allow a hash that was seen on 10,000 hosts, on SQLite: verdicts, postures and access of all.

The hosts are contained (their posture clears) but for the few that were moved (they return). In batches, as the
service does it; the longest transaction is measured too, because a move must never wait long behind it.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.admin.settle import Pace
from benchmarks import figures
from radius_policy import judgement
from radius_policy.judgement.policy import Policy
from radius_policy.model import DEFAULT_TENANT as T
from radius_policy.model import (
    Access,
    BreakerTrip,
    Executable,
    Host,
    HostExecutable,
    HostId,
    HostState,
    ListEntry,
    ListKind,
    Posture,
    PostureReason,
    Reason,
    Setting,
    Sha256,
    VerdictWord,
)
from radius_policy.store import open_store
from radius_policy.store.interface import Store, Tx

SHA = Sha256("ab" * 32)
WHY = Reason("unknown", "unknown program was started")
NOW = 1_764_000_000_000_000


def prepare(tx: Tx, hosts: range) -> None:
    for n in hosts:
        host_id = HostId(f"host{n:06d}")
        moved = n < 3
        access = Access.REMEDIATION if moved else Access.PRODUCTION
        tx.put(
            Host(T, host_id, f"pc{n}", public_key=b"k" * 32),
            HostExecutable(T, host_id, SHA, NOW + n, NOW + n, verdict=VerdictWord.UNKNOWN),
            PostureReason(T, host_id, SHA, Posture.POTENTIAL_PROBLEM, NOW + n, WHY, contained=not moved, placed=moved),
            HostState(T, host_id, Posture.POTENTIAL_PROBLEM, WHY, access, WHY, n + 1, NOW),
        )


async def measured(store: Store, hosts: int) -> dict[str, Any]:
    for start in range(0, hosts, 1000):
        part = range(start, min(start + 1000, hosts))
        await store.write(lambda tx, part=part: prepare(tx, part))  # type: ignore[misc]
    await store.write(
        lambda tx: tx.put(
            Executable(T, SHA, first_seen=NOW),
            BreakerTrip(T, f"executable:{SHA}", NOW, WHY),
            Setting(T, "mode", {"default": "enforce"}, 1, "bench", NOW),
        )
    )
    await store.write(lambda tx: [tx.next_generation(T) for _ in range(10)])
    policy = await store.read(lambda tx: Policy.load(tx, T))
    entry = ListEntry(T, "bench", "allow", ListKind.HASH, SHA, author="bench", created=NOW)
    began = time.perf_counter()
    touched = await store.write(lambda tx: judgement.decide_list(tx, entry, now=NOW + 1, policy=policy))
    entered, done, after, pace = time.perf_counter() - began, 0, ("", ""), Pace()
    taken: list[float] = []
    while True:
        batch = time.perf_counter()
        result = await store.write(
            lambda tx, after=after: judgement.recompute(  # type: ignore[misc]
                tx, T, touched.executables, now=NOW + 1, policy=touched.policy, limit=pace.hosts, after=after
            )
        )
        taken.append((time.perf_counter() - batch) * 1000)
        pace.took(taken[-1] / 1000)
        done += result.hosts
        if result.done:
            break
        after = result.next
    return {
        "hosts": done,
        "seconds": round(time.perf_counter() - began, 2),
        "entry_ms": round(entered * 1000, 1),
        "transaction_ms": figures.spread(taken, 1),
    }


async def main() -> None:
    chosen = figures.arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(f"sqlite:///{folder}/bench.db", migrate=True)
        try:
            result = await measured(store, 2000 if chosen.quick else 10_000)
        finally:
            await store.close()
    figures.finish({**result, "wanted_seconds": 2})


if __name__ == "__main__":
    asyncio.run(main())

"""What the inventory of a fleet costs: 1,500 hosts of 2,000 programs each, 95 % of them the same, into SQLite.

    python benchmarks/inventory.py [--quick] [--json]

The scans go through the ingest's own functions, in its pieces, each a transaction. Then what leaving `learn` costs: the
preview, the confirmation in short works, and the policy that every judgement looks at, with the memory it takes.
`--quick`: 150 hosts.
"""

import asyncio
import gc
import random
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.admin.settle import in_short_works
from api.ingest.inventory import finish_inventory, pieces, take_lines
from benchmarks import figures
from health_agent.contract import Inventory, InventoryLine
from radius_policy import judgement
from radius_policy.judgement import inventory
from radius_policy.judgement.policy import Policy
from radius_policy.model import DEFAULT_TENANT as T
from radius_policy.model import Host, HostId, ListEntry, Listing, Setting, Sha256
from radius_policy.store import open_store
from radius_policy.store.interface import Store, Tx

PROGRAMS, SHARED = 2000, 1900
NOW = 1_764_000_000_000_000


def line(name: str, *, proven: bool) -> InventoryLine:
    digest = sha256(name.encode()).hexdigest()
    return InventoryLine(
        digest, f"C:\\Program Files\\{name}\\{name}.exe", package="image" if proven else None, proven=proven
    )


def scans(hosts: int) -> Iterator[Inventory]:
    """Two of three shared programs are proven, and half of those that one host alone has."""
    shared = [line(f"shared{n}", proven=n % 3 > 0) for n in range(SHARED)]
    for number in range(hosts):
        own = [line(f"own{number}-{n}", proven=n % 2 > 0) for n in range(PROGRAMS - SHARED)]
        lines = shared + own
        random.Random(number).shuffle(lines)
        yield Inventory(
            host_id=f"host{number:06d}", id=f"scan{number:08d}", clock_us=NOW, lines=tuple(lines), last=True
        )


async def enrolled(store: Store, hosts: int, policy: Policy) -> dict[str, Any]:
    """Each host's scan, recorded as the ingest does it."""
    taken: list[float] = []

    async def write(work: Any) -> None:
        began = time.perf_counter()
        await store.write(work)
        taken.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    for scan in scans(hosts):
        host = Host(T, HostId(scan.host_id), scan.host_id, public_key=b"k" * 32)
        await store.write(lambda tx, host=host: tx.put(host))  # type: ignore[misc]
        *parts, last = pieces(scan)
        for part in parts:
            await write(lambda tx, part=part, host=host: take_lines(tx, host, part, received=NOW))
        await write(
            lambda tx, last=last, host=host, scan=scan: finish_inventory(
                tx, host, scan, last, received=NOW, policy=policy
            )
        )
    return {"enrol_s": round(time.perf_counter() - began, 1), "piece_ms": figures.spread(taken, 1)}


async def left_learn(store: Store) -> dict[str, Any]:
    """The preview of `enforce`, the lines confirmed in short works, and the change of mode itself."""
    value = {"default": "enforce"}
    policy = await store.read(lambda tx: Policy.load(tx, T))
    began = time.perf_counter()
    plan = await store.read(lambda tx: judgement.preview_mode(tx, T, value, now=NOW, policy=policy))
    preview_s = time.perf_counter() - began
    taken: list[float] = []

    def confirm(tx: Tx, some: Sequence[Sha256]) -> None:
        began = time.perf_counter()
        inventory.confirm(tx, T, some, author="bench", now=NOW)
        taken.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    waiting = await store.read(lambda tx: inventory.as_stored(tx, T, [sha for sha, _ in plan.confirmed]))
    await in_short_works(store, waiting, confirm)
    confirm_s = time.perf_counter() - began
    began = time.perf_counter()

    def change(tx: Tx) -> None:
        judgement.set_mode(tx, T, value, now=NOW, policy=policy, author="bench", plan=plan)

    await store.write(change)
    return {
        "preview_s": round(preview_s, 2),
        "confirmed": len(plan.confirmed),
        "left_to_a_person": len(plan.open_lines),
        "confirm_ms": figures.spread(taken, 1),
        "confirm_s": round(confirm_s, 2),
        "change_ms": round((time.perf_counter() - began) * 1000, 1),
    }


async def judged_by(store: Store) -> dict[str, Any]:
    """The policy with all confirmed lines: how long it takes to read, and how much memory it is."""
    began = time.perf_counter()
    await store.read(lambda tx: Policy.load(tx, T))
    seconds = time.perf_counter() - began
    gc.collect()
    tracemalloc.start()
    kept = await store.read(lambda tx: Policy.load(tx, T))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"policy_s": round(seconds, 2), "policy_mb": round(size / 1e6, 1), "policy_entries": len(kept.entries)}


async def main() -> None:
    chosen = figures.arguments(__doc__)
    hosts = 150 if chosen.quick else 1500
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        store = await open_store(f"sqlite:///{path}", migrate=True)
        try:
            await store.write(lambda tx: tx.put(Setting(T, "mode", {"default": "learn"}, 1, "bench", NOW)))
            policy = await store.read(lambda tx: Policy.load(tx, T))
            result: dict[str, Any] = {"hosts": hosts, "lines": hosts * PROGRAMS, **await enrolled(store, hosts, policy)}
            result["entries"] = await store.read(lambda tx: tx.count(ListEntry, tenant=T))
            result["listings"] = await store.read(lambda tx: tx.count(Listing, tenant=T))
            result |= await left_learn(store)
            result |= await judged_by(store)
        finally:
            await store.close()
        result["mb"] = round(path.stat().st_size / 1e6, 1)
    figures.finish(result)


if __name__ == "__main__":
    asyncio.run(main())

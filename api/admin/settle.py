"""After a decision about executables: work out verdicts, postures and access of everyone they touch, in batches.

Guarantees: no transaction longer than about 50 ms, so that a large recompute never delays a move; it can be run again at any time
and changes nothing the second time. Agents that may remember an old verdict are asked to forget it, after the new one holds, and are asked no longer for a cut
or an isolation whose cause is gone.
"""

import functools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from api.ingest import orders
from health_agent.contract import Action
from radius_policy import judgement
from radius_policy.judgement.policy import PolicyCache
from radius_policy.model import HostExecutable, HostId, Micros, Sha256, TenantId
from radius_policy.store.interface import Store, Tx

Item = TypeVar("Item")
BATCH: Final = 100
"""Agents that are asked in one transaction."""
AIM_S: Final = 0.02
"""How long a transaction of a recompute should last: its commit and a slow moment come on top, and 50 ms are promised."""
_MOST_ROUNDS: Final = 100_000


@dataclass(slots=True)
class Settled:
    """What a decision did: hosts that were looked at, and those whose access changed."""

    hosts: int = 0
    moved: list[HostId] = field(default_factory=list)
    released: list[HostId] = field(default_factory=list)
    asked: int = 0
    """Agents that are asked to forget a verdict."""


@dataclass(slots=True)
class Pace:
    """How many hosts the next transaction takes. It follows the machine: fewer at once after a slow one, at most twice as
    many after a quick one."""

    hosts: int = 32
    least: int = 8
    most: int = 400

    def took(self, seconds: float) -> None:
        """The last transaction of that many hosts took `seconds`."""
        fitting = int(self.hosts * AIM_S / max(seconds, 1e-6))
        self.hosts = max(self.least, min(fitting, 2 * self.hosts, self.most))


async def in_short_works(store: Store, of: Sequence[Item], work: Callable[[Tx, Sequence[Item]], Any]) -> None:
    """Do `work` with all of `of`, some in one transaction, as many as fit into a short one."""
    pace, at = Pace(), 0
    while at < len(of):
        some = of[at : at + pace.hosts]
        began = time.perf_counter()
        await store.write(lambda tx, some=some: work(tx, some))  # type: ignore[misc]
        pace.took(time.perf_counter() - began)
        at += len(some)


def touched(settled: Settled) -> dict[str, Any]:
    """What a decision did, as plain data."""
    return {
        "hosts": settled.hosts,
        "moved": settled.moved,
        "released": settled.released,
        "agents_asked": settled.asked,
    }


async def settle(
    store: Store,
    tenant: TenantId,
    shas: Iterable[Sha256],
    *,
    policies: PolicyCache,
    clock: Callable[[], Micros],
    rung: Callable[[], None],
) -> Settled:
    """Recompute all that `shas` touch; `rung` is called after each batch, so that moves begin at once."""
    result = Settled()
    wanted = tuple(dict.fromkeys(shas))
    after, pace = ("", ""), Pace()
    for _ in range(_MOST_ROUNDS if wanted else 0):
        done = await store.write(functools.partial(_batch, tenant, wanted, policies, clock, after, pace))
        result.hosts += done.hosts
        result.moved += done.moved
        result.released += done.released
        rung()
        if done.done:
            break
        after = done.next
    for sha in wanted:
        result.asked += await _forget(store, tenant, sha, clock)
    rung()
    return result


def _batch(
    tenant: TenantId,
    shas: tuple[Sha256, ...],
    policies: PolicyCache,
    clock: Callable[[], Micros],
    after: tuple[str, str],
    pace: Pace,
    tx: Tx,
) -> judgement.Recomputed:
    now = clock()
    policy = policies.current(tx, tenant, now)
    began = time.perf_counter()
    done = judgement.recompute(tx, tenant, shas, now=now, policy=policy, limit=pace.hosts, after=after)
    pace.took(time.perf_counter() - began)
    return done


async def _forget(store: Store, tenant: TenantId, sha: Sha256, clock: Callable[[], Micros]) -> int:
    asked, after = 0, -1

    def work(tx: Tx) -> tuple[int, int | None]:
        page = tx.find(HostExecutable, tenant=tenant, sha256=sha, order="first", after=after, limit=BATCH)
        if len(page) == BATCH:  # hosts with the same first start must not be cut apart: the order is by it
            edge = page[-1].first
            page = [one for one in page if one.first < edge] + tx.find(
                HostExecutable, tenant=tenant, sha256=sha, first=edge
            )
        made = orders.ask(tx, tenant, (one.host_id for one in page), Action.FORGET, sha256=sha, now=clock())
        if page:
            orders.withdraw(tx, tenant, (one.host_id for one in page), sha)
        return made, page[-1].first if page else None

    while True:
        made, edge = await store.write(work)
        asked += made
        if edge is None:
            return asked
        after = edge

"""After a decision about executables: work out verdicts, postures and access of everyone they touch, in batches.

Guarantees: no transaction longer than about 50 ms, so that a large recompute never delays a move; it can be run again at any time
and changes nothing the second time. Agents that may remember an old verdict are asked to forget it, after the new one holds.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from api.ingest import orders
from health_agent.contract import Action
from radius_policy import judgement
from radius_policy.judgement.policy import PolicyCache
from radius_policy.model import HostExecutable, HostId, Micros, Sha256, TenantId
from radius_policy.store.interface import Store, Tx

BATCH: Final = 100
"""Hosts in one transaction."""
_MOST_ROUNDS: Final = 100_000


@dataclass(slots=True)
class Settled:
    """What a decision did: hosts that were looked at, and those whose access changed."""

    hosts: int = 0
    moved: list[HostId] = field(default_factory=list)
    released: list[HostId] = field(default_factory=list)
    asked: int = 0
    """Agents that are asked to forget a verdict."""


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
    after = ("", "")
    for _ in range(_MOST_ROUNDS if wanted else 0):
        done = await store.write(functools.partial(_batch, tenant, wanted, policies, clock, after))
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
    tx: Tx,
) -> judgement.Recomputed:
    now = clock()
    policy = policies.current(tx, tenant, now)
    return judgement.recompute(tx, tenant, shas, now=now, policy=policy, limit=BATCH, after=after)


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
        return made, page[-1].first if page else None

    while True:
        made, edge = await store.write(work)
        asked += made
        if edge is None:
            return asked
        after = edge

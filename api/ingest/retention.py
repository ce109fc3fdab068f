"""Ids of recorded messages are kept as long as a retry may come, and no longer.

Why it is safe: a replayed message is refused as stale after five minutes anyway; the ids only let a *retry* be answered again.
An agent that retries even later is told that its message is stale, signs its content anew, and the executions in it,
which have ids of their own, are recognised.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from api.logs import logger
from health_agent.contract import FRESHNESS_US
from radius_policy.model import SECOND, Evidence, Micros, TenantId
from radius_policy.store.interface import StoreError, Tx

if TYPE_CHECKING:
    from api.service import Service

KEPT_US: Final = 2 * 3600 * SECOND
LOOK_EVERY_S: Final = 10.0
_BREATH_S: Final = 0.05
BATCH: Final = 200
assert KEPT_US > 2 * FRESHNESS_US  # noqa: S101 - a replay within freshness must always be recognised


def forget(tx: Tx, tenant: TenantId, *, now: Micros) -> int:
    """Forget up to `BATCH` ids that are too old; how many."""
    old = tx.find(Evidence, tenant=tenant, order="at", before=now - KEPT_US, limit=BATCH)
    for one in old:
        tx.delete(Evidence, tenant=tenant, host_id=one.host_id, message_id=one.message_id)
    return len(old)


async def watch(service: "Service") -> None:
    """Forget until cancelled, in short transactions."""
    while True:
        more = False
        try:
            more = await service.store.write(lambda tx: forget(tx, service.tenant, now=service.clock())) == BATCH
        except StoreError as error:
            service.metrics.failures.labels("retention").inc()
            logger(__name__).error("ids_not_forgotten", error=str(error))
        # A report that waits goes first, however much there is to forget.
        await asyncio.sleep(_BREATH_S if more else LOOK_EVERY_S)

"""What time alone brings: trips that nobody answered, graces that ended. One task looks for it.

Guarantees: a look that finds nothing writes nothing; what it does is done once, however often it looks and whoever
else does. The moves that a site's choice brings begin at once.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from api.logs import logger
from radius_policy.judgement.trips import Due, due
from radius_policy.store.interface import StoreError, Tx

if TYPE_CHECKING:
    from api.service import Service

LOOK_EVERY_S: Final = 15.0


async def look(service: "Service") -> Due:
    """One look, now. Raises StoreError."""
    tenant, now = service.tenant, service.clock()

    def work(tx: Tx) -> Due:
        return due(tx, tenant, now=now, policy=service.policies.current(tx, tenant, now))

    found = await service.store.write(work)
    if found.hosts or found.graces:
        service.ring()
    return found


async def watch(service: "Service") -> None:
    """Look until cancelled."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await look(service)
        except StoreError as error:
            service.metrics.failures.labels("due").inc()
            logger(__name__).error("due_not_looked_for", error=str(error))

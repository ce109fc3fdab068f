"""What time alone brings: trips that nobody answered, graces that end or have ended. One task looks for it.

Guarantees: a look that finds nothing writes nothing; what it does is done once, however often it looks and whoever
else does, and after a restart it is done as if there had been none. The moves that a site's choice brings begin at once.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from api.logs import logger
from radius_policy.judgement import overdue
from radius_policy.judgement.overdue import Due
from radius_policy.store.interface import StoreError, Tx

if TYPE_CHECKING:
    from api.service import Service

LOOK_EVERY_S: Final = 2.0
"""For a site's choice, by reading alone."""
GRACES_EVERY: Final = 8
"""Every so many looks it looks for everything."""


async def look(service: "Service") -> Due:
    """Do what is due now. Raises StoreError."""
    tenant, now = service.tenant, service.clock()

    def work(tx: Tx) -> Due:
        return overdue.due(tx, tenant, now=now, policy=service.policies.current(tx, tenant, now))

    found = await service.store.write(work)
    if found:
        service.ring()
    return found


async def is_due(service: "Service") -> bool:
    """Whether a site's choice is due now. Raises StoreError."""
    tenant, now = service.tenant, service.clock()
    return await service.store.read(lambda reading: overdue.look(reading, tenant, now=now))


async def watch(service: "Service") -> None:
    """Look until cancelled."""
    looks = 0
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        looks += 1
        try:
            if looks % GRACES_EVERY == 0 or await is_due(service):
                await look(service)
        except StoreError as error:
            service.metrics.failures.labels("due").inc()
            logger(__name__).error("due_not_looked_for", error=str(error))

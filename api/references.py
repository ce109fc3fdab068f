"""The attached reference sets of the running service: opened beside the judgement, handed to it when they are ready.

Guarantees: judging never waits for a set, however long its index takes to be built: until then the sets from before
hold. A set that cannot be opened is named with the reason in the log, once, and in `broken`; the others go on.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

from api.logs import logger
from radius_policy.judgement.policy import PolicyCache
from radius_policy.lists.attached import SETTING, Attached
from radius_policy.lists.index import Reference
from radius_policy.model import Setting, TenantId
from radius_policy.store.interface import Store

FOLDER: Final = "reference-sets"
"""Of the indexes, in the data folder: the sets themselves may lie where we must not write."""
LOOK_EVERY_S: Final = 60.0


def attached_in(data: Path) -> Attached:
    """Nothing attached yet; indexes are kept in the data folder."""
    return Attached(data / FOLDER)


class References:
    """The sets of one tenant, and the cache of policies that judges by them."""

    def __init__(self, store: Store, tenant: TenantId, policies: PolicyCache, data: Path) -> None:
        self._store = store
        self._tenant = tenant
        self._policies = policies
        self._attached = attached_in(data)
        self._sets: tuple[Reference, ...] = ()

    @property
    def broken(self) -> dict[str, str]:
        """Sets that are named by the setting and cannot be used, with the reason."""
        return self._attached.broken

    async def follow(self) -> None:
        """Open what the setting names now, and judge by it from then on."""
        known = self.broken
        try:
            setting = await self._store.read(lambda tx: tx.get(Setting, self._tenant, SETTING))
            sets = await asyncio.to_thread(self._attached.follow, setting.value if setting else {})
        except ValueError as error:  # written past the check of settings: what is attached stays
            logger(__name__).error("reference_sets_setting", error=str(error))
            return
        for name, why in self.broken.items():
            if known.get(name) != why:
                logger(__name__).error("reference_set_broken", set=name, error=why)
        if sets != self._sets:
            # In the writer's thread, where policies are read: no decision sees half of it.
            await self._store.write(lambda tx: self._policies.attach(sets))
            self._sets = sets
            logger(__name__).info("reference_sets", attached=[one.name for one in sets])

    async def watch(self, changed: asyncio.Event) -> None:
        """Follow until cancelled: at once when `changed` is set, now and then because the files change too."""
        while True:
            with contextlib.suppress(TimeoutError):  # the slow look behind the change
                await asyncio.wait_for(changed.wait(), LOOK_EVERY_S)
            changed.clear()
            await self.follow()

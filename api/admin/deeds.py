"""Deeds as a running service does them: the action in a transaction, what follows from it settled, the bells rung.

`api.admin.actions` are the parts; REST routes and console call these.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from api.admin import hosts, lists, settings
from api.admin.lists import Wish
from api.admin.settle import Settled, settle
from api.auth.roles import Identity
from radius_policy import judgement
from radius_policy.model import HostState, ListEntry, Micros, Mode, Sha256
from radius_policy.policy import Policy, PolicyCache
from radius_policy.store.interface import Reading, Store, Tx

T = TypeVar("T")

if TYPE_CHECKING:
    from radius_policy.model import Host


@dataclass(frozen=True, slots=True)
class Desk:
    """What a deed needs: the running service's parts, or those that the command line opened."""

    store: Store
    policies: PolicyCache
    clock: Callable[[], Micros]
    rung: Callable[[], None]

    async def decide(self, who: Identity, wish: Wish) -> tuple[ListEntry, Settled]:
        """Put an entry on a list and carry out what follows."""
        now = self.clock()
        decided = await self.store.write(
            lambda tx: lists.add_entry(tx, who, wish, now=now, policy=self.policies.current(tx, who.tenant, now))
        )
        return decided.entry, await self._settle(who, decided.touched.executables)

    async def withdraw(self, who: Identity, action: str, text: str) -> tuple[list[ListEntry], Settled]:
        """Take entries off a list and carry out what follows."""
        now = self.clock()
        decided = await self.store.write(
            lambda tx: lists.remove_entry(
                tx, who, action, text, now=now, policy=self.policies.current(tx, who.tenant, now)
            )
        )
        touched = [sha for one in decided for sha in one.touched.executables]
        return [one.entry for one in decided], await self._settle(who, touched)

    async def host(
        self, who: Identity, name: str, deed: Callable[..., HostState], **arguments: Any
    ) -> tuple[dict[str, Any], HostState]:
        """One of `hosts.clear`, `quarantine`, `release`, `protect` on the host named; (what it is now, its state)."""
        now = self.clock()

        def work(tx: Tx) -> tuple[dict[str, Any], HostState]:
            host: Host = hosts.find_host(tx, who.tenant, name)
            policy: Policy = self.policies.current(tx, who.tenant, now)
            state = deed(tx, who, host, **arguments, now=now, policy=policy)
            return hosts.short_view(tx, hosts.find_host(tx, who.tenant, host.host_id)), state

        done = await self.store.write(work)
        self.rung()
        return done

    async def mode(
        self, who: Identity, mode: Mode | None, *, site: str = "", group: str = "", confirm: tuple[str, ...] = ()
    ) -> settings.ModeChange:
        """Change a mode; see `settings.set_mode`."""
        return await self.plain(
            lambda tx, now: settings.set_mode(tx, who, mode, site=site, group=group, confirm=confirm, now=now)
        )

    async def preview(
        self, who: Identity, mode: Mode | None, *, site: str = "", group: str = "", confirm: tuple[str, ...] = ()
    ) -> judgement.Preview:
        """What `mode` would do, without doing it."""
        now = self.clock()

        def look(tx: Reading) -> judgement.Preview:
            value = settings.wanted_mode(tx, who.tenant, mode, site=site, group=group)
            policy = Policy.load(tx, who.tenant)
            return judgement.preview_mode(tx, who.tenant, value, now=now, policy=policy, confirm=confirm)

        return await self.store.read(look)

    async def plain(self, deed: Callable[[Tx, Micros], T]) -> T:
        """Any other deed: one transaction, then the bells."""
        now = self.clock()
        done = await self.store.write(lambda tx: deed(tx, now))
        self.rung()
        return done

    async def _settle(self, who: Identity, shas: "list[Sha256] | tuple[Sha256, ...]") -> Settled:
        self.rung()
        return await settle(self.store, who.tenant, shas, policies=self.policies, clock=self.clock, rung=self.rung)

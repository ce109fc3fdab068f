"""Deeds as a running service does them: the action in a transaction, what follows from it settled, the bells rung.

The modules beside this one have the parts, as functions on a transaction; REST routes, console and command line call
these. A deed that judges nothing imports no judgement.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from api.auth.roles import Role
from radius_policy.model import Micros, Mode, PostureReason
from radius_policy.store.interface import Reading, Store, Tx

if TYPE_CHECKING:
    from api.admin.lists import Wish
    from api.admin.settings import ModeChange
    from api.admin.settle import Settled
    from api.auth.roles import Identity
    from radius_policy import judgement
    from radius_policy.judgement.policy import PolicyCache
    from radius_policy.model import HostState, ListEntry, Sha256

T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """What a deed needs: the running service's parts, or those that the command line opened. `rung` tells the other
    processes that something was written; `get_policies` gives the cache of policies when it is first needed."""

    store: Store
    get_policies: "Callable[[], PolicyCache]"
    clock: Callable[[], Micros]
    rung: Callable[[], None]

    @cached_property
    def policies(self) -> "PolicyCache":
        return self.get_policies()

    async def decide(self, who: "Identity", wish: "Wish") -> "tuple[ListEntry, Settled]":
        """Put an entry on a list and carry out what follows."""
        from api.admin import lists

        now = self.clock()
        decided = await self.store.write(
            lambda tx: lists.add_entry(tx, who, wish, now=now, policy=self.policies.current(tx, who.tenant, now))
        )
        return decided.entry, await self._settle(who, decided.touched.executables)

    async def withdraw(self, who: "Identity", action: str, text: str) -> "tuple[list[ListEntry], Settled]":
        """Take entries off a list and carry out what follows."""
        from api.admin import lists

        now = self.clock()
        decided = await self.store.write(
            lambda tx: lists.remove_entry(
                tx, who, action, text, now=now, policy=self.policies.current(tx, who.tenant, now)
            )
        )
        touched = [sha for one in decided for sha in one.touched.executables]
        return [one.entry for one in decided], await self._settle(who, touched)

    async def host(
        self, who: "Identity", name: str, deed: "Callable[..., HostState]", **arguments: Any
    ) -> "tuple[dict[str, Any], HostState]":
        """One of `hosts.clear`, `quarantine`, `release`, `withdraw`, `protect` on the host named; (what it is now, its
        state)."""
        from api.admin import hosts

        def work(tx: Tx, now: Micros) -> "tuple[dict[str, Any], HostState]":
            host = hosts.find_host(tx, who.tenant, name)
            state = deed(tx, who, host, **arguments, now=now, policy=self.policies.current(tx, who.tenant, now))
            return hosts.short_view(tx, hosts.find_host(tx, who.tenant, host.host_id)), state

        return await self.plain(work)

    async def mode(
        self, who: "Identity", mode: Mode | None, *, site: str = "", group: str = "", confirm: tuple[str, ...] = ()
    ) -> "ModeChange":
        """Change a mode; see `settings.set_mode`. The lines of the inventory that it confirms are confirmed first, in
        short works, and what follows from them is settled before anybody is moved."""
        from api.admin import settings

        who.require(Role.ADMIN)
        plan = await self.preview(who, mode, site=site, group=group, confirm=confirm)
        await self._confirm(who, [sha for sha, _ in plan.confirmed])

        def work(tx: Tx, now: Micros) -> "ModeChange":
            policy = self.policies.current(tx, who.tenant, now)
            return settings.set_mode(tx, who, mode, site=site, group=group, plan=plan, now=now, policy=policy)

        return await self.plain(work)

    async def _confirm(self, who: "Identity", shas: "list[Sha256]") -> None:
        """Confirm lines of the inventory, and settle the hosts that had started them undecided."""
        from radius_policy.judgement import inventory
        from radius_policy.judgement.policy import LISTS

        if not shas:
            return
        from api.admin.settle import in_short_works

        now = self.clock()
        waiting = await self.store.read(lambda tx: inventory.as_stored(tx, who.tenant, shas))
        await in_short_works(
            self.store, waiting, lambda tx, some: inventory.confirm(tx, who.tenant, some, author=who.name, now=now)
        )
        # The policy is read anew once, when all of them stand.
        await self.plain(lambda tx, _: tx.note(who.tenant, "settings", LISTS))
        open_ = set(await self.store.read(lambda tx: tx.pick(PostureReason, ("key",), tenant=who.tenant)))
        await self._settle(who, [sha for sha in shas if (sha,) in open_])

    async def preview(
        self, who: "Identity", mode: Mode | None, *, site: str = "", group: str = "", confirm: tuple[str, ...] = ()
    ) -> "judgement.Preview":
        """What `mode` would do, without doing it."""
        from api.admin import settings
        from radius_policy import judgement

        now = self.clock()

        def look(tx: Reading) -> judgement.Preview:
            value = settings.wanted_mode(tx, who.tenant, mode, site=site, group=group)
            policy = self.policies.current(tx, who.tenant, now)
            return judgement.preview_mode(tx, who.tenant, value, now=now, policy=policy, confirm=confirm)

        return await self.store.read(look)

    async def pause(self, who: "Identity", paused: bool, *, why: str = "") -> bool:
        """Stop all automatic moves, or let them go on; whether that changed anything."""
        from api.admin import settings

        def work(tx: Tx, now: Micros) -> bool:
            policy = self.policies.current(tx, who.tenant, now)
            return settings.set_pause(tx, who, paused, why=why, now=now, policy=policy)

        return await self.plain(work)

    async def plain(self, deed: Callable[[Tx, Micros], T]) -> T:
        """Any other deed: one transaction, then the bells."""
        now = self.clock()
        done = await self.store.write(lambda tx: deed(tx, now))
        self.rung()
        return done

    async def _settle(self, who: "Identity", shas: "list[Sha256] | tuple[Sha256, ...]") -> "Settled":
        from api.admin.settle import settle

        self.rung()
        return await settle(self.store, who.tenant, shas, policies=self.policies, clock=self.clock, rung=self.rung)

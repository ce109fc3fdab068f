"""Many list entries as one deed: previewed, carried out whole, undone by the batch, wide denies confirmed one by one.

Guarantees: the preview and the deed look at the same lines; what was done is one line in the audit, with the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api import audit
from api.admin.deeds import Desk
from api.admin.settle import Settled, settle
from api.auth.roles import Identity, Role
from api.errors import NotFound
from radius_policy.judgement import imports
from radius_policy.judgement.imports import Imported, Planned
from radius_policy.lists.sources import Entry
from radius_policy.model import Micros
from radius_policy.store.interface import Reading, Tx


@dataclass(frozen=True, slots=True)
class Batch:
    """What somebody wants to put on a list. `why` is said for all, each line may add its own text."""

    action: str
    lines: Sequence[Entry]
    why: str
    scope: str = "fleet"
    expires: Micros | None = None


async def preview(desk: Desk, who: Identity, batch: Batch) -> Planned:
    """What the batch would do, writing nothing."""
    who.require(Role.ADMIN)
    now = desk.clock()

    def look(tx: Reading) -> Planned:
        policy = desk.policies.current(tx, who.tenant, now)
        most = policy.limits.executable.places(policy.fleet)
        return imports.plan(
            tx, who.tenant, batch.lines, action=batch.action, author=who.name, why=batch.why, now=now,
            wide=imports.wide_by_store(tx, who.tenant, most), scope=batch.scope, expires=batch.expires,
        )  # fmt: skip

    return await desk.store.read(look)


async def carry_out(desk: Desk, who: Identity, planned: Planned, action: str) -> tuple[Imported, Settled]:
    """Do what was previewed and what follows from it."""
    who.require(Role.ADMIN)
    return await _done(desk, who, f"{action}.import", lambda tx: imports.carry_out(tx, who.tenant, planned))


async def undo(desk: Desk, who: Identity, batch: str) -> tuple[Imported, Settled]:
    """Take a batch back. Raises NotFound."""
    who.require(Role.ADMIN)
    return await _done(desk, who, "lists.undo", lambda tx: imports.undo(tx, who.tenant, batch, now=desk.clock()))


async def confirm(desk: Desk, who: Identity, entry_id: str) -> tuple[Imported, Settled]:
    """Confirm one proposed deny. Raises NotFound."""
    who.require(Role.ADMIN)
    return await _done(
        desk, who, "deny.confirm", lambda tx: imports.confirm(tx, who.tenant, entry_id, who.name), entry_id
    )


async def _done(
    desk: Desk, who: Identity, what: str, deed: imports.Deed, subject: str = ""
) -> tuple[Imported, Settled]:
    now = desk.clock()

    def work(tx: Tx) -> Imported:
        try:
            done = deed(tx)
        except LookupError as error:
            raise NotFound(str(error)) from error
        detail = {"batch": done.batch, "entries": done.entries, "proposed": done.proposed}
        audit.append(tx, who.tenant, at=now, who=who.name, what=what, subject=subject or done.batch, detail=detail)
        return done

    done = await desk.store.write(work)
    desk.rung()
    settled = await settle(
        desk.store, who.tenant, done.touched, policies=desk.policies, clock=desk.clock, rung=desk.rung
    )
    return done, settled

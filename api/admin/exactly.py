"""Quarantine exactly the hosts of a report: previewed, past the breaker (a person ordered it), never past the
never-quarantine list or a group's minimum. Each host is its own deed with its own audit line, so one refusal stops none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.admin import hosts
from api.auth.roles import Forbidden, Identity, Role
from api.errors import Refused
from radius_policy.model import Access, Host, HostId, HostState
from radius_policy.store.interface import Reading

if TYPE_CHECKING:
    from api.admin.deeds import Desk


@dataclass(frozen=True, slots=True)
class Planned:
    """What would become of one host: `why_not` says why it stays, '' where it is to be quarantined."""

    host_id: str
    host: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The hosts quarantined, and those that were not with the reason."""

    quarantined: tuple[str, ...]
    stayed: tuple[tuple[str, str], ...]


def preview(reading: Reading, who: Identity, host_ids: Iterable[str]) -> list[Planned]:
    """What `carry_out` would do now."""
    return [_planned(reading, who, host_id) for host_id in dict.fromkeys(host_ids)]


def _planned(reading: Reading, who: Identity, host_id: str) -> Planned:
    host = reading.get(Host, who.tenant, HostId(host_id))
    if host is None or not who.sees(host.site):
        return Planned(host_id, host_id, "there is no such endpoint")
    state = reading.get(HostState, who.tenant, host.host_id)
    if not who.may(Role.OPERATOR, host.site):
        return Planned(host_id, host.name, "this needs the role operator for its site")
    if host.never_quarantine:
        return Planned(host_id, host.name, "it is on the never-quarantine list")
    if state is not None and state.ordered == "quarantine":
        return Planned(host_id, host.name, f"it is quarantined already, by {state.ordered_by}")
    if state is not None and state.access is Access.BLOCKED:
        return Planned(host_id, host.name, "it is blocked already")
    return Planned(host_id, host.name)


async def carry_out(desk: "Desk", who: Identity, host_ids: Iterable[str], *, why: str) -> Done:
    """Quarantine them, one after another."""
    quarantined, stayed = [], []
    for planned in await desk.store.read(lambda tx: preview(tx, who, host_ids)):
        if planned.why_not:
            stayed.append((planned.host, planned.why_not))
            continue
        try:
            await desk.host(who, planned.host_id, hosts.quarantine, why=why)
        except (Refused, Forbidden) as error:
            stayed.append((planned.host, str(error)))
        else:
            quarantined.append(planned.host)
    return Done(tuple(quarantined), tuple(stayed))

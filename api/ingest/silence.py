"""Agents that fell silent: nobody is told by a message that does not come, so one task looks for it.

Guarantees: silence is counted by the service's clock and only while this service was up: after a restart every agent
has three heartbeats to be heard. An agent that fell silent makes one event, and its host's posture is worked out anew
(tables.md, Posture). Work is cut into small transactions.
"""

import asyncio
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from api.logs import logger
from radius_policy import judgement
from radius_policy.judgement.policy import Policy
from radius_policy.model import SECOND, Event, EventKind, Host, HostId, Micros, PostureReason, Severity, TenantId
from radius_policy.posture import SILENCE
from radius_policy.store.interface import Reading, StoreError, Tx

if TYPE_CHECKING:
    from api.service import Service

HEARTBEAT_S: Final = 30
SILENT_US: Final = 3 * HEARTBEAT_S * SECOND
LOOK_EVERY_S: Final = 5.0
BATCH: Final = 50


@dataclass(frozen=True, slots=True)
class Up:
    """Since when evidence could have been received."""

    since: Micros

    def silent(self, host: Host, now: Micros) -> bool:
        """Whether nothing was accepted from an enrolled agent for three heartbeats that it could have sent."""
        heard = max(host.last_evidence or 0, self.since)
        return bool(host.public_key) and now - heard > SILENT_US


def silent_hosts(tx: Reading, tenant: TenantId, up: Up, *, now: Micros) -> list[Host]:
    """Enrolled hosts that are silent and not known as that yet."""
    if now - up.since <= SILENT_US:
        return []
    quiet = tx.find(Host, tenant=tenant, order="last_evidence", before=now - SILENT_US)
    return [host for host in quiet if up.silent(host, now) and not known(tx, host)]


def note_silent(tx: Tx, tenant: TenantId, host_id: HostId, up: Up, *, now: Micros, policy: Policy) -> bool:
    """Work out the posture of a host that is still silent, and tell it once. Whether it was."""
    host = tx.get(Host, tenant, host_id)
    if host is None or not up.silent(host, now) or known(tx, host):
        return False
    since = max(host.last_evidence or 0, up.since)
    judgement.mark_silent(tx, tenant, host_id, since, now=now, policy=policy)
    return True


def wake(tx: Tx, host: Host, *, now: Micros, policy: Policy) -> None:
    """Evidence arrived. `host` is the record from before it; the new one is stored already."""
    if host.last_evidence is not None and now - host.last_evidence <= SILENT_US:
        return
    if judgement.forget_silence(tx, host.tenant, host.host_id, now=now, policy=policy) is None:
        return
    event = Event(
        host.tenant,
        uuid.uuid4().hex,
        now,
        EventKind.AGENT_BACK,
        Severity.INFO,
        host.host_id,
        f"The agent of {host.name} is heard again",
        host_id=host.host_id,
        site=host.site,
        facts={"last_evidence": host.last_evidence},
    )
    tx.put(event)
    tx.note(host.tenant, "event", event.id)


def known(tx: Reading, host: Host) -> bool:
    """Whether this host counts as silent already."""
    return tx.get(PostureReason, host.tenant, host.host_id, SILENCE) is not None


async def watch(service: "Service") -> None:
    """Look until cancelled."""
    up = Up(service.started)
    tenant = service.tenant
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        now = service.clock()
        try:
            found = await service.store.read(lambda tx: silent_hosts(tx, tenant, up, now=now))  # noqa: B023 - awaited here
            for start in range(0, len(found), BATCH):
                batch = [host.host_id for host in found[start : start + BATCH]]

                def work(tx: Tx, batch: list[HostId] = batch, now: Micros = now) -> int:
                    policy = service.policies.current(tx, tenant, now)
                    return sum(note_silent(tx, tenant, each, up, now=now, policy=policy) for each in batch)

                if await service.store.write(work):
                    service.ring()
        except StoreError as error:
            service.metrics.failures.labels("silence").inc()
            logger(__name__).error("silence_not_looked_for", error=str(error))

"""Which CA endpoints were enrolled with: kept in the store, so that a lost data folder is noticed at once."""

import uuid

from radius_policy.model import Event, EventKind, Host, Micros, Setting, Severity, TenantId
from radius_policy.store.interface import Tx

NAME = "authority"


def note(tx: Tx, tenant: TenantId, fingerprint: str, *, now: Micros) -> int:
    """Remember the CA in use. How many enrolled endpoints trust another one, when it changed; then people are told."""
    known = tx.get(Setting, tenant, NAME)
    if known is not None and known.value.get("fingerprint") == fingerprint:
        return 0
    version = known.version + 1 if known else 1
    tx.put(Setting(tenant, NAME, {"fingerprint": fingerprint}, version, "service", now))
    endpoints = tx.count(Host, tenant=tenant) if known else 0
    if not endpoints:
        return 0
    event = Event(
        tenant,
        uuid.uuid4().hex,
        now,
        EventKind.EVIDENCE_REFUSED,
        Severity.URGENT,
        "authority",
        f"The service has another CA than before: {endpoints} endpoints trust the former one and will refuse this service. "
        "Restore the folder tls in the data folder from the backup and restart, or enrol these endpoints again.",
        facts={"fingerprint": fingerprint, "endpoints": endpoints},
    )
    tx.put(event)
    tx.note(tenant, "event", event.id)
    return endpoints

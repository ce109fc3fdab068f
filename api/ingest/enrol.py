"""A one-time token becomes an endpoint: the only message that no key signs.

Guarantees: one transaction checks and uses up the token, so that of two that try at once one is refused; only hashes of
tokens are compared; a public key belongs to one endpoint for ever. A second enrolment under the same name is a new
endpoint with its own id: a name proves nothing. Its MACs are bound to it; the older one's bindings stay, and while any
endpoint of a MAC has a reason, the strictest access holds (tables.md, Access).
"""

import base64
import binascii
import uuid
from dataclasses import replace

from api.auth.passwords import digest
from api.problems import Problem
from health_agent.contract import Enrolment
from radius_policy import judgement
from radius_policy.judgement.policy import Policy
from radius_policy.model import (
    Event,
    EventKind,
    Host,
    HostId,
    Mac,
    MacBinding,
    Micros,
    Severity,
    TenantId,
    Token,
)
from radius_policy.store.interface import Tx


def enrol(tx: Tx, tenant: TenantId, asked: Enrolment, *, now: Micros, policy: Policy) -> Host:
    """The new endpoint. Raises Problem `token-unknown`, `token-used`, `token-expired`, `key-in-use` or `malformed`."""
    key = _key(asked.public_key)
    token = tx.get(Token, tenant, digest(asked.token))
    if token is None:
        raise Problem("token-unknown", "there is no such enrolment token; make one with: pratique enrol-token")
    if token.used_at is not None:
        raise Problem(
            "token-used",
            "this enrolment token was used before; each enrols one endpoint: pratique enrol-token makes another",
        )
    if token.expires <= now:
        raise Problem("token-expired", "this enrolment token has expired; make another with: pratique enrol-token")
    if tx.find(Host, tenant=tenant, public_key=key, limit=1):
        raise Problem(
            "key-in-use", "another endpoint has this key; remove the agent's identity, so that it makes a new one"
        )
    host = Host(
        tenant,
        HostId(str(uuid.uuid4())),
        asked.name,
        site=token.site,
        groups=token.groups,
        role=token.role,
        public_key=key,
        enrolled_at=now,
        last_evidence=now,
        agent_version=asked.agent_version,
    )
    tx.put(host, replace(token, used_at=now, used_by=host.host_id))
    tx.note(tenant, "host", host.host_id)
    bind(tx, host, asked.macs, now=now)
    judgement.refresh(tx, tenant, host.host_id, now=now, policy=policy)
    _tell(tx, host, asked, token, now)
    return host


def bind(tx: Tx, host: Host, macs: tuple[str, ...], *, now: Micros) -> bool:
    """These MACs are the host's from now on. Whether one is new."""
    new = False
    for mac in dict.fromkeys(macs):
        known = tx.get(MacBinding, host.tenant, Mac(mac), host.host_id)
        new |= known is None
        bound = known.bound_at if known else now
        tx.put(MacBinding(host.tenant, Mac(mac), host.host_id, bound, now))
    return new


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem("malformed", "public_key is no base64 text") from error
    if len(key) != 32:
        raise Problem("malformed", f"an Ed25519 public key has 32 octets, this one has {len(key)}")
    return key


def _tell(tx: Tx, host: Host, asked: Enrolment, token: Token, now: Micros) -> None:
    event = Event(
        host.tenant,
        uuid.uuid4().hex,
        now,
        EventKind.HOST_ENROLLED,
        Severity.INFO,
        host.host_id,
        f"{host.name} was enrolled at {host.site} with a token of {token.author or 'somebody'}",
        host_id=host.host_id,
        site=host.site,
        facts={"macs": list(asked.macs), "agent_version": asked.agent_version, "os": asked.os},
    )
    tx.put(event)
    tx.note(host.tenant, "event", event.id)

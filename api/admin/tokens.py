"""Making one-time enrolment tokens and API tokens. The secret is returned once; the store keeps its SHA-256."""

import secrets

from api import audit
from api.auth import passwords
from api.auth.roles import Identity, Role
from api.errors import Conflict, NotFound, Refused
from radius_policy.model import SECOND, ApiToken, Micros, TenantId, Token
from radius_policy.store.interface import Reading, Tx

MAX_MINUTES = 7 * 24 * 60


def make_enrolment_token(
    tx: Tx,
    who: Identity,
    *,
    site: str,
    minutes: int = 60,
    groups: tuple[str, ...] = (),
    role: str = "",
    now: Micros,
) -> tuple[str, Token]:
    """A token that enrols one endpoint into `site` within `minutes`: (secret, what is kept). Raises Refused."""
    who.require(Role.OPERATOR, site)
    if not 1 <= minutes <= MAX_MINUTES:
        raise Refused(f"a token lives between 1 and {MAX_MINUTES} minutes, not {minutes}")
    secret = secrets.token_urlsafe(32)
    token = Token(
        who.tenant,
        passwords.digest(secret),
        site,
        created=now,
        expires=now + minutes * 60 * SECOND,
        groups=groups,
        role=role,
        author=who.name,
    )
    tx.put(token)
    audit.append(
        tx, who.tenant, at=now, who=who.name, what="enrol-token.make", subject=site, detail={"minutes": minutes}
    )
    return secret, token


def make_api_token(
    tx: Tx, who: Identity, name: str, role: Role, *, days: int | None = None, now: Micros
) -> tuple[str, ApiToken]:
    """A bearer token for programs: (secret, what is kept). Raises Refused."""
    who.require(Role.ADMIN)
    if not name or len(name) > 100:
        raise Refused("a token needs a name of at most 100 characters: it stands in the audit for what the token does")
    if tx.find(ApiToken, tenant=who.tenant, name=name, limit=1):
        raise Conflict(f'there is a token named "{name}" already; remove it first or take another name')
    if days is not None and days < 1:
        raise Refused("a token lives at least one day")
    secret = passwords.secret(passwords.API_PREFIX)
    expires = now + days * 86_400 * SECOND if days else None
    token = ApiToken(who.tenant, passwords.digest(secret), name, role, created=now, expires=expires)
    tx.put(token)
    audit.append(tx, who.tenant, at=now, who=who.name, what="api-token.make", subject=name, detail={"role": str(role)})
    return secret, token


def api_tokens(tx: Reading, tenant: TenantId) -> list[ApiToken]:
    """All API tokens, oldest first."""
    return sorted(tx.find(ApiToken, tenant=tenant), key=lambda token: token.created)


def remove_api_token(tx: Tx, who: Identity, name: str, *, now: Micros) -> None:
    """It logs nobody in from now on. Raises NotFound."""
    who.require(Role.ADMIN)
    if not tx.delete(ApiToken, tenant=who.tenant, name=name):
        raise NotFound(f'there is no token named "{name}"')
    audit.append(tx, who.tenant, at=now, who=who.name, what="api-token.remove", subject=name)

"""People and what they set: logins, tokens, settings, the audit."""

from dataclasses import dataclass, field

from radius_policy.model.words import Micros, TenantId


@dataclass(frozen=True, slots=True)
class Setting:
    """One named setting of a tenant as JSON data; `version` rises with each change and old versions stay in the audit."""

    tenant: TenantId
    name: str
    value: dict[str, object]
    version: int
    author: str
    at: Micros


@dataclass(frozen=True, slots=True)
class User:
    """A person who may log in. `password` is an argon2 hash; a one-time password must be changed at the first login."""

    tenant: TenantId
    name: str
    role: str
    password: str
    sites: tuple[str, ...] = ()
    one_time: bool = False
    created: Micros = 0
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """A console session: only the SHA-256 of its cookie is kept."""

    tenant: TenantId
    hash: str
    user: str
    created: Micros
    expires: Micros
    csrf: str = ""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A bearer token for the REST API: only its SHA-256 is kept."""

    tenant: TenantId
    hash: str
    name: str
    role: str
    created: Micros
    expires: Micros | None = None
    last_used: Micros | None = None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who did what, when; `chain` is the SHA-256 over the line before and this one, so that a removed line shows."""

    tenant: TenantId
    number: int
    at: Micros
    who: str
    what: str
    subject: str = ""
    detail: dict[str, object] = field(default_factory=dict)
    chain: str = ""

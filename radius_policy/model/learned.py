"""What a fleet's past is worth to rules: precedents, the pilot ring, one-time passes, tool roles. Facts, never verdicts."""

from dataclasses import dataclass

from radius_policy.model.words import Micros, Sha256, TenantId, ToolRole, VerdictWord


@dataclass(frozen=True, slots=True)
class Precedent:
    """`sha256` is the executable that set it first. Of a version also its verdict, signature state and product."""

    tenant: TenantId
    kind: str
    key: str
    sha256: Sha256
    at: Micros
    verdict: VerdictWord = VerdictWord.ALLOWED
    signer_state: str | None = None
    product: str | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """How an executable fared on the pilot hosts. `users` are at most 16 different ones."""

    tenant: TenantId
    sha256: Sha256
    hosts: tuple[str, ...]
    users: tuple[str, ...]
    first: Micros
    incident: bool = False


@dataclass(frozen=True, slots=True)
class Pass:
    """An administrator's one-time pass for one content on one host."""

    tenant: TenantId
    host_id: str
    sha256: Sha256
    until: Micros
    author: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """An inventoried program with a role. `home` is its home folder, normalised as a place root ('' where it has
    none of its own), `makes` the family template of `facts/families.py` that it is the maker of.

    `trust` is set by the admin who confirms a deployment tool: `proof` (what it writes is proven) or `grace`
    (the managed-installer rule, with `hours` and `max_hosts`); '' means none yet.
    """

    tenant: TenantId
    sha256: Sha256
    role: ToolRole
    name: str = ""
    home: str = ""
    never_signed: bool = False
    makes: str = ""
    confirmed: bool = False
    trust: str = ""
    hours: int = 72
    max_hosts: int = 10
    author: str = "inventory"
    at: Micros = 0

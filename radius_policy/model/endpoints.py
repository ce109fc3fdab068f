"""Endpoints: who they are, which MACs they proved, what they are asked to do."""

from dataclasses import dataclass

from radius_policy.model.words import NO_HOST, HostId, Mac, Micros, Operation, TenantId


@dataclass(frozen=True, slots=True)
class Host:
    """An enrolled endpoint. `public_key` is the raw Ed25519 key (32 octets), empty for a forwarded source.

    `clock_offset_us` is what must be added to the endpoint's clock to get the service's, `clock_uncertainty_us`
    by how much that may be wrong. `cleared_at` is when a person last cleared it.
    """

    tenant: TenantId
    host_id: HostId
    name: str
    site: str = "main"
    groups: tuple[str, ...] = ()
    role: str = ""
    user: str = ""
    public_key: bytes = b""
    enrolled_at: Micros = 0
    last_evidence: Micros | None = None
    operation: Operation = Operation.NOTIFY
    sensor: str = ""
    agent_version: str = ""
    image: str = ""
    clock_offset_us: int = 0
    clock_uncertainty_us: int = 0
    cleared_at: Micros | None = None
    never_quarantine: bool = False


@dataclass(frozen=True, slots=True)
class MacBinding:
    """A MAC belongs to the endpoint that last proved it; several bindings of one MAC may be open (a dock)."""

    tenant: TenantId
    mac: Mac
    host_id: HostId
    bound_at: Micros
    proved_at: Micros


@dataclass(frozen=True, slots=True)
class Token:
    """A one-time enrolment token; only the SHA-256 (hexadecimal) of its secret is kept."""

    tenant: TenantId
    hash: str
    site: str
    created: Micros
    expires: Micros
    groups: tuple[str, ...] = ()
    role: str = ""
    author: str = ""
    used_at: Micros | None = None
    used_by: HostId = NO_HOST


@dataclass(frozen=True, slots=True)
class Evidence:
    """The id of a signed message that was recorded: a retry is answered again and changes nothing."""

    tenant: TenantId
    host_id: HostId
    message_id: str
    at: Micros


@dataclass(frozen=True, slots=True)
class AgentOrder:
    """Something an agent is asked to do (`action` is a word of the wire's `Action`); repeated in every answer until
    the agent names its `id`, as done (then it is forgotten) or as `refused` for the reason that it gives. Unlike `Order`
    it moves nothing in the network."""

    tenant: TenantId
    id: str
    host_id: HostId
    action: str
    created: Micros
    sha256: str = ""
    generation: int = 0
    refused: str = ""
    refused_at: Micros | None = None

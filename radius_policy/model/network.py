"""The network: switches, sessions, orders, and what RADIUS answers for a MAC."""

from dataclasses import dataclass, field
from enum import StrEnum

from radius_policy.model.words import Access, HostId, Mac, Micros, TenantId


@dataclass(frozen=True, slots=True)
class Nas:
    """A switch, access point or controller. (tenant, listener, address) identifies it; `secrets` are oldest last.

    `address` is the source address of its RADIUS packets, `coa_address` where CoA goes ('' = the same); its site's mode
    decides for MACs that no endpoint proved.
    """

    tenant: TenantId
    nas_id: str
    address: str
    secret: bytes
    listener: str = "default"
    name: str = ""
    profile: str = "generic"
    coa_address: str = ""
    coa_port: int | None = None
    coa_secret: bytes | None = None
    require_message_authenticator: bool = True
    site: str = "main"


@dataclass(frozen=True, slots=True)
class Session:
    """One endpoint's presence on a NAS port as the NAS told it. `ids` maps attribute number to the value's octets
    exactly as received, for the CoA; `session` is Acct-Session-Id (44) or, before accounting, a key of our own.

    `generation` and `access` are those of the last Accept or valid Class; `shown` says that accounting showed them,
    so that the port obeys them, and not only that we answered so. `presumed` says that `ended` is our own conclusion
    and not the NAS's word, so that its next message about the session opens it again."""

    tenant: TenantId
    nas_id: str
    session: bytes
    mac: Mac
    port: str = ""
    ids: dict[int, bytes] = field(default_factory=dict)
    started: Micros = 0
    updated: Micros = 0
    ended: Micros | None = None
    generation: int | None = None
    access: Access | None = None
    vlan: str = ""
    shown: bool = False
    presumed: bool = False


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The switch port at one of an endpoint's interfaces, as something else than accounting told it. `source` is `lldp` or
    `cdp` (the switch told the endpoint, and its agent us) or `mac-table` (a script asked the switch).

    One record for each stay: from `since` to `at`, when it was last heard. Its words are the endpoint's: they say where to
    look, and prove nothing."""

    tenant: TenantId
    host_id: HostId
    mac: Mac
    source: str
    since: Micros
    at: Micros
    switch: str
    port: str
    description: str = ""
    chassis: str = ""
    address: str = ""


class OrderState(StrEnum):
    """The states of a move (tables.md). `superseded` and `ended` are final besides `confirmed` and `not_confirmable`."""

    PLANNED = "planned"
    WAITING_FOR_SESSION = "waiting_for_session"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    NOT_CONFIRMED = "not_confirmed"
    FAILED = "failed"
    NOT_CONFIRMABLE = "not_confirmable"
    CONFIRMED = "confirmed"
    SUPERSEDED = "superseded"
    ENDED = "ended"


OPEN_STATES = frozenset(OrderState) - {
    OrderState.CONFIRMED,
    OrderState.NOT_CONFIRMABLE,
    OrderState.SUPERSEDED,
    OrderState.ENDED,
}


class Channel(StrEnum):
    """By which way an order reaches its host: the switch, the agent on it, or an admin's script."""

    NETWORK = "network"
    AGENT = "agent"
    SCRIPT = "script"


@dataclass(frozen=True, slots=True)
class Order:
    """One enforcement: an order of `generation` to bring `mac` to `access` on one session, and where it stands.

    `session` is None while waiting for one. `by` is `policy`, `admin` or `site`. `method` counts into the profile's
    methods, `tries` within it; `datagram`, `identifier` and `source_port` are what was sent, byte for byte, `named` the
    session that it names (`session` may be another one since), and `sent_at` when (0: never). `id_set` is which of the
    method's identification sets is used; `refreshed` whether it was planned anew with fresh identifiers once, after
    the NAS did not know the session; `told` whether people were told that it is not confirmed.
    """

    tenant: TenantId
    id: str
    host_id: HostId
    mac: Mac
    access: Access
    generation: int
    state: OrderState
    created: Micros
    changed: Micros
    channel: Channel = Channel.NETWORK
    nas_id: str = ""
    session: bytes | None = None
    by: str = "policy"
    tightens: bool = True
    method: int = 0
    tries: int = 0
    datagram: bytes = b""
    identifier: int | None = None
    source_port: int | None = None
    not_before: Micros = 0
    note: str = ""
    superseding: bool = False
    sent_at: Micros = 0
    id_set: int = 0
    refreshed: bool = False
    told: bool = False
    named: bytes | None = None


@dataclass(frozen=True, slots=True)
class MacAccess:
    """What RADIUS answers for one MAC: the snapshot's row."""

    tenant: TenantId
    mac: Mac
    host_id: HostId
    access: Access
    generation: int

"""The words of the design as values (design.md, Words). Everything here is frozen data; nothing decides.

Times are `Micros`: integers, microseconds since the Unix epoch, by the *service's* clock unless a name says
`endpoint`. MAC addresses are canonical text (`02:00:00:00:00:10`); what a NAS sent is kept beside it as bytes.
Every key of a stored thing begins with `tenant`: two tenants with the same MAC never see each other.
"""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NewType

Micros = int
"""Microseconds since the Unix epoch (UTC)."""

TenantId = NewType("TenantId", int)
HostId = NewType("HostId", str)
Mac = NewType("Mac", str)
Sha256 = NewType("Sha256", str)

DEFAULT_TENANT = TenantId(1)
SECOND: int = 1_000_000


class Posture(StrEnum):
    HEALTHY = "healthy"
    POTENTIAL_PROBLEM = "potential_problem"
    COMPROMISED = "compromised"
    UNMONITORED = "unmonitored"


class VerdictWord(StrEnum):
    ALLOWED = "allowed"
    GRACED = "graced"
    UNKNOWN = "unknown"
    DENIED = "denied"
    UNJUDGEABLE = "unjudgeable"


class Access(StrEnum):
    PRODUCTION = "production"
    GUEST = "guest"
    REMEDIATION = "remediation"
    BLOCKED = "blocked"

    @property
    def strictness(self) -> int:
        """0 (production) to 3 (blocked): the order in which access tightens (tables.md, Access)."""
        return tuple(Access).index(self)


class Mode(StrEnum):
    LEARN = "learn"
    MONITOR = "monitor"
    ENFORCE = "enforce"


class Operation(StrEnum):
    HOLD = "hold"
    NOTIFY = "notify"


class ToolRole(StrEnum):
    DEPLOYMENT = "deployment"
    PACKAGE_MANAGER = "package_manager"
    UPDATER = "updater"
    COMPILER = "compiler"
    INTERPRETER = "interpreter"
    SHELL = "shell"


class Outcome(StrEnum):
    """What a rule asks for. Only allow, grace and deny set a verdict; only move changes access (tables.md, Grace rules)."""

    ALLOW = "allow"
    GRACE = "grace"
    OBSERVE = "observe"
    ALERT = "alert"
    HOLD = "hold"
    DENY = "deny"
    CUT = "cut"
    ISOLATE = "isolate"
    MOVE = "move"
    RUN_SCRIPT = "run-script"


class Span(IntEnum):
    """How long a start that was not allowed ran (`spans.py`): nothing to look for, an hour at most, a day at most,
    longer or still."""

    NONE = 0
    HOUR = 1
    DAY = 2
    LONG = 3


class Severity(IntEnum):
    """Of an event for people: `info` goes to the digest, `warning` and up are mailed at once."""

    INFO = 0
    WARNING = 1
    URGENT = 2


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a decision came out as it did. `level` names the table row, `text` is a sentence for people,
    `ref` the rule, list entry or order that decided, `author` who is behind it (`inventory`, a login, `rule`)."""

    level: str
    text: str
    ref: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`until` bounds a grace; `outcomes` are what the deciding rule asks for besides (default `move` for an unknown)."""

    word: VerdictWord
    reason: Reason
    until: Micros | None = None
    outcomes: frozenset[Outcome] = frozenset()


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
class ParentRef:
    """One program of a parent chain, or a writer, as the endpoint named it."""

    path: str
    sha256: Sha256 | None = None
    pid: int | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Executable:
    """A content. `first_seen` is the first execution in the tenant, by corrected endpoint time; the signer fields
    and `provenance` are those of that first sighting."""

    tenant: TenantId
    sha256: Sha256
    kind: str = "other"
    size: int | None = None
    name: str = ""
    family: str = ""
    signer: str | None = None
    signer_state: str | None = None
    certificate: str | None = None
    product: str | None = None
    version: str | None = None
    first_seen: Micros = 0
    first_host: HostId = HostId("")


@dataclass(frozen=True, slots=True)
class Execution:
    """One start. `started` and `ended` are corrected to the service's clock, `uncertainty_us` says how well;
    `received` is when the service had it on disk. `sha256` is None when the content could not be read.

    `verdict`, `reason` and `until` are those of the moment it was judged ("verdict then"). `made_from` are its maker's
    inputs, `template` the fixed content that it matches, `in_transaction` says that its writer is a package manager
    at work; `judgeable` is False where the source never tells what was started (a 4688 without hash). `rules` is the version
    of the rules that judged it, `span` how long a window report looks for it (`spans.py`).
    """

    tenant: TenantId
    id: str
    host_id: HostId
    sha256: Sha256 | None
    path: str
    pid: int
    started: Micros
    received: Micros
    user: str = ""
    kind: str = "other"
    ended: Micros | None = None
    end_uncertain: bool = False
    uncertainty_us: int = 0
    sighting: bool = False
    held: bool = False
    ran: bool = True
    parents: tuple[ParentRef, ...] = ()
    provenance: str | None = None
    proven: bool = False
    writer: ParentRef | None = None
    interpreter: ParentRef | None = None
    signer: str | None = None
    signer_state: str | None = None
    certificate: str | None = None
    product: str | None = None
    version: str | None = None
    verdict: VerdictWord = VerdictWord.UNKNOWN
    reason: Reason = Reason("", "")
    until: Micros | None = None
    made_from: tuple[Sha256, ...] = ()
    template: str | None = None
    in_transaction: bool | None = None
    judgeable: bool = True
    rules: str = ""
    span: Span = Span.LONG


class ListKind(StrEnum):
    """On what a list entry matches (tables.md, Verdict 1 and 2)."""

    HASH = "hash"
    SIGNER = "signer"
    CERTIFICATE = "certificate"
    PRODUCT = "product"
    PACKAGE = "package"
    INSTALLER = "installer"


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One line of the allow or deny list. `scope` is `fleet`, `site:NAME`, `group:NAME` or `host:ID`.

    `value` is the hash, signer name, …; for `product` it is `SIGNER|PRODUCT|MINIMUM-VERSION`.
    `confirmed` is False for an unconfirmed inventory line or a `proposed` wide deny: such a line decides nothing.
    `name` says what the value is called, for people: the path of an inventory line.
    """

    tenant: TenantId
    id: str
    action: str
    kind: ListKind
    value: str
    scope: str = "fleet"
    author: str = ""
    why: str = ""
    ticket: str = ""
    created: Micros = 0
    expires: Micros | None = None
    confirmed: bool = True
    batch: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class PastEntry:
    """A list entry that was taken away, and when: what was allowed or denied at an earlier time stays known."""

    tenant: TenantId
    id: str
    removed: Micros
    kind: ListKind
    value: str
    entry: ListEntry


@dataclass(frozen=True, slots=True)
class PostureReason:
    """One cause of a posture: an executable that is unknown or denied and was started on this host.

    `key` is the SHA-256, or the execution's id where the content could not be read. It is gone when decided.
    `at` is the start that made it; a clear ends reasons older than it (tables.md, Posture).
    `move` says whether the outcome `move` is outstanding for it; `contained` whether the start was contained instead;
    `placed` whether the breaker gave the move its places: without them nobody is moved.
    """

    tenant: TenantId
    host_id: HostId
    key: str
    posture: Posture
    at: Micros
    reason: Reason
    move: bool = True
    contained: bool = False
    placed: bool = False
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class HostState:
    """What is decided about a host right now. `access` carries `generation`, which rises when it changes.

    `ordered` is the standing order for it: `quarantine` (until withdrawn), `release` (until a new reason) or ''.
    """

    tenant: TenantId
    host_id: HostId
    posture: Posture
    posture_reason: Reason
    access: Access
    access_reason: Reason
    generation: int
    since: Micros
    ordered: str = ""
    ordered_by: str = ""
    ordered_why: str = ""
    ordered_at: Micros = 0


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


class EventKind(StrEnum):
    """What an event is about: the words that routes, scripts and SIEMs match on (docs/reference/events)."""

    UNKNOWN_RAN = "unknown_ran"
    DENIED_RAN = "denied_ran"
    DENIED_REFUSED = "denied_refused"
    UNJUDGEABLE = "unjudgeable"
    HELD = "held"
    GRACED = "graced"
    GRACE_ENDING = "grace_ending"
    GRACE_ENDED = "grace_ended"
    LATE_UNKNOWN = "late_unknown"
    LATE_DENIED = "late_denied"
    BREAKER_TRIPPED = "breaker_tripped"
    TRIP_UNANSWERED = "trip_unanswered"
    TIED = "tied"
    PROTECTED = "protected"
    MOVED = "moved"
    RELEASED = "released"
    CLEARED = "cleared"
    MOVE_CONFIRMED = "move_confirmed"
    MOVE_NOT_CONFIRMED = "move_not_confirmed"
    MOVE_FAILED = "move_failed"
    HOST_ENROLLED = "host_enrolled"
    AGENT_SILENT = "agent_silent"
    AGENT_BACK = "agent_back"
    SENSOR_LOST = "sensor_lost"
    EVIDENCE_REFUSED = "evidence_refused"
    ORDER_REFUSED = "order_refused"
    ALLOWED = "allowed"
    DENIED = "denied"
    PAUSED = "paused"
    RESUMED = "resumed"
    CHANNEL_FAILED = "channel_failed"
    CHANNEL_BACK = "channel_back"
    SCRIPT_FAILED = "script_failed"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that people are told: stored in the deciding transaction, delivered by the alert worker.

    `kind` is one of the words of docs/reference/events; `facts` is plain JSON data for templates, scripts, SIEMs.
    `topic` groups events into one conversation (usually the hash).
    """

    tenant: TenantId
    id: str
    at: Micros
    kind: str
    severity: Severity
    topic: str
    text: str
    host_id: HostId = HostId("")
    sha256: str = ""
    site: str = ""
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MacAccess:
    """What RADIUS answers for one MAC: the snapshot's row."""

    tenant: TenantId
    mac: Mac
    host_id: HostId
    access: Access
    generation: int


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
    used_by: HostId = HostId("")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The id of a signed message that was recorded: a retry is answered again and changes nothing."""

    tenant: TenantId
    host_id: HostId
    message_id: str
    at: Micros


@dataclass(frozen=True, slots=True)
class Prevalence:
    """On how many endpoints of `scope` (`fleet`, `site:NAME`, `ring:NAME`) an executable was sighted, and when."""

    tenant: TenantId
    sha256: Sha256
    scope: str
    hosts: int
    first: Micros
    last: Micros


@dataclass(frozen=True, slots=True)
class HostExecutable:
    """One executable on one endpoint: its sighting (`first`), its last start, how it was judged at the sighting
    and the content facts of then (tables.md, Edges: new starts are judged with those and with lists as of now).
    `ran` is False as long as every start was refused."""

    tenant: TenantId
    host_id: HostId
    sha256: Sha256
    first: Micros
    last: Micros
    starts: int = 1
    path: str = ""
    verdict: VerdictWord = VerdictWord.UNKNOWN
    rule: str = ""
    facts: dict[str, object] = field(default_factory=dict)
    ran: bool = True


@dataclass(frozen=True, slots=True)
class GraceSlot:
    """One host's use of a grace: a slot is never given back; hours count from its first graced start."""

    tenant: TenantId
    rule: str
    sha256: str
    host_id: HostId
    at: Micros
    until: Micros


@dataclass(frozen=True, slots=True)
class BreakerPlace:
    """A place that a move took at one level (`executable:HASH`, `site:NAME`, `fleet`, `tenant`), in one window."""

    tenant: TenantId
    level: str
    host_id: HostId
    key: str
    at: Micros


@dataclass(frozen=True, slots=True)
class BreakerTrip:
    """A limit that was reached, since when, and what it contains. `ended` when an allow ended it."""

    tenant: TenantId
    level: str
    at: Micros
    reason: Reason
    ended: Micros | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one channel: the outbox row. `state` is `waiting`, `sent` or `given_up`.

    `event_id` is the event that opened it; those that joined it are `Joined` rows. `route`, `topic` and `kind` say
    which conversation it belongs to, `number` its place there, `opened` when the present run of messages began.
    `chain` are the route's channels in order, `failed` what those before said. `id` never changes: a message that is
    sent again after a crash carries the same Message-ID.
    """

    tenant: TenantId
    id: str
    event_id: str
    channel: str
    state: str
    created: Micros
    not_before: Micros
    tries: int = 0
    sent: Micros | None = None
    error: str = ""
    route: str = ""
    topic: str = ""
    kind: str = ""
    number: int = 1
    opened: Micros = 0
    chain: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """One event in one message of the outbox; `position` is its place there, from 0."""

    tenant: TenantId
    delivery_id: str
    event_id: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class Escalation:
    """An urgent matter of one route that waits until somebody says that they have it. `state` is `open`, `acknowledged`
    or `decided` (a person allowed, denied or released what it is about).

    `id` is that of the message that opened it. `told` counts the times it was told, the first message included; `names`
    are the people it went to since, `due` is when the next one hears of it.
    """

    tenant: TenantId
    id: str
    route: str
    topic: str
    kind: str
    event_id: str
    opened: Micros
    due: Micros
    state: str = "open"
    told: int = 1
    names: tuple[str, ...] = ()
    host_id: HostId = HostId("")
    sha256: str = ""
    site: str = ""
    ended: Micros | None = None
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """One run of a script for one event. `state` is `waiting`, `running`, or how it ended: `done`, `failed`, `dry_run`,
    `skipped`. `sequence` is its event's place among all changes, which is the order of the runs of one host."""

    tenant: TenantId
    id: str
    script: str
    event_id: str
    host_id: HostId
    kind: str
    state: str
    created: Micros
    not_before: Micros
    sequence: int
    tries: int = 0
    started: Micros | None = None
    ended: Micros | None = None
    exit_code: int | None = None
    output: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a worker (`name`, for example `alerts`) has worked through the change sequence."""

    tenant: TenantId
    name: str
    sequence: int


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

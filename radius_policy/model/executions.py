"""What ran: executables, their starts, and on which hosts they were sighted."""

from dataclasses import dataclass, field
from enum import IntEnum

from radius_policy.model.words import NO_HOST, NO_REASON, HostId, Micros, Reason, Sha256, TenantId, VerdictWord


class Span(IntEnum):
    """How long a start that was not allowed ran (`judgement/spans.py`): nothing to look for, an hour at most, a day at most,
    longer or still."""

    NONE = 0
    HOUR = 1
    DAY = 2
    LONG = 3


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
    first_host: HostId = NO_HOST


@dataclass(frozen=True, slots=True)
class Execution:
    """One start. `started` and `ended` are corrected to the service's clock, `uncertainty_us` says how well;
    `received` is when the service had it on disk. `sha256` is None when the content could not be read.

    `verdict`, `reason` and `until` are those of the moment it was judged ("verdict then"). `made_from` are its maker's
    inputs, `template` the fixed content that it matches, `in_transaction` says that its writer is a package manager
    at work; `judgeable` is False where the source never tells what was started (a 4688 without hash). `rules` is the version
    of the rules that judged it, `span` how long a window report looks for it (`judgement/spans.py`).
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
    reason: Reason = NO_REASON
    until: Micros | None = None
    made_from: tuple[Sha256, ...] = ()
    template: str | None = None
    in_transaction: bool | None = None
    judgeable: bool = True
    rules: str = ""
    span: Span = Span.LONG


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

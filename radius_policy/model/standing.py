"""What is decided about hosts: the reasons of a posture, the state, the places and trips of the breaker."""

import hashlib
from dataclasses import dataclass

from radius_policy.model.words import Access, HostId, Micros, Outcome, Posture, Reason, TenantId


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
class BreakerPlace:
    """A place that a move took at one level (`executable:HASH`, `site:NAME`, `fleet`, `tenant`), in one window."""

    tenant: TenantId
    level: str
    host_id: HostId
    key: str
    at: Micros


@dataclass(frozen=True, slots=True)
class BreakerTrip:
    """A limit that was reached, since when, and what it contains. `ended` when an allow ended it, or its window was over.

    `answer` is what was said about it other than allow or deny (`keep`, `quarantine`, `release`), `answered_by` by whom
    (a login, or `site` for the site's choice where nobody answered) and `answered` when.
    """

    tenant: TenantId
    level: str
    at: Micros
    reason: Reason
    ended: Micros | None = None
    answer: str = ""
    answered_by: str = ""
    answered: Micros | None = None

    @property
    def id(self) -> str:
        """What it is called wherever it is told: 16 hexadecimal digits."""
        return hashlib.sha256(f"{self.level}\0{self.at}".encode()).hexdigest()[:16]

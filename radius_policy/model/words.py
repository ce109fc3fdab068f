"""Words and identifiers that everything else is made of; and `Reason` and `Verdict`, the decisions as values."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NewType

Micros = int
"""Microseconds since the Unix epoch (UTC)."""


TenantId = NewType("TenantId", int)
"""Whose network it is; it stands first in every key."""
HostId = NewType("HostId", str)
"""An endpoint: a UUID as text, given at enrolment."""
Mac = NewType("Mac", str)
"""A MAC address as `02:00:00:00:00:2a`: six pairs of lower-case hexadecimal digits with colons."""
Sha256 = NewType("Sha256", str)
"""An executable: the SHA-256 of its content as 64 lower-case hexadecimal digits."""
DEFAULT_TENANT = TenantId(1)
NO_HOST = HostId("")
"""In the place of a host where there is none."""


SECOND: int = 1_000_000


class Posture(StrEnum):
    """What an endpoint's open reasons make of it (`posture.py`)."""

    HEALTHY = "healthy"
    POTENTIAL_PROBLEM = "potential_problem"
    COMPROMISED = "compromised"
    UNMONITORED = "unmonitored"


class VerdictWord(StrEnum):
    """What an executable is, here and now (`verdict.py`). `unjudgeable`: its source never tells what was started."""

    ALLOWED = "allowed"
    GRACED = "graced"
    UNKNOWN = "unknown"
    DENIED = "denied"
    UNJUDGEABLE = "unjudgeable"


class Access(StrEnum):
    """What the network gives an endpoint (`access.py`); each but `blocked` has a VLAN. The order is that of strictness."""

    PRODUCTION = "production"
    GUEST = "guest"
    REMEDIATION = "remediation"
    BLOCKED = "blocked"

    @property
    def strictness(self) -> int:
        """0 (production) to 3 (blocked): the order in which access tightens (tables.md, Access)."""
        return tuple(Access).index(self)


class Mode(StrEnum):
    """How far a site or group is trusted to the policy: `learn` records, `monitor` tells too, `enforce` also moves."""

    LEARN = "learn"
    MONITOR = "monitor"
    ENFORCE = "enforce"


class Operation(StrEnum):
    """How an agent meets an unknown: `hold` (the kernel waits for the verdict) or `notify` (it runs, we hear at once)."""

    HOLD = "hold"
    NOTIFY = "notify"


class ToolRole(StrEnum):
    """What an inventoried executable is trusted to do; proposed from the inventory, confirmed by an admin."""

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


NO_REASON = Reason("", "")
"""Of what nobody has decided yet."""

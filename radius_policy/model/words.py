"""Words and identifiers that everything else is made of; and `Reason` and `Verdict`, the decisions as values."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NewType

Micros = int
"""Microseconds since the Unix epoch (UTC)."""


TenantId = NewType("TenantId", int)


HostId = NewType("HostId", str)


Mac = NewType("Mac", str)


Sha256 = NewType("Sha256", str)


DEFAULT_TENANT = TenantId(1)
NO_HOST = HostId("")
"""In the place of a host where there is none."""


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

"""The words of the design as values (design.md, Words). Everything here is frozen data; nothing decides.

Times are `Micros`: integers, microseconds since the Unix epoch, by the *service's* clock unless a name says
`endpoint`. MAC addresses are canonical text (`02:00:00:00:00:10`); what a NAS sent is kept beside it as bytes.
Every key of a stored thing begins with `tenant`: two tenants with the same MAC never see each other.
"""

from radius_policy.model.endpoints import AgentOrder, Evidence, Host, MacBinding, Token
from radius_policy.model.executions import Executable, Execution, HostExecutable, ParentRef, Prevalence, Span
from radius_policy.model.learned import Pass, Precedent, Ring, Tool
from radius_policy.model.lists import GraceSlot, ListEntry, Listing, ListKind, PastEntry
from radius_policy.model.network import OPEN_STATES, Channel, MacAccess, Nas, Neighbour, Order, OrderState, Session
from radius_policy.model.people import ApiToken, AuditLine, Login, Setting, User
from radius_policy.model.standing import BreakerPlace, BreakerTrip, HostState, PostureReason
from radius_policy.model.telling import Cursor, Delivery, Escalation, Event, EventKind, Joined, ScriptRun
from radius_policy.model.words import (
    DEFAULT_TENANT,
    SECOND,
    Access,
    HostId,
    Mac,
    Micros,
    Mode,
    Operation,
    Outcome,
    Posture,
    Reason,
    Severity,
    Sha256,
    TenantId,
    ToolRole,
    Verdict,
    VerdictWord,
)

__all__ = [
    "DEFAULT_TENANT",
    "OPEN_STATES",
    "SECOND",
    "Access",
    "AgentOrder",
    "ApiToken",
    "AuditLine",
    "BreakerPlace",
    "BreakerTrip",
    "Channel",
    "Cursor",
    "Delivery",
    "Escalation",
    "Event",
    "EventKind",
    "Evidence",
    "Executable",
    "Execution",
    "GraceSlot",
    "Host",
    "HostExecutable",
    "HostId",
    "HostState",
    "Joined",
    "ListEntry",
    "ListKind",
    "Listing",
    "Login",
    "Mac",
    "MacAccess",
    "MacBinding",
    "Micros",
    "Mode",
    "Nas",
    "Neighbour",
    "Operation",
    "Order",
    "OrderState",
    "Outcome",
    "ParentRef",
    "Pass",
    "PastEntry",
    "Posture",
    "PostureReason",
    "Precedent",
    "Prevalence",
    "Reason",
    "Ring",
    "ScriptRun",
    "Session",
    "Setting",
    "Severity",
    "Sha256",
    "Span",
    "TenantId",
    "Token",
    "Tool",
    "ToolRole",
    "User",
    "Verdict",
    "VerdictWord",
]

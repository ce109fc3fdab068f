"""What the network side tells the store and what the store makes of it, as values: the words of `moves.py`.

A fact is one thing that happened, with the time it happened at. Facts are booked in their order, some of them together
in one transaction; `Booked` is what that made.
"""

from collections import Counter
from dataclasses import dataclass, field

from radius_policy.enforcement.table import Happens
from radius_policy.model import Micros, Order, Session, TenantId
from radius_policy.radius.server import Answered
from radius_policy.radius.sessions import Heard


@dataclass(frozen=True, slots=True)
class Sent:
    """A planned order's datagram left; `named` is the session that it names."""

    tenant: TenantId
    order_id: str
    method: int
    identifier: int
    source_port: int
    datagram: bytes
    named: bytes
    at: Micros


@dataclass(frozen=True, slots=True)
class Replied:
    """The NAS answered an order's datagram, the one with this identifier."""

    tenant: TenantId
    order_id: str
    identifier: int
    ack: bool
    cause: int | None
    retransmitted: bool
    at: Micros


@dataclass(frozen=True, slots=True)
class Happened:
    """Something else befell an order: time, a pause, a restart, no way to send it."""

    tenant: TenantId
    order_id: str
    what: Happens
    at: Micros
    text: str = ""


Fact = Answered | Heard | Sent | Replied | Happened


@dataclass(frozen=True, slots=True)
class Loaded:
    """An order with what sending it needs: its session as it is, and whether no other MAC has one on that port."""

    order: Order
    session: Session | None = None
    alone: bool = True


@dataclass(slots=True)
class Booked:
    """What a batch made: the orders it was about as they are now (changed or not), those whose sending it booked,
    requests to stop repeating, and counters."""

    orders: dict[str, Loaded] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    events: int = 0

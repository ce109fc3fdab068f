"""A host's standing: its posture and access worked out anew from what is open for it, and carried to the network.

Guarantees: `refresh` is idempotent: nothing is written, noted or ordered where nothing changed. A host's access takes
a new generation only when its value changes; a MAC that several hosts proved gets the strictest access among them.
Orders are planned in the same transaction that decides.

What it does not do: it opens and closes no reason, takes no breaker place and counts nobody's grace.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from radius_policy import access as access_table
from radius_policy import posture
from radius_policy.access import Ordered, Situation
from radius_policy.enforcement import planning
from radius_policy.judgement.policy import Policy
from radius_policy.model import (
    OPEN_STATES,
    Access,
    Event,
    Host,
    HostId,
    HostState,
    Mac,
    MacAccess,
    MacBinding,
    Micros,
    Mode,
    Order,
    OrderState,
    Posture,
    PostureReason,
    Reason,
    Session,
    Severity,
    TenantId,
)
from radius_policy.store.interface import Tx

NEVER_DECIDED = Reason("new", "nothing was decided for it yet")
_UNSENT = frozenset({OrderState.PLANNED, OrderState.WAITING_FOR_SESSION})


def new_id() -> str:
    """A random id: 32 hexadecimal digits."""
    return uuid.uuid4().hex


class UnknownHost(LookupError):
    """There is no endpoint of this id in this tenant."""


@dataclass(slots=True)
class Desk:
    """What one transaction knows of a host and has decided so far. Mutable, and gone with the transaction.

    `parent` is the path of the program whose child is being judged, `bundle` what came together with it;
    `joined` says that people hear of it in the alert about a wider limit, not in one of its own. `first_seen` is when the
    executable was first started in the fleet, `newcomer` that this is that start."""

    tx: Tx
    policy: Policy
    now: Micros
    host: Host
    reasons: dict[str, PostureReason]
    state: HostState
    events: list[Event] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    make_id: Callable[[], str] = new_id
    parent: str = ""
    bundle: str = ""
    joined: bool = False
    first_seen: Micros = 0
    newcomer: bool = False

    @property
    def tenant(self) -> TenantId:
        return self.host.tenant

    @property
    def mode(self) -> Mode:
        return self.policy.mode_of(self.host)

    def tell(
        self,
        kind: str,
        severity: Severity,
        text: str,
        *,
        topic: str = "",
        sha256: str = "",
        **facts: object,
    ) -> None:
        """Store an event for people and note it; `topic` groups it with others (default: the host)."""
        if self.policy.replay and severity is Severity.INFO:
            return  # nobody reads the digest of a replay
        event = Event(
            self.tenant,
            self.make_id(),
            self.now,
            kind,
            severity,
            topic or self.host.host_id,
            text,
            self.host.host_id,
            sha256,
            self.host.site,
            facts,
        )
        self.events.append(event)
        self.tx.put(event)
        self.tx.note(self.tenant, "event", event.id)


def desk_for(
    tx: Tx,
    tenant: TenantId,
    host_id: HostId,
    *,
    now: Micros,
    policy: Policy,
    host: Host | None = None,
    make_id: Callable[[], str] = new_id,
) -> Desk:
    """Read what is needed about one host. `UnknownHost` where there is none."""
    host = host or tx.get(Host, tenant, host_id)
    if host is None:
        raise UnknownHost(f"there is no endpoint {host_id!r}")
    reasons = {reason.key: reason for reason in tx.find(PostureReason, tenant=tenant, host_id=host_id)}
    state = tx.get(HostState, tenant, host_id) or blank_state(host)
    return Desk(tx, policy, now, host, reasons, state, make_id=make_id)


def blank_state(host: Host) -> HostState:
    """Before the first decision: generation 0, which no decision ever has."""
    return HostState(
        host.tenant, host.host_id, Posture.UNMONITORED, NEVER_DECIDED, Access.PRODUCTION, NEVER_DECIDED, 0, 0
    )


def refresh(tx: Tx, tenant: TenantId, host_id: HostId, *, now: Micros, policy: Policy, by: str = "policy") -> HostState:
    """Work out posture and access of one host anew, plan what follows, and return its state.

    To be called after anything that the tables look at changed: a binding, evidence after silence, a setting.
    """
    tx.serialize(tenant)
    desk = desk_for(tx, tenant, host_id, now=now, policy=policy)
    settle(desk, by=by)
    _answer_macs(desk, by=by)
    return desk.state


def situation(desk: Desk, of_posture: Posture, why: Reason) -> Situation:
    """The situation of the access table. `now` and the group's minimum are read only where they can matter."""
    host, policy, state = desk.host, desk.policy, desk.state
    ordered = Ordered(state.ordered == "quarantine", state.ordered_by, state.ordered_why) if state.ordered else None
    asked = Situation(
        posture=of_posture,
        posture_reason=why,
        now=state.access,
        reasons=tuple(desk.reasons.values()),
        mode=desk.mode,
        paused=policy.paused,
        never_quarantine=host.never_quarantine,
        ordered=ordered,
        choices=policy.choices_of(host.site),
    )
    would, _ = access_table.below(asked)
    tightening = would is not Access.PRODUCTION or (ordered is not None and ordered.quarantine)
    if not tightening and state.access is Access.PRODUCTION:
        return asked
    capped = asked.mode is not Mode.ENFORCE or asked.paused or asked.all_contained
    group = short_group(desk) if tightening and host.groups else ""
    if capped or group:
        asked = replace(asked, now=access_now(desk), min_available_of=group)
    return asked


def short_group(desk: Desk) -> str:
    """The group that would fall below its `min_available` if this host left production; '' where none would.

    Working = in production with accepted evidence, counted in this transaction.
    """
    if desk.state.access is not Access.PRODUCTION:
        return ""
    for group in desk.host.groups:
        least = desk.policy.min_available.get(group, 0)
        if least and working(desk, group) - 1 < least:
            return group
    return ""


def working(desk: Desk, group: str) -> int:
    """How many hosts of a group work: in production with accepted evidence, or this desk's own."""
    count = 0
    for host in desk.tx.find(Host, tenant=desk.tenant):
        if group not in host.groups:
            continue
        state = desk.state if host.host_id == desk.host.host_id else desk.tx.get(HostState, desk.tenant, host.host_id)
        heard = host.last_evidence is not None and desk.now - host.last_evidence <= desk.policy.silent_after
        if state is not None and state.access is Access.PRODUCTION and (heard or host.host_id == desk.host.host_id):
            count += 1
    return count


def access_now(desk: Desk) -> Access:
    """The last access that an Accept gave or a sent order carries; where the network was never told, as decided."""
    tx, tenant = desk.tx, desk.tenant
    orders = tx.find(Order, tenant=tenant, host_id=desk.host.host_id, order="created", descending=True, limit=20)
    told = [(order.generation, order.access) for order in orders if order.state not in _UNSENT and _was_sent(order)]
    told += [
        (session.generation, session.access)
        for session in _sessions(desk, _macs(desk))
        if session.generation is not None and session.access is not None
    ]
    if told:
        return max(told, key=lambda each: each[0])[1]
    return Access.PRODUCTION if orders else desk.state.access


def _was_sent(order: Order) -> bool:
    return bool(order.datagram) or order.state not in (OrderState.SUPERSEDED, OrderState.ENDED)


def settle(desk: Desk, *, by: str = "policy") -> None:
    """Bring the host's state up to date with its reasons; orders and MAC answers follow a change of access."""
    monitored = bool(desk.host.public_key) or bool(desk.host.sensor) or desk.host.last_evidence is not None
    of_posture, why = posture.posture(desk.reasons.values(), monitored=monitored)
    given, because = access_table.access(situation(desk, of_posture, why))
    was = desk.state
    same = (was.posture, was.posture_reason, was.access, was.access_reason) == (of_posture, why, given, because)
    if same and was.generation:
        return
    moved = given is not was.access
    generation = desk.tx.next_generation(desk.tenant) if moved or not was.generation else was.generation
    desk.state = replace(
        was,
        posture=of_posture,
        posture_reason=why,
        access=given,
        access_reason=because,
        generation=generation,
        since=desk.now if moved or not was.generation else was.since,
    )
    desk.tx.put(desk.state)
    desk.tx.note(desk.tenant, "host", desk.host.host_id)
    if moved or not was.generation:
        _answer_macs(desk, by=by)
    if moved:
        _tell_move(desk, was)


def _tell_move(desk: Desk, was: HostState) -> None:
    state, name = desk.state, desk.host.name
    if state.access.strictness > was.access.strictness:
        text = f"{name} moves from {was.access} to {state.access}: {state.access_reason.text}"
        desk.tell("moved", Severity.INFO, text, access=state.access.value, generation=state.generation)
    else:
        text = f"{name} returns from {was.access} to {state.access}: {state.access_reason.text}"
        desk.tell("released", Severity.INFO, text, access=state.access.value, generation=state.generation)


def _macs(desk: Desk) -> list[Mac]:
    return [each.mac for each in desk.tx.find(MacBinding, tenant=desk.tenant, host_id=desk.host.host_id)]


def _sessions(desk: Desk, macs: Iterable[Mac]) -> list[Session]:
    wanted = list(macs)
    return desk.tx.find(Session, tenant=desk.tenant, mac=wanted, ended=None) if wanted else []


def _answer_macs(desk: Desk, *, by: str) -> None:
    """What RADIUS answers for each MAC of the host, and the orders that carry a change of it to the network."""
    changed: dict[tuple[Access, int], list[Mac]] = {}
    tightens: dict[tuple[Access, int], bool] = {}
    macs = _macs(desk)
    sessions = _sessions(desk, macs)
    for mac in macs:
        before = desk.tx.get(MacAccess, desk.tenant, mac)
        strictest = _strictest(desk, mac)
        if before is not None and before.access is strictest.access:
            if before.host_id != strictest.host_id:
                desk.tx.put(replace(before, host_id=strictest.host_id))
            continue
        generation = strictest.generation
        if before is not None and before.generation >= generation:
            generation = desk.tx.next_generation(desk.tenant)
        desk.tx.put(MacAccess(desk.tenant, mac, strictest.host_id, strictest.access, generation))
        desk.tx.note(desk.tenant, "access", mac)
        if before is None:
            shown = {session.access for session in sessions if session.mac == mac and session.access is not None}
            least = min((each.strictness for each in shown), default=Access.PRODUCTION.strictness)
            if not shown - {strictest.access} and (shown or strictest.access is Access.PRODUCTION):
                continue  # nothing on the network says otherwise
        else:
            least = before.access.strictness
        key = (strictest.access, generation)
        changed.setdefault(key, []).append(mac)
        tightens[key] = strictest.access.strictness > least
    if not changed:
        return
    wanted = [mac for each in changed.values() for mac in each]
    open_orders = desk.tx.find(Order, tenant=desk.tenant, mac=wanted, state=list(OPEN_STATES))
    for (given, generation), its in changed.items():
        planned = planning.plan(
            tenant=desk.tenant,
            host_id=desk.host.host_id,
            macs=tuple(its),
            sessions=tuple(session for session in sessions if session.mac in its),
            open_orders=tuple(order for order in open_orders if order.mac in its),
            access=given,
            generation=generation,
            tightens=tightens[given, generation],
            by=by,
            now=desk.now,
            new_id=desk.make_id,
        )
        desk.orders.extend(planned)
        desk.tx.put(*planned)
        for order in planned:
            desk.tx.note(desk.tenant, "order", order.id)


def _strictest(desk: Desk, mac: Mac) -> HostState:
    """The strictest state among the endpoints of a MAC; an undecided or compromised one holds (tables.md, Access)."""
    states = [desk.state]
    for other in desk.tx.find(MacBinding, tenant=desk.tenant, mac=mac):
        if other.host_id != desk.host.host_id:
            state = desk.tx.get(HostState, desk.tenant, other.host_id)
            if state is not None:
                states.append(state)
    return max(states, key=lambda state: (state.access.strictness, state.host_id == desk.host.host_id))

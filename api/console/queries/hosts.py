"""Hosts: the list with posture and access, and everything about one of them, with the chain of reasons."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from api import words
from api.console.queries.common import CHUNK, HostLine, host_lines, standings
from api.console.queries.events import EventLine, event_lines
from api.ingest import orders as agent_orders
from radius_policy.model import (
    Executable,
    Execution,
    Host,
    HostExecutable,
    HostState,
    MacBinding,
    Micros,
    Nas,
    Order,
    OrderState,
    Posture,
    PostureReason,
    Session,
    TenantId,
)
from radius_policy.store.interface import Reading

PAGE = 50
SCANNED = 50_000
"""A search by part of a name looks through so many hosts."""


@dataclass(frozen=True, slots=True)
class HostPage:
    """One page of the list. `number` counts from 1, `total` the hosts that match."""

    lines: tuple[HostLine, ...]
    number: int
    pages: int
    total: int
    sites: tuple[str, ...]


def host_page(
    reading: Reading,
    tenant: TenantId,
    *,
    posture: str = "",
    site: str = "",
    search: str = "",
    executable: str = "",
    number: int = 1,
    sites: Collection[str] = (),
) -> HostPage:
    """`search` is part of a name, of a MAC or of a user's name; `executable` a hash that ran there. Ordered by name."""
    equals: dict[str, Any] = {"site": list(sites)} if sites else {}
    hosts = reading.find(Host, tenant=tenant, order="name", limit=SCANNED, **equals)
    known_sites = tuple(sorted({words.visible(host.site) for host in hosts}))
    if site:
        hosts = [host for host in hosts if host.site == site]
    if search:
        hosts = _matching(reading, tenant, hosts, search.strip().casefold())
    if executable:
        ran = {sighting.host_id for sighting in reading.find(HostExecutable, tenant=tenant, sha256=executable)}
        hosts = [host for host in hosts if host.host_id in ran]
    if posture:
        wanted = {state.host_id for state in reading.find(HostState, tenant=tenant, posture=Posture(posture))}
        hosts = [host for host in hosts if host.host_id in wanted]
    pages = max(1, -(-len(hosts) // PAGE))
    number = min(max(1, number), pages)
    shown = [host.host_id for host in hosts[(number - 1) * PAGE : number * PAGE]]
    lines = host_lines(reading, tenant, shown)
    return HostPage(
        tuple(lines[host_id] for host_id in shown if host_id in lines), number, pages, len(hosts), known_sites
    )


def _matching(reading: Reading, tenant: TenantId, hosts: list[Host], search: str) -> list[Host]:
    compact = search.replace("-", ":")
    by_mac: set[str] = set()
    if len(compact) >= 5 and set(compact) <= set("0123456789abcdef:"):
        by_mac = {b.host_id for b in reading.find(MacBinding, tenant=tenant) if compact in b.mac}
    return [
        host
        for host in hosts
        if search in host.name.casefold()
        or search in host.user.casefold()
        or host.host_id == search
        or host.host_id in by_mac
    ]


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain of reasons, from what ran to what the network gave."""

    title: str
    text: str
    tone: str = "quiet"
    at: Micros | None = None
    link: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order to the network and how far it came; only `confirmed` is done."""

    created: Micros
    changed: Micros
    mac: str
    access: str
    state: str
    tone: str
    nas: str
    by: str
    note: str
    open: bool
    generation: int


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """Something the agent was asked to do and cannot."""

    action: str
    sha256: str
    reason: str
    at: Micros | None


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One presence on a switch port."""

    mac: str
    nas: str
    port: str
    vlan: str
    started: Micros
    updated: Micros
    ended: Micros | None


@dataclass(frozen=True, slots=True)
class ExecutionLine:
    """One start on this host."""

    sha256: str
    name: str
    path: str
    user: str
    parent: str
    started: Micros
    ended: Micros | None
    end_uncertain: bool
    verdict: str
    reason: str
    ran: bool


@dataclass(frozen=True, slots=True)
class HostView:
    """Everything about one host."""

    line: HostLine
    host: Host
    macs: tuple[str, ...]
    chain: tuple[Step, ...]
    orders: tuple[OrderLine, ...]
    sessions: tuple[SessionLine, ...]
    executions: tuple[ExecutionLine, ...]
    events: tuple[EventLine, ...]
    generation: int
    ordered: str
    refused: tuple[RefusedLine, ...]


def host_view(reading: Reading, tenant: TenantId, host_id: str, now: Micros) -> HostView | None:
    """None where there is no such host."""
    host = reading.get(Host, tenant, host_id)
    if host is None:
        return None
    line = host_lines(reading, tenant, [host_id])[host_id]
    state = reading.get(HostState, tenant, host_id)
    macs = tuple(sorted(binding.mac for binding in reading.find(MacBinding, tenant=tenant, host_id=host_id)))
    orders = reading.find(Order, tenant=tenant, host_id=host_id, order="created", descending=True, limit=20)
    sessions = reading.find(Session, tenant=tenant, mac=list(macs)) if macs else []
    sessions.sort(key=lambda session: (session.ended is None, session.updated), reverse=True)
    nas_names = _nas_names(reading, tenant, {*(o.nas_id for o in orders), *(s.nas_id for s in sessions[:20])})
    return HostView(
        line=line,
        host=host,
        macs=macs,
        chain=tuple(_chain(reading, host, state, orders, now)),
        orders=tuple(_order_line(order, nas_names) for order in orders),
        sessions=tuple(_session_line(session, nas_names) for session in sessions[:20]),
        executions=tuple(_executions(reading, tenant, host_id)),
        events=tuple(event_lines(reading, tenant, limit=30, host_id=host_id)),
        generation=state.generation if state else 0,
        ordered=words.visible(state.ordered) if state else "",
        refused=tuple(
            RefusedLine(
                order.action.replace("_", " "), order.sha256, words.visible(order.refused, 300), order.refused_at
            )
            for order in agent_orders.refusals(reading, tenant, host.host_id)[:20]
        ),
    )


def _chain(reading: Reading, host: Host, state: HostState | None, orders: list[Order], now: Micros) -> list[Step]:
    """What ran → posture → access → orders, each with its reason."""
    steps = []
    tenant = host.tenant
    reasons = reading.find(PostureReason, tenant=tenant, host_id=host.host_id)
    reasons.sort(key=lambda reason: reason.at)
    keys = [reason.key for reason in reasons][-10:]
    standing = standings(reading, tenant, keys, now)
    names: dict[str, str] = {each.sha256: each.name for each in _executables(reading, tenant, keys)}
    for reason in reasons[-10:]:
        name = words.visible(words.base_name(names.get(reason.key, ""))) or reason.key[:12]
        now_word = standing[reason.key].word
        what = (
            "contained, the host stays" if reason.contained else "asks for the move" if reason.move else "no move asked"
        )
        steps.append(
            Step(
                f"{name} ran and is {now_word}",
                f"{words.visible(reason.reason.text, 500)} ({what})",
                "bad" if reason.posture is Posture.COMPROMISED else "warn",
                reason.at,
                f"executables/{reason.key}" if reason.key in names else "",
                words.visible(reason.reason.author, 80),
            )
        )
    if state is None:
        return [*steps, Step("Nothing decided yet", "the host is enrolled, but has not reported")]
    tone = {"healthy": "good", "compromised": "bad", "potential_problem": "warn"}.get(state.posture, "quiet")
    posture, access = state.posture_reason, state.access_reason
    steps.append(
        Step(f"Posture: {words.POSTURE[state.posture]}", words.visible(posture.text, 500), tone, author=posture.author)
    )
    steps.append(
        Step(
            f"Access: {state.access}",
            words.visible(access.text, 500),
            "good" if state.access == "production" else "warn",
            state.since,
            author=words.visible(access.author, 80),
        )
    )
    current = [order for order in orders if order.generation == state.generation]
    steps += [
        Step(
            f"Order for {order.mac}: {words.ORDER[order.state]}",
            words.visible(order.note, 300),
            words.ORDER_TONE.get(order.state, "warn"),
            order.changed,
        )
        for order in current
    ]
    return steps


def _executables(reading: Reading, tenant: TenantId, shas: Collection[str]) -> list[Executable]:
    return reading.find(Executable, tenant=tenant, sha256=list(shas)[:CHUNK]) if shas else []


def _nas_names(reading: Reading, tenant: TenantId, nas_ids: Collection[str]) -> dict[str, str]:
    wanted = [nas_id for nas_id in nas_ids if nas_id]
    found = reading.find(Nas, tenant=tenant, nas_id=wanted) if wanted else []
    return {nas.nas_id: words.visible(nas.name or nas.address) for nas in found}


def _order_line(order: Order, nas_names: dict[str, str]) -> OrderLine:
    return OrderLine(
        created=order.created,
        changed=order.changed,
        mac=order.mac,
        access=str(order.access),
        state=words.ORDER[order.state],
        tone=words.ORDER_TONE.get(order.state, "warn"),
        nas=nas_names.get(order.nas_id, order.nas_id),
        by=words.visible(order.by),
        note=words.visible(order.note, 300),
        open=order.state not in (OrderState.CONFIRMED, OrderState.SUPERSEDED, OrderState.ENDED),
        generation=order.generation,
    )


def _session_line(session: Session, nas_names: dict[str, str]) -> SessionLine:
    return SessionLine(
        session.mac,
        nas_names.get(session.nas_id, session.nas_id),
        words.visible(session.port),
        words.visible(session.vlan),
        session.started,
        session.updated,
        session.ended,
    )


def _executions(reading: Reading, tenant: TenantId, host_id: str) -> list[ExecutionLine]:
    found = reading.find(Execution, tenant=tenant, host_id=host_id, order="started", descending=True, limit=40)
    return [execution_line(execution) for execution in found]


def execution_line(execution: Execution) -> ExecutionLine:
    """One start as the tables show it."""
    return ExecutionLine(
        sha256=execution.sha256 or "",
        name=words.visible(words.base_name(execution.path)),
        path=words.visible(execution.path),
        user=words.visible(execution.user),
        parent=" ← ".join(words.visible(words.base_name(parent.path)) for parent in execution.parents[:6]),
        started=execution.started,
        ended=execution.ended,
        end_uncertain=execution.end_uncertain,
        verdict=str(execution.verdict),
        reason=words.visible(execution.reason.text, 300),
        ran=execution.ran,
    )

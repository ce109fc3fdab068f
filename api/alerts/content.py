"""What an alert says: gathered from the store at the moment it is sent, so that it tells what was done by then.

Guarantees: reads only; bounded (`DETAILED` hosts in full, the others by name); nothing that an endpoint named reaches
an alert with its control characters (`words.visible`). What is not known is left out, never guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from api import whereabouts, words
from api.alerts import escalation
from api.alerts.digest import Digest
from api.alerts.joining import FURTHER, is_update
from api.alerts.links import Doing, Links
from radius_policy.model import (
    Delivery,
    Escalation,
    Event,
    EventKind,
    Executable,
    Execution,
    Host,
    HostState,
    MacBinding,
    Micros,
    Order,
    ParentRef,
    Prevalence,
    Severity,
)
from radius_policy.store.interface import Reading

UTC = ZoneInfo("UTC")
_HEARSAY = {"lldp": "by LLDP", "cdp": "by CDP", "mac-table": "by the switch's table of MACs"}
DETAILED = 25
"""So many hosts are described in full; the names of the others follow."""


@dataclass(frozen=True, slots=True)
class Place:
    """One host that an alert names. `at` is when the program started there, `parents` nearest first."""

    host_id: str
    host: str
    site: str
    user: str = ""
    macs: tuple[str, ...] = ()
    switch: str = ""
    port: str = ""
    port_source: str = ""
    port_seen: Micros | None = None
    at: Micros | None = None
    path: str = ""
    parents: tuple[str, ...] = ()
    posture: str = ""
    access: str = ""
    done: str = ""
    tone: str = "quiet"
    link: str = ""

    @property
    def hearsay(self) -> str:
        """By what the port is known, where that is not the switch's own accounting; mostly empty."""
        return _HEARSAY.get(self.port_source, "")


@dataclass(frozen=True, slots=True)
class Program:
    """The executable an alert is about, as it was at its first sighting."""

    sha256: str
    name: str
    kind: str = ""
    size: int | None = None
    signer: str = ""
    product: str = ""
    first_seen: Micros | None = None
    hosts: int = 0
    link: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One message. `message_id` and `conversation` are stable over retries; `number` counts within the conversation.

    `unanswered` are the urgent matters that this message tells a further person of; `digest` is what it says instead of
    an event; `total` is the number of hosts where fewer are named.
    """

    message_id: str
    conversation: str
    number: int
    update: bool
    severity: Severity
    kind: str
    title: str
    topic: str
    at: Micros
    texts: tuple[str, ...]
    places: tuple[Place, ...] = ()
    further: tuple[str, ...] = ()
    program: Program | None = None
    actions: tuple[tuple[str, str], ...] = ()
    failed: tuple[str, ...] = ()
    zone: ZoneInfo = UTC
    console: str = ""
    unanswered: tuple[str, ...] = ()
    digest: Digest | None = None
    total: int | None = None

    @property
    def hosts(self) -> int:
        return self.total if self.total is not None else len(self.places) + len(self.further)


def gather(
    reading: Reading,
    delivery: Delivery,
    events: Sequence[Event],
    *,
    conversation: str,
    zone: ZoneInfo,
    links: Links,
    now: Micros,
) -> Alert:
    """The alert for these events (of one conversation, oldest first), from the store as it is now."""
    first = events[0]
    host_ids = list(dict.fromkeys(event.host_id for event in events if event.host_id))
    by_host = {event.host_id: event for event in reversed(events) if event.host_id}
    detailed = tuple(_place(reading, by_host[host_id], links) for host_id in host_ids[:DETAILED])
    others = host_ids[DETAILED:]
    named = {host.host_id: host.name for host in _hosts(reading, first.tenant, others)}
    programs = list(dict.fromkeys(event.sha256 for event in events))
    program = _program(reading, first, links) if first.sha256 and len(programs) == 1 else None
    severity = max(event.severity for event in events)
    unanswered, waiting = _unanswered(reading, delivery, events, zone)
    return Alert(
        message_id=delivery.id,
        conversation=conversation,
        number=delivery.number,
        update=is_update(delivery),
        severity=severity,
        kind=first.kind,
        title=_title(delivery, first, len(programs), unanswered),
        topic=delivery.topic,
        at=first.at,
        texts=_texts(reading, events, links)
        if len(programs) > 1 and delivery.topic == FURTHER
        else tuple(dict.fromkeys(words.visible(event.text, 600) for event in events))[:DETAILED],
        places=detailed,
        further=tuple(words.visible(named.get(host_id, host_id), 120) for host_id in others),
        program=program,
        actions=(*_acknowledge(first, waiting, links, now), *_actions(first, program, host_ids, links, now)),
        failed=tuple(words.visible(line, 300) for line in delivery.failed),
        zone=zone,
        console=links.page(""),
        unanswered=unanswered,
    )


def _title(delivery: Delivery, first: Event, programs: int, unanswered: tuple[str, ...]) -> str:
    if len(unanswered) > 1:
        return f"{len(unanswered)} urgent alerts"
    if delivery.topic != FURTHER:
        return words.event_title(first.kind)
    return f"{words.count(programs, 'undecided program')} on further hosts"


def _texts(reading: Reading, events: Sequence[Event], links: Links) -> tuple[str, ...]:
    """One line for each program, with the page that decides it."""
    hosts: dict[str, set[str]] = {}
    for event in events:
        hosts.setdefault(event.sha256, set()).add(event.host_id)
    lines = []
    for sha, where in list(hosts.items())[:DETAILED]:
        first = next(event for event in events if event.sha256 == sha)
        made = _program(reading, first, links)
        lines.append(
            f"{made.name} ({sha[:12]}) is undecided and contained on {words.count(len(where), 'further host')}: {made.link}"
        )
    return tuple(lines)


def _unanswered(
    reading: Reading, delivery: Delivery, events: Sequence[Event], zone: ZoneInfo
) -> tuple[tuple[str, ...], Escalation | None]:
    """(what nobody acknowledged, where this message goes to a further person; the open matter it belongs to)."""
    if escalation.PERSON not in delivery.route:
        return (), escalation.of_topic(reading, delivery)
    found = escalation.told_of(reading, delivery, events)
    by_id = {event.id: event for event in events}
    lines = [escalation.line(each, by_id[each.event_id], words.moment(each.opened, zone)) for each in found]
    return tuple(lines), found[0] if found else None


def _acknowledge(event: Event, waiting: Escalation | None, links: Links, now: Micros) -> tuple[tuple[str, str], ...]:
    if waiting is None:
        return ()
    return (("I have it", links.make(event.tenant, "acknowledge", now, alert=waiting.id)),)


def _hosts(reading: Reading, tenant: int, host_ids: Sequence[str]) -> list[Host]:
    return [
        host
        for begin in range(0, len(host_ids), 500)
        for host in reading.find(Host, tenant=tenant, host_id=list(host_ids[begin : begin + 500]))
    ]


def _place(reading: Reading, event: Event, links: Links) -> Place:
    tenant, host_id = event.tenant, event.host_id
    host = reading.get(Host, tenant, host_id)
    macs = tuple(sorted(binding.mac for binding in reading.find(MacBinding, tenant=tenant, host_id=host_id)))
    where = whereabouts.place(reading, tenant, host_id)
    execution = _execution(reading, event)
    state = reading.get(HostState, tenant, host_id)
    orders = reading.find(Order, tenant=tenant, host_id=host_id, order="created", descending=True, limit=10)
    done, tone = words.done(state, orders)
    return Place(
        host_id=host_id,
        host=words.visible(host.name if host else host_id, 253),
        site=words.visible(host.site if host else event.site, 100),
        user=words.visible((execution.user if execution else "") or (host.user if host else ""), 200),
        macs=macs,
        switch=words.visible(where.switch or str(event.facts.get("switch", "")), 100),
        port=words.visible(where.port or str(event.facts.get("port", "")), 100),
        port_source=where.source,
        port_seen=where.seen,
        at=execution.started if execution else event.at,
        path=words.visible(execution.path if execution else str(event.facts.get("path", "")), 1000),
        parents=tuple(_named(parent) for parent in (execution.parents if execution else ()))[:8],
        posture=words.POSTURE[state.posture] if state else "",
        access=str(state.access) if state else "",
        done=done,
        tone=tone,
        link=links.page(f"hosts/{host_id}"),
    )


def _execution(reading: Reading, event: Event) -> Execution | None:
    named = event.facts.get("execution")
    if isinstance(named, str) and (execution := reading.get(Execution, event.tenant, named)):
        return execution
    if not event.sha256:
        return None
    newest = reading.find(
        Execution,
        tenant=event.tenant,
        host_id=event.host_id,
        sha256=event.sha256,
        order="started",
        descending=True,
        limit=1,
    )
    return newest[0] if newest else None


def _named(parent: ParentRef) -> str:
    user = f" ({words.visible(parent.user, 60)})" if parent.user else ""
    return words.visible(parent.path, 300) + user


def _program(reading: Reading, event: Event, links: Links) -> Program:
    executable = reading.get(Executable, event.tenant, event.sha256)
    fleet = reading.get(Prevalence, event.tenant, event.sha256, "fleet")
    link = links.page(f"executables/{event.sha256}")
    if executable is None:
        return Program(event.sha256, words.visible(str(event.facts.get("name", "")), 300) or "an executable", link=link)
    signer = f"{executable.signer} ({executable.signer_state})" if executable.signer else ""
    product = " ".join(part for part in (executable.product, executable.version) if part)
    return Program(
        sha256=event.sha256,
        name=words.visible(words.base_name(executable.name), 300) or "an executable",
        kind=executable.kind,
        size=executable.size,
        signer=words.visible(signer, 200),
        product=words.visible(product, 200),
        first_seen=executable.first_seen,
        hosts=fleet.hosts if fleet else 0,
        link=link,
    )


_ANSWERS: tuple[tuple[str, Doing], ...] = (
    ("Allow it", "allow"),
    ("Deny it", "deny"),
    ("Quarantine all", "quarantine"),
    ("Keep holding", "keep"),
)
"""What can be said to a breaker trip."""
_UNDECIDED = frozenset(
    {
        EventKind.UNKNOWN_RAN,
        EventKind.HELD,
        EventKind.LATE_UNKNOWN,
        EventKind.BREAKER_TRIPPED,
        EventKind.TIED,
        EventKind.PROTECTED,
        EventKind.GRACED,
        EventKind.GRACE_ENDING,
        EventKind.GRACE_ENDED,
    }
)


def _actions(
    event: Event, program: Program | None, host_ids: Sequence[str], links: Links, now: Micros
) -> tuple[tuple[str, str], ...]:
    actions: list[tuple[str, str]] = []
    trip = event.facts.get("trip") if event.kind in escalation.TRIPS else None
    if isinstance(trip, str):
        return tuple((said, links.make(event.tenant, doing, now, trip=trip)) for said, doing in _ANSWERS)
    if program and event.kind in _UNDECIDED:
        actions += [
            ("Allow it", links.make(event.tenant, "allow", now, sha256=program.sha256)),
            ("Deny it", links.make(event.tenant, "deny", now, sha256=program.sha256)),
        ]
    if len(host_ids) == 1:
        actions.append(("Release the host", links.make(event.tenant, "release", now, host_id=host_ids[0])))
    return tuple(actions)

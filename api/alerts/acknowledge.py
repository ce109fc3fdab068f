"""Urgent matters, and saying "I have it": one set of functions for console, REST and command line.

Guarantees: acknowledging needs the role operator at the matter's site, is audited, and is told in an event; it covers
the same matter on every route, so that nobody else is called for it. Doing it again changes nothing and says who has it.
It decides nothing: the executable or host stays as it is.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from api import audit, words
from api.alerts.escalation import ACKNOWLEDGED, OPEN
from api.auth.roles import Identity, Role
from api.errors import NotFound, Refused
from radius_policy.model import Escalation, Event, EventKind, Host, Micros, Severity
from radius_policy.store.interface import Reading, Tx

SHOWN: Final = 200
_SHORTEST: Final = 8


@dataclass(frozen=True, slots=True)
class Matter:
    """One urgent matter for people. `id` is that of its message; `title` and `text` are its event's."""

    id: str
    state: str
    title: str
    text: str
    kind: str
    route: str
    opened: Micros
    due: Micros
    told: int
    names: tuple[str, ...]
    host_id: str
    host: str
    sha256: str
    site: str
    ended: Micros | None
    by: str
    why: str


def matters(reading: Reading, who: Identity, *, every: bool = False, limit: int = SHOWN) -> list[Matter]:
    """Those that wait, the longest first; with `every` also what ended, the newest first. Only what this person may see."""
    equals: dict[str, Any] = {} if every else {"state": OPEN}
    if every:
        found = reading.find(Escalation, tenant=who.tenant, order="opened", descending=True, limit=limit)
    else:
        found = reading.find(Escalation, tenant=who.tenant, order="due", limit=limit, **equals)
        found.sort(key=lambda each: (each.opened, each.id))
    return [matter_of(reading, each) for each in found if who.sees(each.site) or not each.site]


def matter_of(reading: Reading, escalation: Escalation) -> Matter:
    """What people read of it."""
    event = reading.get(Event, escalation.tenant, escalation.event_id)
    host = reading.get(Host, escalation.tenant, escalation.host_id) if escalation.host_id else None
    return Matter(
        escalation.id,
        escalation.state,
        words.event_title(escalation.kind),
        words.visible(event.text, 1000) if event else "",
        escalation.kind,
        escalation.route,
        escalation.opened,
        escalation.due,
        escalation.told,
        tuple(dict.fromkeys(escalation.names)),
        escalation.host_id,
        words.visible(host.name) if host else "",
        escalation.sha256,
        words.visible(escalation.site),
        escalation.ended,
        escalation.by,
        words.visible(escalation.why),
    )


def find(reading: Reading, who: Identity, name: str) -> Escalation:
    """By its id or the beginning of it (8 digits and more). Raises NotFound or Refused."""
    found = reading.get(Escalation, who.tenant, name)
    if found is None and len(name) >= _SHORTEST:
        near = reading.find(Escalation, tenant=who.tenant, order="opened", descending=True, limit=10_000)
        near = [each for each in near if each.id.startswith(name)]
        if len(near) > 1:
            raise Refused(f"{len(near)} urgent alerts begin with {name}: give more of it")
        found = near[0] if near else None
    if found is None or not (who.sees(found.site) or not found.site):
        raise NotFound(f"there is no urgent alert {name}; `pratique alert list` shows those that wait")
    return found


def acknowledge(tx: Tx, who: Identity, name: str, *, why: str = "", now: Micros) -> Matter:
    """Somebody has it. Raises NotFound, Refused or Forbidden."""
    given = find(tx, who, name)
    who.require(Role.OPERATOR, given.site or None)
    if given.state != OPEN:
        return matter_of(tx, given)
    same = tx.find(Escalation, tenant=who.tenant, topic=given.topic, order="opened", descending=True, limit=SHOWN)
    for each in same:
        if each.state == OPEN:
            tx.put(replace(each, state=ACKNOWLEDGED, ended=now, by=who.name, why=why))
    line = audit.append(
        tx, who.tenant, at=now, who=who.name, what="alert.acknowledge", subject=given.id,
        detail={"topic": given.topic, "kind": given.kind, "why": why},
    )  # fmt: skip
    said = f": {why}" if why else ""
    event = Event(
        who.tenant,
        f"acknowledged-{line.number}",
        now,
        EventKind.ACKNOWLEDGED,
        Severity.INFO,
        given.topic,
        f"{who.name} has it: {words.event_title(given.kind)}{said}",
        given.host_id,
        given.sha256,
        given.site,
        {"alert": given.id, "by": who.name},
    )
    tx.put(event)
    tx.note(who.tenant, "event", event.id)
    return matter_of(tx, find(tx, who, given.id))


def shown(matter: Matter) -> dict[str, Any]:
    """JSON-ready data; times are microseconds, as everywhere in the REST API."""
    return asdict(matter)

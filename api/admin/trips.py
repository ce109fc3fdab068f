"""Breaker trips for people: what each contains and touches, and the four answers: allow, deny, quarantine all, keep holding.

Guarantees: one set of functions for console, REST and command line; a preview changes nothing and names whom the answer
touches and whom it spares, with the reason; every deed needs the role operator where the trip counts, and has its line in
the audit. Quarantine all moves those who *ran* it, one deed each, and never a protected host. Any answer ends the calling
of further people about the trip; *keep holding* ends nothing else, and the site's own choice does not follow any more.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from api import audit, words
from api.admin import exactly, hosts
from api.admin.settle import settle
from api.alerts.escalation import DECIDED, OPEN
from api.auth.roles import Identity, Role
from api.errors import Conflict, NotFound, Refused
from radius_policy.judgement import suspicion
from radius_policy.judgement import trips as judged
from radius_policy.judgement.trips import Contained, Trip
from radius_policy.model import (
    Escalation,
    Event,
    EventKind,
    Executable,
    Host,
    HostExecutable,
    HostId,
    HostState,
    Micros,
    Posture,
    Reason,
    Severity,
    Sha256,
)
from radius_policy.store.interface import Reading, Tx

if TYPE_CHECKING:
    from api.admin.deeds import Desk
    from radius_policy.judgement.policy import Policy

ALLOW, DENY, QUARANTINE, KEEP = "allow", "deny", judged.QUARANTINE, judged.KEEP
ANSWERS: Final = (ALLOW, DENY, QUARANTINE, KEEP)
SHORTEST: Final = 6
AT_ONCE: Final = 25
"""So many list entries are written in one transaction."""


@dataclass(frozen=True, slots=True)
class Line:
    """One executable (or family) of a trip. `ran`, `moved` and `contained` count hosts; `decided` is `allowed` or
    `denied` where a list says so."""

    key: str
    sha256s: tuple[str, ...]
    name: str
    ran: int
    moved: int
    contained: int
    decided: str


@dataclass(frozen=True, slots=True)
class View:
    """One trip. `waits` says that it needs an answer; the site's choice (`choices`, by site) applies at `due`."""

    id: str
    level: str
    title: str
    text: str
    at: Micros
    waits: bool
    answer: str
    answered_by: str
    answered: Micros | None
    due: Micros | None
    choices: dict[str, str]
    executables: tuple[Line, ...]
    hosts: int
    reading: str = ""


@dataclass(frozen=True, slots=True)
class Touched:
    """One host that an answer touches; `why_not` says why it stays as it is."""

    host_id: str
    host: str
    site: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an answer would do."""

    answer: str
    trip: View
    sha256s: tuple[str, ...]
    hosts: tuple[Touched, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """What it did: entries put on a list; hosts moved and released by it; hosts that stayed, with the reason."""

    answer: str
    trip: str
    entries: int = 0
    moved: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    stayed: tuple[tuple[str, str], ...] = ()


def trips(reading: Reading, who: Identity, policy: "Policy", now: Micros, *, every: bool = False) -> list[View]:
    """Those that wait, the oldest first; with `every` all. Only what this person may see."""
    found = judged.trips(reading, who.tenant, now, every=every)
    views = [(_sites(reading, trip), view(reading, trip, policy)) for trip in found]
    return [one for sites, one in views if not who.sites or any(who.sees(site) for site in sites)]


def find(reading: Reading, who: Identity, name: str, now: Micros) -> Trip:
    """By its id or the beginning of it, its limit (`site:main`), or the hash of what it contains. Raises NotFound, Refused."""
    name = name.strip()
    every = judged.trips(reading, who.tenant, now, every=True)
    if who.sites:
        every = [trip for trip in every if any(who.sees(site) for site in _sites(reading, trip))]
    found = [trip for trip in every if len(name) >= SHORTEST and trip.id.startswith(name)]
    found = found or [trip for trip in every if name in (trip.head.level, trip.topic)]
    if len(name) >= 8:
        found = found or [
            trip for trip in every if any(sha.startswith(name) for each in trip.contained for sha in each.shas)
        ]
    waiting = [trip for trip in found if trip.waits] or found[-1:]
    if not waiting:
        raise NotFound(f'there is no breaker trip "{name[:100]}"; `pratique trip list --all` shows them')
    if len(waiting) > 1:
        raise Refused(f"{len(waiting)} trips fit {name}: say which by its id: {', '.join(t.id for t in waiting[:5])}")
    return waiting[0]


def view(reading: Reading, trip: Trip, policy: "Policy", *, whole: bool = False, now: Micros = 0) -> View:
    """What people read of it; `whole` adds the likelier reading of the spread, which costs some queries."""
    waiting = [each.trip.at for each in trip.contained if each.waits]
    sites = _sites(reading, trip)
    told = ""
    if whole and trip.shas:
        told = str(suspicion.facts(reading, policy, trip.shas[0], now)["reading"]) if not trip.wide else ""
    return View(
        trip.id,
        trip.head.level,
        _title(reading, trip),
        words.visible(trip.head.reason.text, 600),
        trip.head.at,
        trip.waits,
        trip.head.answer,
        trip.head.answered_by,
        trip.head.answered,
        min(waiting) + policy.answer_within if waiting else None,
        {site: policy.unanswered_at(site) for site in sorted(sites)} if waiting else {},
        tuple(_line(reading, each) for each in trip.contained),
        len({each.host_id for each in judged.open_on(reading, policy.tenant, trip.undecided)}),
        told,
    )


def preview(reading: Reading, who: Identity, trip: Trip, answer: str, *, now: Micros, policy: "Policy") -> Preview:
    """Whom an answer would touch, changing nothing. Raises Refused or Conflict."""
    _check(trip, answer)
    if answer == QUARANTINE:
        ran = judged.ran_on(reading, who.tenant, trip.undecided)
        stay = judged.would_stay(reading, who.tenant, ran, now=now, policy=policy)
        planned = exactly.preview(reading, who, ran)
        touched = [
            _touched(reading, who, each.host_id, each.why_not or _why(stay.get(HostId(each.host_id))))
            for each in planned
        ]
    else:
        reasons = judged.open_on(reading, who.tenant, trip.undecided)
        ids = dict.fromkeys(
            judged.ran_on(reading, who.tenant, trip.undecided) if answer == DENY else (each.host_id for each in reasons)
        )
        touched = [
            _touched(reading, who, host_id, "stays contained as it is" if answer == KEEP else "") for host_id in ids
        ]
    return Preview(answer, view(reading, trip, policy), trip.shas, tuple(touched))


async def previewed(desk: "Desk", who: Identity, name: str, answer: str) -> Preview:
    """`preview` of the trip that is called `name`. Raises NotFound, Refused or Conflict."""
    now = desk.clock()

    def look(reading: Reading) -> Preview:
        policy = desk.policies.current(reading, who.tenant, now)
        return preview(reading, who, find(reading, who, name, now), answer, now=now, policy=policy)

    return await desk.store.read(look)


async def decide(desk: "Desk", who: Identity, name: str, answer: str, *, why: str = "") -> Done:
    """Carry an answer out. Raises NotFound, Refused, Conflict or Forbidden."""
    now = desk.clock()

    def begin(tx: Tx) -> Trip:
        trip = find(tx, who, name, now)
        _check(trip, answer)
        who.require(Role.OPERATOR, _site(trip))
        if answer in (KEEP, QUARANTINE):
            judged.answer(tx, trip, answer, author=who.name, now=now)
        _answered(tx, who, trip, answer, why, now)
        return trip

    trip = await desk.store.write(begin)
    desk.rung()
    if answer in (ALLOW, DENY):
        return await _listed(desk, who, trip, answer, why)
    if answer == QUARANTINE:
        ran = await desk.store.read(lambda reading: judged.ran_on(reading, who.tenant, trip.undecided))
        did = await exactly.carry_out(desk, who, ran, why=f"{_mark(trip)} {why or trip.head.reason.text}")
        return Done(answer, trip.id, moved=did.quarantined, stayed=did.stayed)
    return Done(answer, trip.id)


def shown(given: View | Preview | Done) -> dict[str, Any]:
    """Plain data."""
    return asdict(given)


async def _listed(desk: "Desk", who: Identity, trip: Trip, answer: str, why: str) -> Done:
    """Put everything undecided on a list, some in one transaction, and carry out what follows."""
    from api.admin import lists

    site = _site(trip)
    scope = f"site:{site}" if site and who.sites else "fleet"
    shas, entries = trip.shas, 0
    for begin in range(0, len(shas), AT_ONCE):

        def work(tx: Tx, some: Iterable[str] = shas[begin : begin + AT_ONCE]) -> int:
            now, made = desk.clock(), 0
            policy = desk.policies.current(tx, who.tenant, now)
            for sha in some:
                wish = lists.Wish(answer, sha, scope=scope, why=why or f"answer to the breaker trip {trip.id}")
                try:
                    policy = lists.add_entry(tx, who, wish, now=now, policy=policy).touched.policy
                except Conflict:  # somebody was quicker with this one
                    continue
                made += 1
            return made

        entries += await desk.store.write(work)
        desk.rung()
    done = await settle(desk.store, who.tenant, shas, policies=desk.policies, clock=desk.clock, rung=desk.rung)
    freed = await _freed(desk, who, trip, shas) if answer == ALLOW else []
    return Done(answer, trip.id, entries, tuple(done.moved), tuple(dict.fromkeys((*done.released, *freed))))


async def _freed(desk: "Desk", who: Identity, trip: Trip, shas: Iterable[Sha256]) -> list[HostId]:
    """Withdraw what this trip's *quarantine all* ordered, where nothing else is open: one decision frees all."""

    def look(reading: Reading) -> list[HostId]:
        seen = [one.host_id for sha in shas for one in reading.find(HostExecutable, tenant=who.tenant, sha256=sha)]
        states = (reading.get(HostState, who.tenant, host_id) for host_id in dict.fromkeys(seen))
        return [
            state.host_id
            for state in states
            if state is not None and state.ordered == "quarantine" and state.ordered_why.startswith(_mark(trip))
            and state.posture in (Posture.HEALTHY, Posture.UNMONITORED)
        ]  # fmt: skip

    freed = await desk.store.read(look)
    for host_id in freed:
        await desk.host(who, host_id, hosts.withdraw, why=f"{_mark(trip)} allowed")
    return freed


def _mark(trip: Trip) -> str:
    """How the orders of *quarantine all* begin their reason."""
    return f"trip {trip.id}:"


def _check(trip: Trip, answer: str) -> None:
    if answer not in ANSWERS:
        raise Refused(f'"{answer[:40]}" answers no trip: {", ".join(ANSWERS)} do')
    if not trip.undecided:
        word = trip.contained[0].decided if trip.contained else None
        raise Conflict(f"this trip is decided: {f'what it contains is {word}' if word else 'it contains nothing'}")
    if answer in (ALLOW, DENY) and not trip.shas:
        raise Refused("its content could not be read, so no list can name it: clear or quarantine its host")


def _answered(tx: Tx, who: Identity, trip: Trip, answer: str, why: str, now: Micros) -> None:
    """What an answer leaves behind: nobody else is called, one line in the audit, one event."""
    for each in tx.find(Escalation, tenant=who.tenant, topic=trip.topic, state=OPEN):
        tx.put(replace(each, state=DECIDED, ended=now, by=who.name, why=why))
    detail = {"level": trip.head.level, "sha256s": list(trip.shas[:20]), "executables": len(trip.undecided), "why": why}
    line = audit.append(
        tx, who.tenant, at=now, who=who.name, what=f"trip.{answer}", subject=trip.id, detail=detail
    )  # fmt: skip
    said = {ALLOW: "allows it", DENY: "denies it", QUARANTINE: "quarantines all who ran it", KEEP: "keeps holding it"}
    event = Event(
        who.tenant, f"trip-{line.number}", now, EventKind.ACKNOWLEDGED, Severity.INFO, trip.topic,
        f"{who.name} {said[answer]}: {trip.head.reason.text}" + (f" ({why})" if why else ""),
        site=_site(trip) or "", facts={"trip": trip.id, "answer": answer, "by": who.name},
    )  # fmt: skip
    tx.put(event)
    tx.note(who.tenant, "event", event.id)


def _site(trip: Trip) -> str | None:
    """The site that a trip counts at; None for all."""
    level = trip.head.level
    return level.removeprefix("site:") if level.startswith("site:") else None


def _sites(reading: Reading, trip: Trip) -> set[str]:
    tenant = trip.head.tenant
    if (site := _site(trip)) is not None:
        return {site}
    ids = list(dict.fromkeys(each.host_id for each in judged.open_on(reading, tenant, trip.contained)))
    return {
        host.site
        for begin in range(0, len(ids), 500)
        for host in reading.find(Host, tenant=tenant, host_id=ids[begin : begin + 500])
    }


def _title(reading: Reading, trip: Trip) -> str:
    if trip.wide:
        what = words.count(len(trip.contained), "executable")
        return f"{words.visible(trip.head.level, 80)}: {what}"
    return _name(reading, trip.contained[0])


def _name(reading: Reading, contained: Contained) -> str:
    first = reading.get(Executable, contained.trip.tenant, contained.shas[0]) if contained.shas else None
    name = words.visible(words.base_name(first.name), 80) if first is not None and first.name else contained.key[:16]
    return name if len(contained.shas) < 2 else f"family of {name} ({len(contained.shas)})"


def _line(reading: Reading, contained: Contained) -> Line:
    tenant = contained.trip.tenant
    reasons = judged.open_on(reading, tenant, (contained,))
    moved = {each.host_id for each in reasons if each.placed}
    return Line(
        contained.key,
        tuple(contained.shas),
        _name(reading, contained),
        len(judged.ran_on(reading, tenant, (contained,))),
        len(moved),
        len({each.host_id for each in reasons if each.contained} - moved),
        str(contained.decided) if contained.decided is not None else "",
    )


def _touched(reading: Reading, who: Identity, host_id: str, why_not: str) -> Touched:
    host = reading.get(Host, who.tenant, HostId(host_id))
    name, site = (words.visible(host.name), words.visible(host.site)) if host is not None else (host_id, "")
    return Touched(host_id, name, site, words.visible(why_not, 300))


def _why(reason: Reason | None) -> str:
    return reason.text if reason is not None else ""

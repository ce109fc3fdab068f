"""What time alone brings: the site's choice for a trip that nobody answers, graces that are about to end or have ended.

Guarantees: a trip that still waits after the site's minutes gets the site's choice, once; that choice has the author
`site`, moves only those who *ran* what it contains, spares protected hosts, and never releases a host that another reason
keeps moved. A pause puts a site's quarantine off until it is lifted. A grace that nobody decided is told once before its end
and once after it. Running any of it again is harmless, and a restart loses none of it: everything stands in the store.

What it does not do: it has no timer (`due` is called by one, at once where `look` says so) and pages nobody
(`api.alerts` does).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from radius_policy.access import SITE
from radius_policy.breaker import DAY
from radius_policy.judgement import precedents, trips
from radius_policy.judgement.administration import Refused, quarantine, release
from radius_policy.judgement.circumstances import content_facts, listed_verdict
from radius_policy.judgement.policy import Policy, answer_within
from radius_policy.judgement.standing import new_id
from radius_policy.judgement.trips import Contained, Trip
from radius_policy.model import (
    SECOND,
    Access,
    Event,
    EventKind,
    Executable,
    GraceSlot,
    Host,
    HostId,
    HostState,
    Micros,
    Posture,
    PostureReason,
    Precedent,
    Setting,
    Severity,
    Sha256,
    TenantId,
)
from radius_policy.store.interface import Reading, Tx

GRACE_ENDED = "grace-ended"
GRACE_ENDING = "grace-ending"
BEFORE_END: Micros = DAY
"""So long before its end a grace is told, or a quarter of it where that is less."""
APART: Micros = DAY // 2
"""Warnings about graces that end are so far apart, unless one would come too late."""
EVERY = "graces"
NAMED = 10
"""So many graces are named in one warning; all of them stand in its facts."""


@dataclass(frozen=True, slots=True)
class Due:
    """What a look at the clock brought: hosts moved or released by their site's choice, trips that it was told for (by
    their ids), and executables whose grace is about to end or has ended undecided."""

    hosts: tuple[HostId, ...] = ()
    trips: tuple[str, ...] = ()
    ending: tuple[str, ...] = ()
    graces: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.hosts or self.trips or self.ending or self.graces)


@dataclass(frozen=True, slots=True)
class _Done:
    """What a site's choice did. `postponed`: a pause keeps a part of it for later."""

    released: tuple[HostId, ...] = ()
    quarantined: tuple[HostId, ...] = ()
    spared: tuple[str, ...] = ()
    postponed: bool = False


def look(reading: Reading, tenant: TenantId, *, now: Micros) -> bool:
    """Whether a site's choice is due, found out by reading alone."""
    setting = reading.get(Setting, tenant, "trips")
    within = answer_within(setting.value if setting is not None else {})
    over = (
        now - each.trip.at >= within
        for trip in trips.trips(reading, tenant, now)
        for each in trip.contained
        if each.waits
    )
    return any(over)


def due(tx: Tx, tenant: TenantId, *, now: Micros, policy: Policy) -> Due:
    """Everything that time alone brings, as of `now`."""
    tx.serialize(tenant)
    hosts: list[HostId] = []
    told: list[str] = []
    for trip in trips.trips(tx, tenant, now):
        done = _unanswered(tx, policy, trip, now)
        if done is not None:
            hosts += (*done.released, *done.quarantined)
            told += [] if done.postponed else [trip.id]
    return Due(
        tuple(hosts),
        tuple(told),
        tuple(_ending_graces(tx, tenant, now, policy)),
        tuple(_ended_graces(tx, tenant, now, policy)),
    )


def _unanswered(tx: Tx, policy: Policy, trip: Trip, now: Micros) -> _Done | None:
    """Carry out what the sites chose for that in a trip whose time is over; None where there is nothing."""
    over = tuple(
        each
        for each in trip.contained
        if each.waits and now - each.trip.at >= policy.answer_within and not _listed(tx, policy, each, now)
    )
    if not over:
        return None
    done = _site_choice(tx, policy, over, now)
    if done.postponed:
        return done
    overdue = Trip(trip.head, over)
    choices = sorted({policy.unanswered_at(site) for site in _sites(tx, policy.tenant, over)} or {trips.KEEP})
    trips.answer(tx, overdue, "/".join(choices), author=SITE, now=now)
    reasons = trips.open_on(tx, policy.tenant, over)
    text = f"nobody answered for {_span(policy.answer_within)}: {trip.head.reason.text}; {_said(choices, done)}"
    one = over[0].shas[0] if len(over) == 1 and len(over[0].shas) == 1 else ""
    event = Event(
        policy.tenant, new_id(), now, EventKind.TRIP_UNANSWERED, Severity.URGENT, trip.topic, text, sha256=one,
        site=trip.head.level.removeprefix("site:") if trip.head.level.startswith("site:") else "",
        facts={
            "trip": trip.id, "level": trip.head.level, "tripped_at": trip.head.at, "choices": choices,
            "hosts": len({each.host_id for each in reasons}), "released": len(done.released),
            "quarantined": len(done.quarantined), "spared": list(done.spared),
        },
    )  # fmt: skip
    tx.put(event)
    tx.note(policy.tenant, "event", event.id)
    return done


def _said(choices: list[str], done: _Done) -> str:
    if choices == [trips.KEEP]:
        return "by the site's choice all stays as it is, and somebody is still needed"
    parts = [
        f"{len(hosts)} {'host was' if len(hosts) == 1 else 'hosts were'} {word}"
        for word, hosts in (("released", done.released), ("quarantined", done.quarantined))
        if hosts
    ]
    if done.spared:
        parts.append(f"{len(done.spared)} stayed because they are protected ({', '.join(done.spared[:3])})")
    return f"by the site's choice ({', '.join(choices)}) {' and '.join(parts) or 'nobody had to be moved'}"


def _span(micros: Micros) -> str:
    seconds = micros // SECOND
    if seconds >= 7200:
        return f"{seconds // 3600} hours"
    return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"


def _listed(reading: Reading, policy: Policy, contained: Contained, now: Micros) -> bool:
    """A list says allow or deny about all of it already, by whatever it knows of it."""
    nowhere = Host(policy.tenant, HostId(""), "", site="")
    return bool(contained.shas) and all(
        listed_verdict(policy, content_facts(sha, nowhere, None), now) is not None for sha in contained.shas
    )


def _sites(reading: Reading, tenant: TenantId, contained: Iterable[Contained]) -> set[str]:
    ids = list(dict.fromkeys(each.host_id for each in trips.open_on(reading, tenant, contained)))
    return {host.site for host in reading.find(Host, tenant=tenant, host_id=ids)} if ids else set()


def _site_choice(tx: Tx, policy: Policy, over: tuple[Contained, ...], now: Micros) -> _Done:
    keys = {key for each in over for key in each.keys}
    ran = set(trips.ran_on(tx, policy.tenant, over))
    why = f"nobody answered the trip about {over[0].key[:16]}" + (f" and {len(over) - 1} more" if len(over) > 1 else "")
    released: list[HostId] = []
    quarantined: list[HostId] = []
    spared: list[str] = []
    postponed = False
    for host_id in dict.fromkeys(each.host_id for each in trips.open_on(tx, policy.tenant, over)):
        host, state = tx.get(Host, policy.tenant, host_id), tx.get(HostState, policy.tenant, host_id)
        if host is None or state is None or state.ordered:
            continue
        choice, moved = policy.unanswered_at(host.site), state.access is not Access.PRODUCTION
        if choice == trips.RELEASE and moved and not _held_otherwise(tx, policy.tenant, host_id, keys):
            release(tx, policy.tenant, host_id, now=now, policy=policy, author=SITE, why=why)
            released.append(host_id)
        elif choice == trips.QUARANTINE and not moved and host_id in ran:
            if policy.paused:
                postponed = True
                continue
            try:
                quarantine(tx, policy.tenant, host_id, now=now, policy=policy, author=SITE, why=why)
            except Refused as refused:
                spared.append(f"{host.name}: {refused}")
            else:
                quarantined.append(host_id)
    return _Done(tuple(released), tuple(quarantined), tuple(spared), postponed)


def _held_otherwise(reading: Reading, tenant: TenantId, host_id: HostId, keys: set[str]) -> bool:
    """Whether something besides what nobody answered keeps the host moved."""
    others = reading.find(PostureReason, tenant=tenant, host_id=host_id)
    return any((each.placed and each.key not in keys) or each.posture is Posture.COMPROMISED for each in others)


def _ending_graces(tx: Tx, tenant: TenantId, now: Micros, policy: Policy) -> list[str]:
    """Graces that end soon and whose executable nobody decided, each told once; those of half a day in one warning."""
    found: dict[tuple[str, str], GraceSlot] = {}
    for slot in tx.find(GraceSlot, tenant=tenant, order="until", after=now, before=now + BEFORE_END + 1):
        if slot.until - now <= min(BEFORE_END, (slot.until - slot.at) // 4):
            found.setdefault((slot.rule, slot.sha256), slot)
    told_of = [slot for slot in found.values() if not _decided_or_told(tx, policy, slot, GRACE_ENDING, now)]
    last = tx.get(Precedent, tenant, GRACE_ENDING, EVERY)
    if not told_of or (last is not None and now - last.at < APART and told_of[0].until - now > APART):
        return []
    tx.put(Precedent(tenant, GRACE_ENDING, EVERY, Sha256(""), now))
    for slot in told_of:
        precedents.mark(tx, tenant, GRACE_ENDING, f"{slot.rule}:{slot.sha256}", now)
    lines = [_ending(tx, slot, now) for slot in told_of]
    if len(told_of) == 1:
        text = f"the grace of {lines[0]} and nobody has decided; after it its next start is judged anew"
        _tell_grace(tx, told_of[0], EventKind.GRACE_ENDING, text, now)
    else:
        more = f" and {len(lines) - NAMED} more" if len(lines) > NAMED else ""
        text = f"{len(lines)} graces end within a day and nobody has decided: {'; '.join(lines[:NAMED])}{more}"
        event = Event(
            tenant, new_id(), now, EventKind.GRACE_ENDING, Severity.WARNING, EVERY, text,
            facts={"sha256s": [slot.sha256 for slot in told_of], "rules": sorted({slot.rule for slot in told_of})},
        )  # fmt: skip
        tx.put(event)
        tx.note(tenant, "event", event.id)
    return [slot.sha256 for slot in told_of]


def _ending(reading: Reading, slot: GraceSlot, now: Micros) -> str:
    hosts = reading.count(GraceSlot, tenant=slot.tenant, rule=slot.rule, sha256=slot.sha256)
    where = f"{hosts} {'host' if hosts == 1 else 'hosts'}"
    return f"{_named(reading, slot)} ({where}) by rule {slot.rule} ends in {_span(slot.until - now)}"


def _ended_graces(tx: Tx, tenant: TenantId, now: Micros, policy: Policy) -> list[str]:
    """Graces that ended since the last look and whose executable nobody decided: one warning for each executable."""
    told: list[str] = []
    for slot in tx.find(GraceSlot, tenant=tenant, order="until", after=now - policy.grace_look_back, before=now + 1):
        if _decided_or_told(tx, policy, slot, GRACE_ENDED, now):
            continue
        precedents.mark(tx, tenant, GRACE_ENDED, f"{slot.rule}:{slot.sha256}", now)
        text = f"the grace of {_named(tx, slot)} by rule {slot.rule} has ended undecided; its next start is judged anew"
        _tell_grace(tx, slot, EventKind.GRACE_ENDED, text, now)
        told.append(slot.sha256)
    return told


def _decided_or_told(reading: Reading, policy: Policy, slot: GraceSlot, kind: str, now: Micros) -> bool:
    """Whether somebody has decided what a grace is for, or people were told that nobody has."""
    nowhere = Host(policy.tenant, HostId(""), "", site="")
    if reading.get(Precedent, slot.tenant, kind, f"{slot.rule}:{slot.sha256}") is not None:
        return True
    return listed_verdict(policy, content_facts(slot.sha256, nowhere, None), now) is not None


def _named(reading: Reading, slot: GraceSlot) -> str:
    executable = reading.get(Executable, slot.tenant, slot.sha256)
    return executable.name if executable is not None and executable.name else slot.sha256[:16]


def _tell_grace(tx: Tx, slot: GraceSlot, kind: EventKind, text: str, now: Micros, **facts: object) -> None:
    event = Event(
        slot.tenant, new_id(), now, kind, Severity.WARNING, slot.sha256, text, sha256=slot.sha256,
        facts={"rule": slot.rule, "until": slot.until, **facts},
    )  # fmt: skip
    tx.put(event)
    tx.note(slot.tenant, "event", event.id)

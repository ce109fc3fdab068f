"""What a trip contains, whom it touches, and whether it waits for an answer.

A limit that is reached contains one executable or family (its own limit), or every unknown of a window (site, fleet,
tenant). People meet one trip either way: its *head* is the limit that was reached, what it *contains* are records of their
own, each of which an allow ends alone. A trip waits while something that it contains is neither decided by a list nor
answered.

Guarantees: reads only, but for `answer`, which notes what was said and changes no verdict and no access.

What it does not do: it has no timer (`overdue.py`), moves nobody and puts nothing on a list (`api.admin.trips`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, cast

from radius_policy import access as access_table
from radius_policy.breaker import EXECUTABLE, TIED
from radius_policy.judgement.admission import BUNDLE
from radius_policy.judgement.policy import Policy
from radius_policy.judgement.standing import desk_for, situation, working
from radius_policy.model import (
    Access,
    BreakerTrip,
    Executable,
    Execution,
    HostExecutable,
    HostId,
    ListEntry,
    ListKind,
    Micros,
    Posture,
    PostureReason,
    Reason,
    Sha256,
    TenantId,
    VerdictWord,
)
from radius_policy.store.interface import Reading, Tx

KEEP: Final = "keep"
QUARANTINE: Final = "quarantine"
RELEASE: Final = "release"
MEMBERS: Final = 500
"""So many executables of one family are looked at."""


@dataclass(frozen=True, slots=True)
class Contained:
    """One executable or family that is contained. `shas` are its executables that were seen ('' of an unreadable start
    has none); `decided` is what a list says of all of them, None where something is open."""

    trip: BreakerTrip
    shas: tuple[Sha256, ...]
    decided: VerdictWord | None

    @property
    def key(self) -> str:
        """What the breaker counts: a SHA-256, a family's name, or the id of a start that could not be read."""
        return self.trip.level.removeprefix(EXECUTABLE)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the posture reasons that are about it."""
        return self.shas or (self.key,)

    @property
    def waits(self) -> bool:
        return self.decided is None and not self.trip.answer and self.trip.ended is None


@dataclass(frozen=True, slots=True)
class Trip:
    """One trip as people meet it."""

    head: BreakerTrip
    contained: tuple[Contained, ...]

    @property
    def id(self) -> str:
        return self.head.id

    @property
    def wide(self) -> bool:
        """Whether a limit of the site, the fleet or the tenant was reached."""
        return not self.head.level.startswith(EXECUTABLE)

    @property
    def topic(self) -> str:
        """The topic of the alert that told it."""
        return self.head.level if self.wide else self.head.level.removeprefix(EXECUTABLE)

    @property
    def waits(self) -> bool:
        return any(each.waits for each in self.contained)

    @property
    def undecided(self) -> tuple[Contained, ...]:
        """What no list decides yet, answered or not."""
        return tuple(each for each in self.contained if each.decided is None and each.trip.ended is None)

    @property
    def shas(self) -> tuple[Sha256, ...]:
        return tuple(dict.fromkeys(sha for each in self.undecided for sha in each.shas))


def trips(reading: Reading, tenant: TenantId, now: Micros, *, every: bool = False) -> list[Trip]:
    """Those that wait for an answer, the oldest first; with `every` those too that were answered, decided or ended."""
    found = reading.find(BreakerTrip, tenant=tenant) if every else reading.find(BreakerTrip, tenant=tenant, ended=None)
    heads: dict[tuple[str, Micros], BreakerTrip] = {}
    members: dict[tuple[str, Micros], list[Contained]] = {}
    known: dict[str, list[BreakerTrip]] = {}
    for each in sorted(found, key=lambda trip: (trip.at, trip.level)):
        if not each.level.startswith(EXECUTABLE):
            continue
        head = _head(reading, each, known)
        name = (head.level, head.at)
        heads[name] = head
        members.setdefault(name, []).append(_contained(reading, each, now))
    made = [Trip(head, tuple(members[name])) for name, head in heads.items()]
    made.sort(key=lambda trip: (trip.head.at, trip.head.level))
    return made if every else [trip for trip in made if trip.waits]


def trip_of(reading: Reading, tenant: TenantId, level: str, at: Micros, now: Micros) -> Trip | None:
    """The trip whose limit was reached at that level at that moment."""
    head = reading.get(BreakerTrip, tenant, level, at)
    if head is None:
        return None
    known: dict[str, list[BreakerTrip]] = {}
    found = reading.find(BreakerTrip, tenant=tenant, order="at", after=at - 1)
    mine = [each for each in found if each.level.startswith(EXECUTABLE) and _head(reading, each, known) == head]
    return Trip(head, tuple(_contained(reading, each, now) for each in mine))


def answer(tx: Tx, trip: Trip, word: str, *, author: str, now: Micros) -> None:
    """Note what was said about everything in a trip that is not decided."""
    records = {(each.trip.level, each.trip.at): each.trip for each in trip.undecided}
    records[trip.head.level, trip.head.at] = trip.head
    for each in records.values():
        tx.put(replace(each, answer=word, answered_by=author, answered=now))
        tx.note(each.tenant, "executable", each.level.removeprefix(EXECUTABLE))


def ran_on(reading: Reading, tenant: TenantId, contained: Iterable[Contained]) -> list[HostId]:
    """Where something of it ran, those who ran it first in front. A start that was held and refused is no run."""
    first: dict[HostId, Micros] = {}
    for each in contained:
        for sha in each.shas:
            for here in reading.find(HostExecutable, tenant=tenant, sha256=sha):
                if here.ran:
                    first[here.host_id] = min(first.get(here.host_id, here.first), here.first)
        if not each.shas and (start := reading.get(Execution, tenant, each.key)) is not None and start.ran:
            first[start.host_id] = min(first.get(start.host_id, start.started), start.started)
    return sorted(first, key=lambda host_id: (first[host_id], host_id))


def open_on(reading: Reading, tenant: TenantId, contained: Iterable[Contained]) -> list[PostureReason]:
    """The open reasons about it, by host."""
    keys = [key for each in contained for key in each.keys]
    found = [
        reason
        for begin in range(0, len(keys), MEMBERS)
        for reason in reading.find(PostureReason, tenant=tenant, key=keys[begin : begin + MEMBERS])
    ]
    return sorted(found, key=lambda reason: (reason.host_id, reason.key))


def would_stay(
    reading: Reading, tenant: TenantId, host_ids: Iterable[HostId], *, now: Micros, policy: Policy
) -> dict[HostId, Reason]:
    """Which of these hosts a quarantine of all of them, one after the other, would leave where they are, and why."""
    stay: dict[HostId, Reason] = {}
    left: dict[str, int] = {}
    for host_id in dict.fromkeys(host_ids):
        desk = desk_for(cast("Tx", reading), tenant, host_id, now=now, policy=policy)  # it is only looked at
        groups = [group for group in desk.host.groups if policy.min_available.get(group, 0)]
        moves = desk.state.access is Access.PRODUCTION
        short = ""
        for group in groups if moves else ():
            if group not in left:
                left[group] = working(desk, group)
            if left[group] - 1 < policy.min_available[group]:
                short = short or group
        if desk.host.never_quarantine or short:
            ordered = replace(desk.state, ordered="quarantine")
            desk.state = ordered
            here = replace(situation(desk, ordered.posture, ordered.posture_reason), min_available_of=short)
            stay[host_id] = access_table.access(here)[1]
        elif moves:
            for group in groups:
                left[group] -= 1
    return stay


def decided(reading: Reading, tenant: TenantId, shas: Iterable[Sha256], now: Micros) -> VerdictWord | None:
    """What lists say of all these executables, everywhere; None while one of them is open. A deny of one is a deny."""
    words = [_decided(reading, tenant, sha, now) for sha in shas]
    if not words or None in words:
        return None
    return VerdictWord.DENIED if VerdictWord.DENIED in words else VerdictWord.ALLOWED


def _decided(reading: Reading, tenant: TenantId, sha: Sha256, now: Micros) -> VerdictWord | None:
    entries = [
        each
        for each in reading.find(ListEntry, tenant=tenant, kind=ListKind.HASH, value=sha)
        if each.confirmed and each.scope == "fleet" and (each.expires is None or now < each.expires)
    ]
    if any(each.action == "deny" for each in entries):
        return VerdictWord.DENIED
    if reading.find(PostureReason, tenant=tenant, key=sha, posture=Posture.COMPROMISED, limit=1):
        return VerdictWord.DENIED  # by its signer, or a set
    return VerdictWord.ALLOWED if entries else None


def _contained(reading: Reading, trip: BreakerTrip, now: Micros) -> Contained:
    key = trip.level.removeprefix(EXECUTABLE)
    alone = reading.get(Executable, trip.tenant, key)
    if alone is not None:
        shas: tuple[Sha256, ...] = (alone.sha256,)
    else:
        family = (
            reading.find(Executable, tenant=trip.tenant, family=key, order="first_seen", limit=MEMBERS) if key else []
        )
        shas = tuple(each.sha256 for each in family)
    word = VerdictWord.ALLOWED if trip.ended is not None else decided(reading, trip.tenant, shas, now)
    if not shas and word is None and not reading.find(PostureReason, tenant=trip.tenant, key=key, limit=1):
        word = VerdictWord.ALLOWED  # a start that could not be read: clearing its host decided it
    return Contained(trip, shas, word)


def _head(reading: Reading, trip: BreakerTrip, known: dict[str, list[BreakerTrip]]) -> BreakerTrip:
    """The limit that was reached: another one's where this was contained with it, its own else."""
    ref = trip.reason.ref
    if trip.reason.level == TIED or ref in ("", trip.level) or ref.startswith(BUNDLE):
        return trip
    if ref not in known:
        known[ref] = reading.find(BreakerTrip, tenant=trip.tenant, level=ref)
    before = [each for each in known[ref] if each.at <= trip.at]
    return max(before, key=lambda each: each.at, default=trip)

"""Whether a start may move its host: the protections, the breaker's places, trips and containment.

Guarantees: a reason is `placed` only after its places were stored in this transaction; without a place the start is
contained and takes none anywhere. Each trip tells people once. What a protected host starts is contained on that host.

What it does not do: it judges nothing and changes no access (`standing.settle` does, from the reasons).
"""

from collections.abc import Iterable
from dataclasses import replace

from radius_policy import breaker
from radius_policy.breaker import Granted, Limit, Missing, Request
from radius_policy.facts.places import home, place
from radius_policy.judgement import precedents, suspicion
from radius_policy.judgement.circumstances import Circumstances
from radius_policy.judgement.standing import Desk, short_group
from radius_policy.model import (
    Access,
    BreakerPlace,
    BreakerTrip,
    EventKind,
    Executable,
    Execution,
    Host,
    Micros,
    Mode,
    Posture,
    PostureReason,
    Precedent,
    Reason,
    Severity,
    TenantId,
    VerdictWord,
)
from radius_policy.store.interface import Reading

PROTECTED = "protected"
BUNDLE = "bundle:"
TIED = breaker.TIED


def bundle_of(execution: Execution) -> str:
    """What came together: the files that one program puts into one folder of their own; '' for a folder that strangers
    share. When one of them trips its limit the others are contained with it: a roll-out moves the same few hosts."""
    maker = execution.writer or (execution.parents[0] if execution.parents else None)
    if maker is None or maker.sha256 is None or home(execution.path) is None:
        return ""
    return f"{BUNDLE}{maker.sha256}:{place(execution.path).root}"


def key_of(executable: Executable | None, key: str) -> str:
    """What the breaker counts: the family where there is one, else the executable (or unreadable start) itself."""
    return (executable.family if executable is not None else "") or key


def containment(reading: Reading, tenant: TenantId, key: str) -> BreakerTrip | None:
    """The trip that contains an executable or family, if one does."""
    found = reading.find(BreakerTrip, tenant=tenant, level=breaker.executable_level(key), ended=None)
    return max(found, key=lambda trip: trip.at) if found else None


def admit(desk: Desk, reason: PostureReason, key: str, *, by_person: bool = False) -> PostureReason:
    """`reason` with its move admitted (`placed`) or contained, and with what follows from that stored and told.

    `key` is what the breaker counts. `by_person`: a deny asks for places although the executable is contained.
    """
    if not reason.move or reason.placed or desk.mode is not Mode.ENFORCE or desk.policy.paused:
        return reason
    if desk.host.never_quarantine or (group := short_group(desk)):
        why = "it stands on the never-quarantine list" if desk.host.never_quarantine else f"group {group!r} needs it"
        if not reason.contained:
            text = f"{desk.host.name} is not moved, because {why}: {reason.reason.text}"
            desk.tell(PROTECTED, Severity.URGENT, text, topic=key, sha256=reason.key)
        return replace(reason, contained=True)
    if not by_person and _is_contained(desk, key):
        return replace(reason, contained=True)
    answer = breaker.ask(_request(desk, key), _taken(desk, key), desk.policy.limits)
    if isinstance(answer, Granted):
        desk.tx.put(*answer.places)
        return replace(reason, placed=True, contained=False)
    _trip(desk, answer, key, reason)
    return replace(reason, contained=True)


def contain(desk: Desk, key: str, because: Reason) -> bool:
    """Contain an executable or family everywhere; False where it is already."""
    if containment(desk.tx, desk.tenant, key) is not None:
        return False
    desk.tx.put(BreakerTrip(desk.tenant, breaker.executable_level(key), desk.now, because))
    desk.tx.note(desk.tenant, "executable", key)
    return True


def _is_contained(desk: Desk, key: str) -> bool:
    own = breaker.executable_level(key)
    wide = _windows(desk)
    levels = [own, *([desk.bundle] if desk.bundle else []), *wide]
    open_: BreakerTrip | None = None
    for trip in desk.tx.find(BreakerTrip, tenant=desk.tenant, level=levels, ended=None):
        if trip.level == own:
            return True
        limit = wide.get(trip.level)
        if limit is None:
            open_ = trip
        elif _is_over(desk, trip, limit):
            desk.tx.put(replace(trip, ended=trip.at + (limit.window or 0)))
        elif open_ is None and desk.first_seen > trip.at - (limit.window or 0):
            open_, desk.joined = trip, True
    if open_ is None:
        return False
    desk.joined = open_.level in wide
    contain(desk, key, open_.reason)
    return True


def _is_over(desk: Desk, trip: BreakerTrip, limit: Limit) -> bool:
    return limit.window is not None and trip.at <= desk.now - limit.window


def _windows(desk: Desk) -> dict[str, Limit]:
    limits, site = desk.policy.limits, desk.host.site
    return {breaker.site_level(site): limits.of_site(site), breaker.FLEET: limits.fleet, breaker.TENANT: limits.tenant}


def _request(desk: Desk, key: str) -> Request:
    moved = desk.state.access is not Access.PRODUCTION or any(each.placed for each in desk.reasons.values())
    hosts = desk.policy.hosts
    return Request(
        desk.tenant,
        desk.host.host_id,
        desk.host.site,
        key,
        desk.now,
        moved,
        hosts.get(desk.host.site, 0),
        desk.policy.fleet,
    )


def _taken(desk: Desk, key: str) -> Iterable[BreakerPlace]:
    own, *wider = breaker.levels(_request(desk, key))
    taken = [] if desk.newcomer else desk.tx.find(BreakerPlace, tenant=desk.tenant, level=own)
    if wider:
        since = desk.now - desk.policy.limits.longest
        taken = taken + desk.tx.find(BreakerPlace, tenant=desk.tenant, level=wider, order="at", after=since)
    return taken


def _trip(desk: Desk, missing: Missing, key: str, reason: PostureReason) -> None:
    own = missing.level == breaker.executable_level(key)
    if own:
        if contain(desk, key, missing.reason):
            if desk.bundle:
                desk.tx.put(BreakerTrip(desk.tenant, desk.bundle, desk.now, missing.reason))
            facts = suspicion.facts(desk.tx, desk.policy, reason.key, desk.now)
            text = f"{missing.reason.text}: {reason.reason.text}; it is contained everywhere. {facts['reading']}"
            tripped = BreakerTrip(desk.tenant, breaker.executable_level(key), desk.now, missing.reason)
            desk.tell(
                EventKind.BREAKER_TRIPPED, Severity.URGENT, text, topic=key, sha256=reason.key,
                level=tripped.level, trip=tripped.id, **facts,
            )  # fmt: skip
        return
    desk.joined = True
    limit = _windows(desk)[missing.level]
    before = desk.tx.find(BreakerTrip, tenant=desk.tenant, level=missing.level, ended=None)
    if any(not _is_over(desk, trip, limit) for trip in before):
        contain(desk, key, missing.reason)
        return
    tripped = BreakerTrip(desk.tenant, missing.level, desk.now, missing.reason)
    desk.tx.put(tripped)
    keys = _new_in_window(desk, missing)
    for each in {*keys, key}:
        contain(desk, each, missing.reason)
    grouped = suspicion.by_parent(desk.tx, desk.tenant, keys.values())
    here = grouped.setdefault(desk.parent or suspicion.NO_PARENT, [])
    if desk.host.name not in here:
        here.append(desk.host.name)
    text = f"{missing.reason.text}: every unknown program first seen in that time is contained"
    desk.tell(
        EventKind.BREAKER_TRIPPED, Severity.URGENT, text, topic=missing.level, sha256=reason.key, level=missing.level,
        trip=tripped.id, limit=missing.limit, taken=missing.taken, by_parent=grouped,
    )  # fmt: skip


def _new_in_window(desk: Desk, missing: Missing) -> dict[str, tuple[str, str]]:
    """Unknowns first seen in the window that tripped, by what the breaker counts, each with one (host, executable)."""
    since: Micros = desk.now - (missing.window or 0)
    found: dict[str, tuple[str, str]] = {}
    reasons = desk.tx.find(
        PostureReason, tenant=desk.tenant, posture=Posture.POTENTIAL_PROBLEM, order="at", after=since
    )
    for reason in reasons:
        executable = desk.tx.get(Executable, desk.tenant, reason.key)
        if executable is not None and executable.first_seen <= since:
            continue
        if missing.level.startswith("site:"):
            host = desk.tx.get(Host, desk.tenant, reason.host_id)
            if host is None or breaker.site_level(host.site) != missing.level:
                continue
        found.setdefault(key_of(executable, reason.key), (reason.host_id, reason.key))
    return found


def is_tied(reading: Reading, tenant: TenantId, key: str) -> bool:
    """Whether an executable or family is tied to a denied run, so that no grace holds for it."""
    return reading.get(Precedent, tenant, TIED, key) is not None


def tie(desk: Desk, execution: Execution, around: Circumstances) -> None:
    """Every graced or unknown program in the parent and writer chain of a denied run is contained at once, its grace
    over (tables.md, Breaker; J15)."""
    writer = (execution.writer,) if execution.writer is not None else ()
    for ref in {each.sha256: each for each in (*execution.parents, *writer)}.values():
        if ref.sha256 is None or ref.sha256 == execution.sha256:
            continue
        if around.verdict_of(ref.sha256) not in (VerdictWord.GRACED, VerdictWord.UNKNOWN):
            continue
        key = key_of(desk.tx.get(Executable, desk.tenant, ref.sha256), ref.sha256)
        because = Reason(TIED, f"{ref.path} is in the chain of the denied run of {execution.path}", execution.id)
        if not precedents.mark(desk.tx, desk.tenant, TIED, key, desk.now):
            continue
        tripped = BreakerTrip(desk.tenant, breaker.executable_level(key), desk.now, because)
        desk.tx.put(tripped)
        desk.tx.note(desk.tenant, "executable", ref.sha256)
        text = f"{because.text} on {desk.host.name}: its grace is over and it is contained everywhere"
        desk.tell(
            EventKind.TIED, Severity.URGENT, text, topic=key, sha256=ref.sha256, denied=execution.sha256,
            level=tripped.level, trip=tripped.id,
        )  # fmt: skip

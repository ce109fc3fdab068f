"""What becomes of a trip: people's "quarantine all", and what the site chose for a trip that nobody answers.

Guarantees: "quarantine all" moves those who *ran* the executable and spares protected hosts, naming them. A trip that
is still undecided after the site's minutes gets the site's choice, once; that choice has the author `site` and a pause
stops it. Graces that end undecided are told once. Running any of it again is harmless.

What it does not do: it has no timer (`due` is called by one, a minute apart or so) and pages nobody (`api.alerts` does).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from radius_policy.access import SITE
from radius_policy.breaker import EXECUTABLE, MINUTE
from radius_policy.judgement import precedents
from radius_policy.judgement.administration import Refused, quarantine, release
from radius_policy.judgement.circumstances import content_facts, listed_verdict
from radius_policy.judgement.policy import Policy
from radius_policy.judgement.standing import new_id
from radius_policy.model import (
    Access,
    BreakerTrip,
    Event,
    Executable,
    GraceSlot,
    Host,
    HostExecutable,
    HostId,
    HostState,
    Micros,
    PostureReason,
    Reason,
    Severity,
    TenantId,
)
from radius_policy.store.interface import Tx

UNANSWERED = "trip-unanswered"
GRACE_ENDED = "grace-ended"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Whom "quarantine all" moved, and whom it spared and why."""

    moved: tuple[HostId, ...] = ()
    spared: tuple[tuple[HostId, Reason], ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """What a look at the clock brought: hosts moved or released by their site's choice, graces that ended undecided."""

    hosts: tuple[HostId, ...] = ()
    graces: tuple[str, ...] = ()


def quarantine_all(
    tx: Tx, tenant: TenantId, sha256: str, *, now: Micros, policy: Policy, author: str, why: str = ""
) -> Quarantined:
    """Quarantine every host where this executable ran. Protected hosts are spared, as the tables have it."""
    tx.serialize(tenant)
    moved: list[HostId] = []
    spared: list[tuple[HostId, Reason]] = []
    for known in tx.find(HostExecutable, tenant=tenant, sha256=sha256, order="host_id"):
        if not known.ran:
            continue
        try:
            quarantine(tx, tenant, known.host_id, now=now, policy=policy, author=author, why=why or f"ran {known.path}")
        except Refused as refused:
            spared.append((known.host_id, refused.reason))
        else:
            moved.append(known.host_id)
    return Quarantined(tuple(moved), tuple(spared))


def due(tx: Tx, tenant: TenantId, *, now: Micros, policy: Policy) -> Due:
    """Everything that time alone brings, as of `now`."""
    tx.serialize(tenant)
    return Due(tuple(_unanswered(tx, tenant, now, policy)), tuple(_ended_graces(tx, tenant, now, policy)))


def _unanswered(tx: Tx, tenant: TenantId, now: Micros, policy: Policy) -> list[HostId]:
    touched: list[HostId] = []
    for trip in tx.find(BreakerTrip, tenant=tenant, ended=None):
        if not trip.level.startswith(EXECUTABLE) or now - trip.at < policy.answer_within:
            continue
        key = trip.level.removeprefix(EXECUTABLE)
        if _is_decided(tx, policy, key, now) or not precedents.mark(tx, tenant, UNANSWERED, f"{key}:{trip.at}", now):
            continue
        reasons = tx.find(PostureReason, tenant=tenant, key=key)
        done = _site_choice(tx, policy, reasons, now)
        touched += done
        if done:
            minutes = policy.answer_within // MINUTE
            text = (
                f"nobody answered for {minutes} minutes: {trip.reason.text}; by their site's choice {len(done)} hosts"
            )
            text += " were moved or released"
            _tell(tx, tenant, now, "trip_unanswered", Severity.URGENT, key, text, hosts=len(reasons))
    return touched


def _is_decided(tx: Tx, policy: Policy, key: str, now: Micros) -> bool:
    """A list says allow or deny about it already."""
    nowhere = Host(policy.tenant, HostId(""), "", site="")
    return listed_verdict(policy, content_facts(key, nowhere, None), now) is not None


def _site_choice(tx: Tx, policy: Policy, reasons: Iterable[PostureReason], now: Micros) -> list[HostId]:
    done: list[HostId] = []
    for reason in reasons:
        host = tx.get(Host, policy.tenant, reason.host_id)
        state = tx.get(HostState, policy.tenant, reason.host_id)
        if host is None or state is None or state.ordered:
            continue
        choice, moved = policy.unanswered_at(host.site), state.access is not Access.PRODUCTION
        why = f"nobody answered the trip about {reason.key[:16]}"
        if choice == "release" and moved:
            release(tx, policy.tenant, reason.host_id, now=now, policy=policy, author=SITE, why=why)
            done.append(reason.host_id)
        elif choice == "quarantine" and not moved and not policy.paused:
            try:
                quarantine(tx, policy.tenant, reason.host_id, now=now, policy=policy, author=SITE, why=why)
            except Refused:
                continue  # protected hosts stay; their own alert named them when it began
            done.append(reason.host_id)
    return done


def _ended_graces(tx: Tx, tenant: TenantId, now: Micros, policy: Policy) -> list[str]:
    """Graces that ended since the last look and whose executable nobody decided: one alert for each executable."""
    told: list[str] = []
    for slot in tx.find(GraceSlot, tenant=tenant, order="until", after=now - policy.grace_look_back, before=now + 1):
        if _is_decided(tx, policy, slot.sha256, now):
            continue
        if not precedents.mark(tx, tenant, GRACE_ENDED, f"{slot.rule}:{slot.sha256}", now):
            continue
        executable = tx.get(Executable, tenant, slot.sha256)
        name = executable.name if executable is not None and executable.name else slot.sha256[:16]
        text = f"the grace of {name} by rule {slot.rule} has ended undecided; its next start is judged anew"
        _tell(tx, tenant, now, "grace_ended", Severity.WARNING, slot.sha256, text, rule=slot.rule)
        told.append(slot.sha256)
    return told


def _tell(
    tx: Tx, tenant: TenantId, now: Micros, kind: str, severity: Severity, key: str, text: str, **facts: object
) -> None:
    event = Event(tenant, new_id(), now, kind, severity, key, text, sha256=key if len(key) == 64 else "", facts=facts)
    tx.put(event)
    tx.note(tenant, "event", event.id)

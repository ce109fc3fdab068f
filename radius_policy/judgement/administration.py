"""What people and sites decide about hosts and modes: clear, quarantine, release, pause, learn → monitor → enforce.

Guarantees: an order that the tables forbid (a quarantine of a protected host) is `Refused` with its reason and changes
nothing. Switching to `enforce` comes with a preview of exactly what it will do; then undecided unknowns get their move,
up to the breaker. Switching back keeps moved hosts until they are decided, and lists them.

What it does not do: it checks nobody's right to decide and writes no audit line; its callers do both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from radius_policy import access as access_table
from radius_policy.breaker import rank
from radius_policy.judgement import admission, inventory
from radius_policy.judgement.policy import LISTS, Policy, checked, of_settings
from radius_policy.judgement.standing import Desk, desk_for, refresh, settle
from radius_policy.model import (
    Access,
    EventKind,
    Executable,
    Execution,
    Host,
    HostId,
    HostState,
    Micros,
    Mode,
    Order,
    OrderState,
    Posture,
    PostureReason,
    Reason,
    Setting,
    Severity,
    Sha256,
    TenantId,
)
from radius_policy.posture import SILENCE, ended_by_clear
from radius_policy.store.interface import Reading, Tx


class Refused(Exception):
    """The tables forbid it; `reason` says which row and why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change of mode will do. `confirmed` and `open_lines` are inventory lines (hash, hosts); `moves` are hosts
    that will be moved, `contained` undecided starts for which there is no place, `stay` hosts that stay moved."""

    mode: Mode
    confirmed: tuple[tuple[Sha256, int], ...] = ()
    open_lines: tuple[tuple[Sha256, int], ...] = ()
    moves: tuple[HostId, ...] = ()
    contained: tuple[tuple[HostId, str], ...] = ()
    stay: tuple[HostId, ...] = ()


def clear_host(
    tx: Tx, tenant: TenantId, host_id: HostId, *, now: Micros, policy: Policy, author: str = "admin"
) -> HostState:
    """A person cleared the host: every reason whose start and deny are both older is over. `UnknownHost`."""
    tx.serialize(tenant)
    desk = desk_for(tx, tenant, host_id, now=now, policy=policy)
    desk.host = replace(desk.host, cleared_at=now)
    tx.put(desk.host)
    over = [key for key, reason in desk.reasons.items() if ended_by_clear(reason, now)]
    for key in over:
        del desk.reasons[key]
    if over:
        tx.delete(PostureReason, tenant=tenant, host_id=host_id, key=over)
    desk.tell("cleared", Severity.INFO, f"{desk.host.name} was cleared by {author}", author=author, reasons=len(over))
    settle(desk, by="admin")
    return desk.state


def quarantine(
    tx: Tx, tenant: TenantId, host_id: HostId, *, now: Micros, policy: Policy, author: str = "admin", why: str = ""
) -> HostState:
    """Quarantine a host until the order is withdrawn; any mode, past breaker and pause. `Refused`, `UnknownHost`."""
    return _order(tx, tenant, host_id, "quarantine", now, policy, author, why)


def release(
    tx: Tx, tenant: TenantId, host_id: HostId, *, now: Micros, policy: Policy, author: str = "admin", why: str = ""
) -> HostState:
    """Give a host production until there is a new reason, whatever is open for it. `UnknownHost`."""
    return _order(tx, tenant, host_id, "release", now, policy, author, why)


def withdraw(
    tx: Tx, tenant: TenantId, host_id: HostId, *, now: Micros, policy: Policy, author: str = "admin"
) -> HostState:
    """Withdraw a standing order: the tables decide again. `UnknownHost`."""
    return _order(tx, tenant, host_id, "", now, policy, author, "")


def _order(
    tx: Tx, tenant: TenantId, host_id: HostId, ordered: str, now: Micros, policy: Policy, author: str, why: str
) -> HostState:
    tx.serialize(tenant)
    desk = desk_for(tx, tenant, host_id, now=now, policy=policy)
    before = desk.state
    desk.state = replace(before, ordered=ordered, ordered_by=author, ordered_why=why, ordered_at=now)
    if ordered == "quarantine":
        _refuse_if_protected(desk)
    tx.put(desk.state)
    settle(desk, by="site" if author == "site" else "admin")
    return desk.state


def _refuse_if_protected(desk: Desk) -> None:
    from radius_policy.judgement.standing import situation

    given, reason = access_table.access(situation(desk, desk.state.posture, desk.state.posture_reason))
    if reason.level in ("never-quarantine", "min-available") and given is Access.PRODUCTION:
        raise Refused(reason)


def mark_silent(tx: Tx, tenant: TenantId, host_id: HostId, since: Micros, *, now: Micros, policy: Policy) -> HostState:
    """No accepted evidence came from a host for three heartbeats, counted only while ingest was up. Idempotent."""
    tx.serialize(tenant)
    desk = desk_for(tx, tenant, host_id, now=now, policy=policy)
    if SILENCE not in desk.reasons:
        move = policy.choices_of(desk.host.site).unmonitored is not Access.PRODUCTION
        because = Reason("unmonitored", "its agent has been silent for three heartbeats")
        reason = PostureReason(tenant, host_id, SILENCE, Posture.UNMONITORED, since, because, move=move)
        reason = admission.admit(desk, reason, f"{SILENCE}:{host_id}")
        desk.reasons[SILENCE] = reason
        tx.put(reason)
        desk.tell(EventKind.AGENT_SILENT, Severity.WARNING, f"the agent of {desk.host.name} is silent", since=since)
    settle(desk)
    return desk.state


def forget_silence(tx: Tx, tenant: TenantId, host_id: HostId, *, now: Micros, policy: Policy) -> HostState | None:
    """Evidence arrived again. None where the host was not silent."""
    if tx.get(PostureReason, tenant, host_id, SILENCE) is None:
        return None
    tx.delete(PostureReason, tenant=tenant, host_id=host_id, key=SILENCE)
    return refresh(tx, tenant, host_id, now=now, policy=policy)


def set_pause(tx: Tx, tenant: TenantId, on: bool, *, now: Micros, policy: Policy, author: str) -> tuple[HostId, ...]:
    """Pause all automatic moves, or lift the pause; the hosts whose access changed.

    Pausing takes back moves that were decided and not sent; lifting it decides and plans anew.
    """
    tx.serialize(tenant)
    after = replace(policy, paused=on)
    _write(tx, tenant, "pause", {"on": on}, now, author)
    if on:  # nobody else can be released by it: what is on the wire goes on
        unsent = tx.find(Order, tenant=tenant, state=[OrderState.PLANNED, OrderState.WAITING_FOR_SESSION])
        return _settle_all(tx, tenant, now, after, [order.host_id for order in unsent if order.tightens])
    waiting = [each for each in tx.find(PostureReason, tenant=tenant) if each.move and not each.contained]
    return _settle_all(tx, tenant, now, after, [each.host_id for each in waiting])


def set_mode(
    tx: Tx,
    tenant: TenantId,
    value: Mapping[str, Any],
    *,
    now: Micros,
    policy: Policy,
    author: str,
    confirm: Iterable[str] = (),
    plan: Preview | None = None,
) -> Preview:
    """Change modes (`{"default": "enforce", "sites": {}, "groups": {}}`) and carry out what `preview_mode` said.

    `confirm` are inventory lines (hashes) that the person confirmed one by one. `plan` is that preview where its caller
    has confirmed its lines already, in short works of their own (`inventory.confirm`): of a large fleet they are too
    many for one. Raises ValueError for a wrong mode.
    """
    tx.serialize(tenant)
    done, plan = plan is not None, plan or preview_mode(tx, tenant, value, now=now, policy=policy, confirm=confirm)
    _write(tx, tenant, "mode", dict(checked("mode", value)), now, author)
    after = replace(policy, modes=of_settings(tenant, {"mode": value}).modes)
    entries = [] if done else inventory.confirm(tx, tenant, [sha for sha, _ in plan.confirmed], author=author, now=now)
    if entries:
        tx.note(tenant, "settings", LISTS)
        after = after.with_entries(entries)
        known = {entry.value for entry in entries}
        undecided = tx.find(PostureReason, tenant=tenant, posture=Posture.POTENTIAL_PROBLEM)
        over = [each for each in undecided if each.key in known]
        for each in over:
            tx.delete(PostureReason, tenant=tenant, host_id=each.host_id, key=each.key)
        _settle_all(tx, tenant, now, after, [each.host_id for each in over])
    moved = _settle_all(tx, tenant, now, after, [each.host_id for each in tx.find(PostureReason, tenant=tenant)])
    return replace(plan, moves=moved or plan.moves)


def preview_mode(
    reading: Reading,
    tenant: TenantId,
    value: Mapping[str, Any],
    *,
    now: Micros,
    policy: Policy,
    confirm: Iterable[str] = (),
) -> Preview:
    """What `set_mode` with this value will do, without doing it. Raises ValueError for a wrong mode."""
    modes = of_settings(tenant, {"mode": value}).modes
    reasons = reading.find(PostureReason, tenant=tenant)
    hosts = {each.host_id: each for each in reading.find(Host, tenant=tenant)}
    enforced = [each for each in reasons if (host := hosts.get(each.host_id)) is not None and modes.of(host.site, host.groups) is Mode.ENFORCE]  # fmt: skip
    if not any(mode is Mode.ENFORCE for mode in (modes.default, *modes.sites.values(), *modes.groups.values())):
        stay = reading.find(HostState, tenant=tenant, access=[Access.REMEDIATION, Access.BLOCKED])
        return Preview(modes.default, stay=tuple(each.host_id for each in stay))
    chosen = set(confirm)
    confirmed: list[tuple[Sha256, int]] = []
    open_lines: list[tuple[Sha256, int]] = []
    for line in inventory.unconfirmed(reading, tenant):
        to = confirmed if line.speaks_for_itself or line.sha256 in chosen else open_lines
        to.append((line.sha256, line.hosts))
    known = {sha for sha, _ in confirmed}
    undecided = [each for each in enforced if each.key not in known and each.move and not each.placed]
    places = policy.limits.executable.places(policy.fleet)
    taken: dict[str, int] = {}
    moves: dict[HostId, None] = {}
    contained: list[tuple[HostId, str]] = []
    for each in sorted(undecided, key=lambda reason: rank(reason.host_id, running=False, at=reason.at)):
        if taken.get(each.key, 0) < places:
            taken[each.key] = taken.get(each.key, 0) + 1
            moves[each.host_id] = None
        else:
            contained.append((each.host_id, each.key))
    return Preview(modes.default, tuple(confirmed), tuple(open_lines), tuple(moves), tuple(contained))


def _settle_all(
    tx: Tx, tenant: TenantId, now: Micros, policy: Policy, host_ids: Iterable[HostId]
) -> tuple[HostId, ...]:
    """Settle hosts anew; undecided moves ask for their places: what runs now first, then the latest start, then the id."""
    ids = list(dict.fromkeys(host_ids))
    running = {
        (each.host_id, each.sha256 or each.id)
        for each in tx.find(Execution, tenant=tenant, host_id=ids, ended=None)
        if each.ran
    }
    desks = {each: desk_for(tx, tenant, each, now=now, policy=policy) for each in ids}
    before = {each: desk.state.access for each, desk in desks.items()}
    waiting = [
        reason for desk in desks.values() for reason in desk.reasons.values() if reason.move and not reason.placed
    ]
    for reason in sorted(waiting, key=lambda r: rank(r.host_id, running=(r.host_id, r.key) in running, at=r.at)):
        desk = desks[reason.host_id]
        executable = tx.get(Executable, tenant, reason.key)
        admitted = admission.admit(desk, reason, admission.key_of(executable, reason.key))
        if admitted != reason:
            desk.reasons[reason.key] = admitted
            tx.put(admitted)
    for desk in desks.values():
        settle(desk)
    return tuple(each for each, desk in desks.items() if desk.state.access is not before[each])


def _write(tx: Tx, tenant: TenantId, name: str, value: dict[str, Any], now: Micros, author: str) -> None:
    before = tx.get(Setting, tenant, name)
    version = before.version + 1 if before is not None else 1
    tx.put(Setting(tenant, name, value, version, author, now))
    tx.note(tenant, "settings", name)

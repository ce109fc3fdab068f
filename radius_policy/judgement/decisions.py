"""A person's decision about executables, and everything it changes: verdicts, reasons, access, orders, trips.

Guarantees: an entry counts for all starts, past ones too. The recompute runs in batches, each one transaction, in any
number of calls; running it again changes nothing. A posture clears only when no reason is left. Taking an allow entry
away moves nobody: only a new start, a deny or a person does (tables.md, Edges).

What it does not do: it asks nobody whether a deny is too wide (`lists.proposals` does, before it comes here).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from radius_policy.access import SITE
from radius_policy.breaker import executable_level, rank
from radius_policy.judgement import admission, precedents, trips
from radius_policy.judgement.circumstances import content_facts, grace_over, listed_verdict
from radius_policy.judgement.policy import LISTS, Policy
from radius_policy.judgement.standing import Desk, blank_state, settle
from radius_policy.model import (
    Access,
    BreakerTrip,
    Event,
    Executable,
    Execution,
    Host,
    HostExecutable,
    HostId,
    HostState,
    ListEntry,
    ListKind,
    Micros,
    Outcome,
    PastEntry,
    Posture,
    PostureReason,
    Reason,
    Sha256,
    TenantId,
    Verdict,
    VerdictWord,
)
from radius_policy.store.interface import Tx

BATCH = 500


@dataclass(frozen=True, slots=True)
class Removal:
    """Take a list entry away."""

    tenant: TenantId
    id: str


@dataclass(frozen=True, slots=True)
class Touched:
    """What a decision touches. So many `hosts` have an open reason about it (a deny: have started it); `policy` is the
    one with the decision in force, for `recompute`."""

    hosts: int
    executables: tuple[Sha256, ...]
    policy: Policy


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What one batch did. `done` says that nothing is left; else call again with `after=next`."""

    hosts: int = 0
    released: tuple[HostId, ...] = ()
    moved: tuple[HostId, ...] = ()
    done: bool = True
    next: tuple[str, str] = ("", "")


def decide_list(tx: Tx, entry: ListEntry | Removal, *, now: Micros, policy: Policy) -> Touched:
    """Put a list entry in force, or take one away, and say whom it touches. `recompute` carries it out.

    LookupError where the entry to remove does not exist.
    """
    if isinstance(entry, Removal):
        known = tx.get(ListEntry, entry.tenant, entry.id)
        if known is None:
            raise LookupError(f"there is no list entry {entry.id!r}")
        tx.delete(ListEntry, tenant=entry.tenant, id=entry.id)
        tx.put(PastEntry(entry.tenant, entry.id, now, known.kind, known.value, known))
        after, subject = policy.with_entries(removed=[entry.id]), known
    else:
        tx.put(entry)
        after, subject = policy.with_entries([entry]), entry
    tx.note(subject.tenant, "settings", LISTS)
    shas = _executables(tx, subject)
    hosts = 0
    for sha in shas:
        tx.note(subject.tenant, "executable", sha)
        if subject.action == "deny" and subject.confirmed and not isinstance(entry, Removal):
            precedents.forget(tx, subject.tenant, sha)
            hosts += tx.count(HostExecutable, tenant=subject.tenant, sha256=sha)
        else:
            hosts += tx.count(PostureReason, tenant=subject.tenant, key=sha)
    return Touched(hosts, tuple(shas), after)


def recompute(
    tx: Tx,
    tenant: TenantId,
    shas: Iterable[Sha256],
    *,
    now: Micros,
    policy: Policy,
    limit: int = BATCH,
    after: tuple[str, str] = ("", ""),
) -> Recomputed:
    """Work out anew, for up to `limit` hosts, what the lists as of `policy` mean for executables already started."""
    tx.serialize(tenant)
    wanted = sorted(set(shas))
    start_sha, start_host = after
    for sha in wanted[wanted.index(Sha256(start_sha)) if start_sha in wanted else 0 :]:
        position = start_host if sha == start_sha else ""
        if not position:
            _end_trips(tx, policy, sha, now)
        batch = _Batch(tx, policy, now, sha)
        reasons, last = batch.next(position, limit)
        if last is None and not reasons:
            continue
        done = batch.carry_out(reasons)
        if last is not None:
            return replace(done, done=False, next=(sha, last))
        following = [each for each in wanted if each > sha]
        return replace(done, done=False, next=(following[0], "")) if following else done
    return Recomputed()


def _executables(tx: Tx, entry: ListEntry) -> list[Sha256]:
    """The executables in this fleet that an entry may be about; which of them it holds for is judged one by one."""
    tenant, value = entry.tenant, entry.value
    match entry.kind:
        case ListKind.HASH:
            return [Sha256(value)]
        case ListKind.SIGNER | ListKind.PRODUCT:
            name = value.split("|")[0].casefold()
            found = tx.find(Executable, tenant=tenant)
            return [each.sha256 for each in found if each.signer is not None and each.signer.casefold() == name]
        case ListKind.CERTIFICATE:
            return [each.sha256 for each in tx.find(Executable, tenant=tenant) if each.certificate == value]
        case ListKind.PACKAGE | ListKind.INSTALLER:
            return sorted({Sha256(each.key) for each in tx.find(PostureReason, tenant=tenant)})


def _end_trips(tx: Tx, policy: Policy, sha: str, now: Micros) -> None:
    """A trip ends for an executable that is allowed everywhere, for a family when all of it that was seen is; a deny keeps
    it."""
    fleet = Host(policy.tenant, HostId(""), "", site="")
    executable = tx.get(Executable, policy.tenant, sha)
    found = listed_verdict(policy, content_facts(sha, fleet, _as_sighted(executable)), now)
    if found is None or found.word is not VerdictWord.ALLOWED:
        return
    own, family = executable_level(sha), executable.family if executable is not None else ""
    ends = {own}
    if family and trips.decided(tx, policy.tenant, _members(tx, policy.tenant, family), now) is VerdictWord.ALLOWED:
        ends.add(executable_level(family))
    for trip in tx.find(BreakerTrip, tenant=policy.tenant, ended=None):
        if trip.level in ends or (trip.level.startswith(admission.BUNDLE) and trip.reason.ref == own):
            tx.put(replace(trip, ended=now))


def _members(tx: Tx, tenant: TenantId, family: str) -> list[Sha256]:
    return [each.sha256 for each in tx.find(Executable, tenant=tenant, family=family)]


def _as_sighted(executable: Executable | None) -> HostExecutable | None:
    if executable is None:
        return None
    facts: dict[str, object] = {
        "signer.state": executable.signer_state, "signer.name": executable.signer,
        "signer.certificate": executable.certificate, "product": executable.product, "version": executable.version,
    }  # fmt: skip
    return HostExecutable(executable.tenant, HostId(""), executable.sha256, 0, 0, facts=facts)


def _end_site_order(desk: Desk) -> None:
    """The site quarantined the host because nobody answered; now somebody did, and nothing else is open for it."""
    state = desk.state
    by_site = state.ordered == "quarantine" and state.ordered_by == SITE
    if by_site and all(each.posture is Posture.UNMONITORED for each in desk.reasons.values()):
        desk.state = replace(state, ordered="", ordered_by="", ordered_why="", ordered_at=0)
        desk.tx.put(desk.state)


@dataclass(slots=True)
class _Buffer:
    """A transaction whose puts of the many small records are kept back and written at once. Reads pass through."""

    tx: Tx
    waiting: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    notes: dict[tuple[TenantId, str, str], None] = field(default_factory=dict)

    def put(self, *records: Any) -> None:
        for record in records:
            if isinstance(record, HostState):
                self.waiting[HostState, record.host_id] = record
            elif isinstance(record, PostureReason):
                self.waiting[PostureReason, record.host_id, record.key] = record
            elif isinstance(record, Event):
                self.waiting[Event, record.id] = record
            else:
                self.tx.put(record)

    def note(self, tenant: TenantId, kind: str, key: str) -> None:
        self.notes[tenant, kind, key] = None

    def flush(self) -> None:
        for kind in (PostureReason, HostState, Event):
            records = [record for record in self.waiting.values() if type(record) is kind]
            if records:
                self.tx.put(*records)
        for note in self.notes:
            self.tx.note(*note)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tx, name)


@dataclass(slots=True)
class _Batch:
    """One executable on some hosts, read together and written together."""

    tx: Tx
    policy: Policy
    now: Micros
    sha: Sha256
    plain: bool = False

    def next(self, position: str, limit: int) -> tuple[list[HostId], str | None]:
        """Up to `limit` hosts to look at and where to go on (None at the end).

        After a deny the ones that run it now come first, then the latest starts: places go to them.
        """
        tenant = self.policy.tenant
        if not self._denied():
            found = self.tx.find(
                PostureReason, tenant=tenant, key=self.sha, order="host_id", after=position or None, limit=limit
            )
            hosts = [each.host_id for each in found]
            return hosts, hosts[-1] if len(hosts) == limit else None
        first: list[HostId] = []
        if not position:
            running = {
                each.host_id for each in self.tx.find(Execution, tenant=tenant, sha256=self.sha, ended=None) if each.ran
            }
            latest = self.tx.find(
                HostExecutable, tenant=tenant, sha256=self.sha, order="last", descending=True, limit=limit
            )
            by_start = sorted(
                latest, key=lambda each: rank(each.host_id, running=each.host_id in running, at=each.last)
            )
            first = [each.host_id for each in by_start if each.ran]
            if len(latest) < limit:
                return first, None
            return first, "\x01"  # before every host; NUL would be no text to PostgreSQL
        found_here = self.tx.find(
            HostExecutable, tenant=tenant, sha256=self.sha, order="host_id", after=position, limit=limit
        )
        return [each.host_id for each in found_here if each.ran], (
            found_here[-1].host_id if len(found_here) == limit else None
        )

    def _denied(self) -> bool:
        if not self.policy.denies:
            return False
        entries = self.policy.entries.values()
        about: set[str] = {self.sha}
        executable = self.tx.get(Executable, self.policy.tenant, self.sha)
        if executable is not None:
            about |= {each for each in (executable.signer, executable.certificate) if each is not None}
        names = {each.casefold() for each in about}
        return any(each.action == "deny" and each.confirmed and each.value.casefold() in names for each in entries)

    def carry_out(self, host_ids: list[HostId]) -> Recomputed:
        tenant = self.policy.tenant
        hosts = {each.host_id: each for each in self.tx.find(Host, tenant=tenant, host_id=host_ids)}
        states = {each.host_id: each for each in self.tx.find(HostState, tenant=tenant, host_id=host_ids)}
        # What a plainly allowed hash was at its sightings cannot matter.
        self.plain = self.policy.plainly_allows(self.sha, self.now) is not None
        sighted = [] if self.plain else self.tx.find(HostExecutable, tenant=tenant, sha256=self.sha, host_id=host_ids)
        known = {each.host_id: each for each in sighted}
        reasons: dict[HostId, dict[str, PostureReason]] = {host_id: {} for host_id in host_ids}
        for each in self.tx.find(PostureReason, tenant=tenant, host_id=host_ids):
            reasons[each.host_id][each.key] = each
        buffer = _Buffer(self.tx)
        executable = self.tx.get(Executable, tenant, self.sha)
        gone: list[HostId] = []
        released: list[HostId] = []
        moved: list[HostId] = []
        for host_id in host_ids:
            host = hosts.get(host_id)
            if host is None:
                continue
            state = states.get(host_id) or blank_state(host)
            desk = Desk(buffer, self.policy, self.now, host, reasons[host_id], state)
            if self._decide(desk, known.get(host_id), executable):
                gone.append(host_id)
                _end_site_order(desk)
            was = desk.state.access
            settle(desk)
            if desk.state.access.strictness < was.strictness:
                released.append(host_id)
            elif was is Access.PRODUCTION and desk.state.access is not was:
                moved.append(host_id)
        if gone:
            self.tx.delete(PostureReason, tenant=tenant, key=self.sha, host_id=gone)
        buffer.flush()
        return Recomputed(len(host_ids), tuple(released), tuple(moved))

    def _decide(self, desk: Desk, known: HostExecutable | None, executable: Executable | None) -> bool:
        """Change the host's reason about this executable; whether it is gone."""
        reason = desk.reasons.get(self.sha)
        if self.plain:
            return desk.reasons.pop(self.sha, None) is not None
        found = listed_verdict(self.policy, content_facts(self.sha, desk.host, known), self.now)
        if found is not None and found.word is VerdictWord.DENIED:
            if known is not None and known.ran and (reason is None or reason.posture is not Posture.COMPROMISED):
                self._compromise(desk, reason, found, known, executable)
            return False
        if reason is None:
            return False
        if found is not None or self._graced(desk, known):
            del desk.reasons[self.sha]
            return True
        if reason.posture is Posture.COMPROMISED:
            because = replace(reason.reason, level="unknown", text="it is no longer denied, but nothing allows it")
            desk.reasons[self.sha] = replace(reason, posture=Posture.POTENTIAL_PROBLEM, reason=because)
            desk.tx.put(desk.reasons[self.sha])
        return False

    def _graced(self, desk: Desk, known: HostExecutable | None) -> bool:
        if known is None or known.verdict is not VerdictWord.GRACED:
            return False
        return not grace_over(self.tx, self.policy, known, self.now)

    def _compromise(
        self,
        desk: Desk,
        reason: PostureReason | None,
        found: Verdict,
        known: HostExecutable,
        executable: Executable | None,
    ) -> None:
        because: Reason = replace(found.reason, text=f"{known.path} ran here and is denied ({found.reason.text})")
        new = PostureReason(
            desk.tenant,
            desk.host.host_id,
            self.sha,
            Posture.COMPROMISED,
            max(self.now, known.last),
            because,
            move=True,
            contained=reason is not None and reason.contained,
            placed=reason is not None and reason.placed,
            outcomes=(Outcome.MOVE,),
        )
        if desk.state.ordered == "release":
            desk.state = replace(desk.state, ordered="", ordered_by="", ordered_why="", ordered_at=0)
        new = admission.admit(desk, new, admission.key_of(executable, self.sha), by_person=True)
        desk.reasons[self.sha] = new
        desk.tx.put(new)
        if desk.policy.pilot in desk.host.groups:
            precedents.incident(self.tx, desk.tenant, self.sha)

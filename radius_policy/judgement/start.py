"""One start being recorded: the steps from its verdict to its host's access, in their order.

Guarantees: everything is written through the one transaction that it was given, so all of it holds or nothing. What the
content was at its first sighting on a host is kept for later starts; counts rise once per host.

What it does not do: it does not find the verdict and does not know repeated reports (`recording.py` does both first).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from radius_policy import held, posture
from radius_policy.facts.places import place
from radius_policy.held import Held, Judged
from radius_policy.judgement import acts, admission, inventory, precedents
from radius_policy.judgement.circumstances import Circumstances, SlotsOf
from radius_policy.judgement.found_facts import FLEET
from radius_policy.judgement.policy import Policy
from radius_policy.judgement.spans import span_of
from radius_policy.judgement.standing import Desk, desk_for, settle
from radius_policy.model import (
    Access,
    Event,
    Executable,
    Execution,
    GraceSlot,
    Host,
    HostExecutable,
    HostState,
    Micros,
    Mode,
    Order,
    Outcome,
    Posture,
    PostureReason,
    Prevalence,
    Reason,
    Severity,
    Sha256,
    Verdict,
    VerdictWord,
)
from radius_policy.quick import maker
from radius_policy.store.interface import Tx

_RUNS = frozenset((Held.RELEASED, Held.WAIT_FOR_MOVE, Held.WAIT_FOR_CUT))
_TRUSTED = frozenset((VerdictWord.ALLOWED, VerdictWord.GRACED))
_TOLD = frozenset((Outcome.ALERT, Outcome.OBSERVE))
_ON_EACH_HOST = acts.BY_AGENT | {Outcome.RUN_SCRIPT}
_sighted: Callable[..., HostExecutable] = maker(HostExecutable)
_slot: Callable[..., GraceSlot] = maker(GraceSlot)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one start. `moved`: it took its host out of production; `contained`: it is held where it is.

    `alert`: people are told of this executable or family for the first time. `repeated`: it was recorded before, and
    nothing was recorded now. `state` is None where an allowed start left the host as it was. `agent` are the outcomes that
    the host's agent is to carry out: `cut`, `isolate`.
    """

    verdict: Verdict
    sighting: bool = False
    first_in_fleet: bool = False
    state: HostState | None = None
    moved: bool = False
    contained: bool = False
    events: tuple[Event, ...] = ()
    orders: tuple[Order, ...] = ()
    held: Held = Held.RELEASED
    alert: bool = False
    repeated: bool = False
    agent: frozenset[Outcome] = acts.NOTHING


_decision: Callable[..., Decision] = maker(Decision)


@dataclass(slots=True)
class Start:
    """One start being recorded: what was read, and the steps in their order."""

    tx: Tx
    policy: Policy
    execution: Execution
    host: Host
    now: Micros
    around: Circumstances
    verdict: Verdict
    before: HostExecutable | None
    executable: Executable | None
    make_id: Callable[[], str]

    @property
    def key(self) -> str:
        return self.execution.sha256 or self.execution.id

    @property
    def late(self) -> bool:
        """It began before a person cleared the host, so it moves nobody (tables.md, Edges)."""
        return self.host.cleared_at is not None and self.execution.started <= self.host.cleared_at

    def decided(self, slots: SlotsOf | None) -> Decision:
        first_in_fleet, sighting = self.executable is None and self.execution.sha256 is not None, self.before is None
        self._remember_content()
        word = self.verdict.word
        if word is VerdictWord.GRACED:
            self._take_slot(slots)
        if word in _TRUSTED:
            return self._trusted(slots, first_in_fleet=first_in_fleet, sighting=sighting)
        desk = self._desk()
        desk.parent = self.execution.parents[0].path if self.execution.parents else ""
        desk.bundle = admission.bundle_of(self.execution)
        desk.first_seen = self.executable.first_seen if self.executable is not None else self.execution.started
        desk.newcomer = first_in_fleet and self.executable is not None and not self.executable.family
        was = desk.state.access
        reason, alert = self._open_reason(desk)
        settle(desk)
        away = desk.state.access is not Access.PRODUCTION
        contained = reason is not None and reason.contained
        becomes = self._held(desk, contained=contained, moved=away)
        self._store_run(becomes)
        return Decision(
            self.verdict,
            sighting,
            first_in_fleet,
            desk.state,
            moved=was is Access.PRODUCTION and away,
            contained=contained,
            events=tuple(desk.events),
            orders=tuple(desk.orders),
            held=becomes,
            alert=alert,
            agent=acts.of(desk, self.verdict.outcomes) if reason is not None else acts.NOTHING,
        )

    def _desk(self) -> Desk:
        return desk_for(
            self.tx,
            self.host.tenant,
            self.host.host_id,
            now=self.now,
            policy=self.policy,
            host=self.host,
            make_id=self.make_id,
        )

    # --- allowed and graced -----------------------------------------------------------------------------------

    def _trusted(self, slots: SlotsOf | None, *, first_in_fleet: bool, sighting: bool) -> Decision:
        graced = self.verdict.word is VerdictWord.GRACED
        if not self.policy.replay:
            self._store_execution(self.execution.ran)
        reason = self.tx.get(PostureReason, self.host.tenant, self.host.host_id, self.key)
        first = graced and slots is not None and slots.first
        told = graced and slots is not None and self._told_of_grace(slots)
        if reason is None and not told:
            return _decision(self.verdict, sighting, first_in_fleet)
        desk = self._desk()
        agent = acts.of(desk, self.verdict.outcomes) if graced else acts.NOTHING
        if told:
            severity = Severity.WARNING if first and Outcome.ALERT in self.verdict.outcomes else Severity.INFO
            text = f"{self.execution.path} on {self.host.name}: {self.verdict.reason.text}{acts.said(agent)}"
            desk.tell("graced", severity, text, topic=self.key, sha256=self.key, rule=self.verdict.reason.ref)
        if reason is not None and reason.posture is not Posture.COMPROMISED:
            del desk.reasons[self.key]
            self.tx.delete(PostureReason, tenant=self.host.tenant, host_id=self.host.host_id, key=self.key)
            settle(desk)
        return Decision(
            self.verdict, sighting, first_in_fleet, desk.state, events=tuple(desk.events), orders=tuple(desk.orders),
            agent=agent,
        )  # fmt: skip

    def _told_of_grace(self, slots: SlotsOf) -> bool:
        """Once for the executable where its rule says alert or observe; on each host where something is to happen there."""
        outcomes = self.verdict.outcomes
        return bool((slots.first and outcomes & _TOLD) or (slots.taken is None and outcomes & _ON_EACH_HOST))

    def _take_slot(self, slots: SlotsOf | None) -> None:
        if slots is None or slots.taken is not None or self.verdict.until is None:
            return
        sha, rule = self.key, self.verdict.reason.ref
        self.tx.put(_slot(self.host.tenant, rule, sha, self.host.host_id, self.now, self.verdict.until))

    # --- unknown, denied and unjudgeable -------------------------------------------------------------------------

    def _store_run(self, becomes: Held) -> None:
        """A start that is held ran only if it is released, now or after the move."""
        execution = self.execution
        ran = becomes in _RUNS if execution.held else execution.ran
        self._store_execution(ran)
        if execution.held and ran and execution.sha256 is not None:
            here = self.tx.get(HostExecutable, self.host.tenant, self.host.host_id, execution.sha256)
            if here is not None and not here.ran:
                self.tx.put(replace(here, ran=True))

    def _ran(self, desk: Desk) -> bool:
        """Whether it ran: a denied program that is held is refused, unless the mode is not `enforce`."""
        execution = self.execution
        if not execution.held or self.verdict.word is not VerdictWord.DENIED:
            return execution.ran
        return desk.mode is not Mode.ENFORCE and not self.policy.deny_in_monitor

    def _open_reason(self, desk: Desk) -> tuple[PostureReason | None, bool]:
        made = posture.of_start(self.verdict.word, ran=self._ran(desk))
        name = self.execution.path
        if made is None:
            text = f"{name} was refused on {self.host.name}: {self.verdict.reason.text}"
            desk.tell("denied_refused", Severity.WARNING, text, topic=self.key, sha256=self.key)
            return None, False
        if self.late:
            return self._too_late(desk)
        before = desk.reasons.get(self.key)
        compromised = made is Posture.COMPROMISED
        key = admission.key_of(self.executable, self.key)
        same = before is not None and before.posture is made
        reason = PostureReason(
            self.host.tenant,
            self.host.host_id,
            self.key,
            before.posture if before is not None and before.posture is Posture.COMPROMISED else made,
            max(self.execution.started, before.at if before is not None else 0),
            before.reason if same and before is not None else self._why(),
            move=compromised or self._moves(made) or (before is not None and before.move),
            contained=before is not None and before.contained,
            placed=before is not None and before.placed,
            outcomes=tuple(sorted(self.verdict.outcomes)),
        )
        if desk.state.ordered == "release":
            desk.state = replace(desk.state, ordered="", ordered_by="", ordered_why="", ordered_at=0)
            self.tx.put(desk.state)
        alert = self._alert_once(desk, key)
        if desk.mode is Mode.LEARN:
            self._list_unconfirmed()
        reason = admission.admit(desk, reason, key, by_person=compromised)
        alert = alert and not desk.joined
        desk.reasons[self.key] = reason
        if reason != before:
            self.tx.put(reason)
        self._tell_start(desk, reason, first=alert)
        if compromised:
            admission.tie(desk, self.execution, self.around)
        return reason, alert

    def _list_unconfirmed(self) -> None:
        """What is learned becomes a line of the inventory that decides nothing until a person confirms it (J23)."""
        sha = self.execution.sha256
        if sha is not None and self.verdict.word is VerdictWord.UNKNOWN:
            inventory.learned(self.tx, self.host.tenant, sha, proven=self.execution.proven, now=self.now)

    def _moves(self, made: Posture) -> bool:
        if made is Posture.UNMONITORED:
            return self.policy.choices_of(self.host.site).unmonitored is not Access.PRODUCTION
        return Outcome.MOVE in self.verdict.outcomes

    def _why(self) -> Reason:
        word = {VerdictWord.DENIED: "denied program", VerdictWord.UNKNOWN: "unknown program"}.get(
            self.verdict.word, "program without identity"
        )
        because = self.verdict.reason
        return replace(because, text=f"{word} {self.execution.path} was started ({because.text})")

    def _alert_once(self, desk: Desk, key: str) -> bool:
        """Whether people hear of this executable or family for the first time."""
        kind = precedents.DENIED_TOLD if self.verdict.word is VerdictWord.DENIED else precedents.TOLD
        return precedents.mark(self.tx, self.host.tenant, kind, key, self.now, new=desk.newcomer)

    def _too_late(self, desk: Desk) -> tuple[None, bool]:
        denied = self.verdict.word is VerdictWord.DENIED
        severity, kind = (Severity.URGENT, "late_denied") if denied else (Severity.INFO, "late_unknown")
        text = f"{self.execution.path} ran on {self.host.name} before the host was cleared: {self.verdict.reason.text}"
        if denied:
            text += "; it was not moved for that, quarantine it if it should be"
        desk.tell(kind, severity, text, topic=self.key, sha256=self.key, started=self.execution.started)
        return None, False

    def _tell_start(self, desk: Desk, reason: PostureReason, *, first: bool) -> None:
        denied, unjudgeable = self.verdict.word is VerdictWord.DENIED, self.verdict.word is VerdictWord.UNJUDGEABLE
        kind = "denied_ran" if denied else "unjudgeable" if unjudgeable else "unknown_ran" if reason.move else "held"
        loud = first or reason.placed or denied
        quiet = not reason.move and not {Outcome.ALERT, Outcome.HOLD} & self.verdict.outcomes
        quiet = quiet or desk.mode is Mode.LEARN
        severity = Severity.URGENT if denied else Severity.WARNING if loud and not quiet else Severity.INFO
        what = "its host is moved" if reason.placed else "it is contained" if reason.contained else "nobody is moved"
        parent = self.execution.parents[0].path if self.execution.parents else None
        what += acts.said(acts.of(desk, self.verdict.outcomes))
        text = f"{self.execution.path} on {self.host.name}: {self.verdict.reason.text}; {what}"
        desk.tell(
            kind, severity, text, topic=admission.key_of(self.executable, self.key), sha256=self.execution.sha256 or "",
            path=self.execution.path, parent=parent, user=self.execution.user, first=first, moved=reason.placed,
            contained=reason.contained, started=self.execution.started, rule=self.verdict.reason.ref,
            hosts=self.around.hosts_elsewhere(FLEET) + 1, digest=quiet,
        )  # fmt: skip

    def _held(self, desk: Desk, *, contained: bool, moved: bool) -> Held:
        return held.held(
            Judged(
                self.verdict.word,
                desk.mode,
                self.verdict.outcomes,
                contained=contained,
                moved=moved,
                protected=self.host.never_quarantine,
                paused=self.policy.paused,
                deny_in_monitor=self.policy.deny_in_monitor,
                release_after_move=self.policy.release_after_move,
            )
        )

    # --- what is remembered -----------------------------------------------------------------------------------

    def _store_execution(self, ran: bool) -> None:
        if self.policy.replay:  # the memory of the replay only: nobody reads its verdict
            self.tx.put(self.execution)
            return
        entry = self.policy.entries.get(self.verdict.reason.ref)
        span = span_of(
            self.verdict.word,
            self.execution.started,
            self.execution.ended,
            uncertainty_us=self.execution.uncertainty_us,
            allowed_since=entry.created if entry is not None else None,
        )
        self.tx.put(
            replace(
                self.execution,
                span=span,
                verdict=self.verdict.word,
                reason=self.verdict.reason,
                until=self.verdict.until,
                rules=self.policy.rules.version,
                ran=ran,
                sighting=self.before is None,
            )
        )

    def _remember_content(self) -> None:
        execution, sha, tenant = self.execution, self.execution.sha256, self.host.tenant
        if sha is None:
            return
        started = execution.started
        if self.executable is None:
            family = self.around.family().get("family")
            self.executable = Executable(
                tenant, sha, execution.kind, None, place(execution.path).name, str(family or ""), execution.signer,
                execution.signer_state, execution.certificate, execution.product, execution.version, started,
                execution.host_id,
            )  # fmt: skip
            self.tx.put(self.executable)
            self.tx.note(tenant, "executable", sha)
        elif started < self.executable.first_seen:
            self.tx.put(replace(self.executable, first_seen=started, first_host=execution.host_id))
        before, found = self.before, self.verdict
        if before is None:
            content = self.around.content_facts()
            self.tx.put(
                _sighted(
                    tenant, execution.host_id, sha, started, started, 1, execution.path, found.word, found.reason.ref,
                    content, ran=execution.ran and (not execution.held or found.word in _TRUSTED),
                )
            )  # fmt: skip
            if self.policy.memo is None or self.policy.memo.counts:
                self.tx.put(self._counted(sha, f"site:{self.host.site}"), self._counted(sha, FLEET))
        else:
            first, last = min(before.first, started), max(before.last, started)
            self.tx.put(
                replace(
                    before, first=first, last=last, starts=before.starts + 1, verdict=found.word, rule=found.reason.ref,
                    ran=before.ran or (execution.ran and not execution.held),
                )
            )  # fmt: skip
        if before is None or before.verdict is not found.word:
            self._set_precedents()

    def _counted(self, sha: Sha256, scope: str) -> Prevalence:
        started, known = self.execution.started, self.around.prevalence(scope)
        if known is None:
            return Prevalence(self.host.tenant, sha, scope, 1, started, started)
        first, last = min(known.first, started), max(known.last, started)
        return Prevalence(known.tenant, sha, scope, known.hosts + 1, first, last)

    def _set_precedents(self) -> None:
        execution, sha, tenant = self.execution, self.execution.sha256, self.host.tenant
        word = self.verdict.word
        if sha is None or word not in _TRUSTED:
            return
        memo, here = self.policy.memo, place(execution.path)
        parent = execution.parents[0].sha256 if execution.parents else None
        writer = execution.writer.sha256 if execution.writer is not None else None
        done = (sha, here.root, here.name, word, parent, writer)
        if memo is None or done not in memo.deeds:
            deed, signer = precedents.deed_of(execution, word, self.now), self.around.signer
            precedents.remember(self.tx, deed if deed.signer == signer else replace(deed, signer=signer))
            if memo is not None:
                memo.deeds.add(done)
        if self.host.image and execution.proven and (execution.provenance or "").startswith("image:"):
            precedents.mark(self.tx, tenant, precedents.IMAGE, precedents.pair(self.host.image, sha), self.now, sha)
        if self.policy.pilot in self.host.groups:
            precedents.ran_on_pilot(self.tx, tenant, sha, self.host.host_id, self.host.user, self.now)

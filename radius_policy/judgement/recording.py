"""The transaction of one start: sighting, verdict, posture, access, orders and alerts, all in one.

Guarantees: a start is recorded once, however often it arrives; everything that follows from it is decided in the same
transaction, so that nothing is told or ordered that is not on disk. Nobody is moved without breaker places, in mode
learn or monitor, or while paused. A start that is older than the last clear of its host never moves it.

What it does not do: it has no clock, rings no bell and sends nothing. Decisions of people about lists and hosts are in
`decisions.py` and `administration.py`.
"""

from collections.abc import Callable
from dataclasses import replace

from radius_policy import verdict
from radius_policy.grace import RuleSet
from radius_policy.judgement import admission, spans
from radius_policy.judgement.circumstances import Circumstances, SlotsOf
from radius_policy.judgement.found_facts import facts_of
from radius_policy.judgement.policy import Policy
from radius_policy.judgement.standing import UnknownHost, new_id
from radius_policy.judgement.start import Decision, Start
from radius_policy.model import (
    Executable,
    Execution,
    Host,
    HostExecutable,
    HostId,
    HostState,
    ListEntry,
    Micros,
    Outcome,
    PostureReason,
    Reason,
    TenantId,
    Verdict,
    VerdictWord,
)
from radius_policy.store.interface import Tx

UNREADABLE = Verdict(
    VerdictWord.UNKNOWN,
    Reason("unknown", "its content could not be read (deleted, or too late); only clearing the host decides it"),
    outcomes=frozenset((Outcome.MOVE,)),
)
_NO_RULES = RuleSet()


def record(
    tx: Tx,
    execution: Execution,
    *,
    now: Micros,
    policy: Policy,
    make_id: Callable[[], str] = new_id,
    host: Host | None = None,
) -> Decision:
    """Record one start and decide all that follows. `UnknownHost` where its endpoint is not enrolled.

    `execution.started` is by the service's clock already; `received` is kept as given. `host` is its endpoint as this
    transaction knows it, where the caller has read it.
    """
    tenant, sha = execution.tenant, execution.sha256
    tx.serialize(tenant)
    host = host or tx.get(Host, tenant, execution.host_id)
    if host is None:
        raise UnknownHost(f"there is no endpoint {execution.host_id!r}")
    before = tx.get(HostExecutable, tenant, execution.host_id, sha) if sha is not None else None
    if before is not None or sha is None:
        if not policy.replay and (known := tx.get(Execution, tenant, execution.id)) is not None:
            return _repeated(tx, known, before)
        if before is not None and before.verdict is VerdictWord.ALLOWED:
            entry = policy.plainly_allows(sha, now)
            if entry is not None and before.rule == entry.id and entry.created <= execution.started:
                return Decision(_allowed_by(entry))
    executable = tx.get(Executable, tenant, sha) if sha is not None else None
    around = Circumstances(tx, policy, execution, host, now, executable, before)
    judged, slots = _judged(around, execution)
    start = Start(tx, policy, execution, host, now, around, judged, before, executable, make_id)
    return start.decided(slots)


def finish(
    tx: Tx, tenant: TenantId, host_id: HostId, execution_id: str, ended: Micros, uncertain: bool, *, now: Micros
) -> bool:
    """The end of a recorded start; whether it was news. An end for a start never heard of, or of another host, is none."""
    known = tx.get(Execution, tenant, execution_id)
    if known is None or known.host_id != host_id or known.ended is not None:
        return False
    at = max(min(ended, now), known.started)
    tx.put(replace(known, ended=at, end_uncertain=uncertain, span=spans.ended(known, at)))
    return True


def _repeated(tx: Tx, known: Execution, before: HostExecutable | None) -> Decision:
    state = tx.get(HostState, known.tenant, known.host_id)
    reason = tx.get(PostureReason, known.tenant, known.host_id, known.sha256 or known.id)
    word = before.verdict if before is not None else known.verdict
    outcomes = frozenset(reason.outcomes) if reason is not None else frozenset()
    return Decision(
        Verdict(word, known.reason, known.until, outcomes),
        state=state,
        contained=reason is not None and reason.contained,
        repeated=True,
    )


def _allowed_by(entry: ListEntry) -> Verdict:
    return Verdict(VerdictWord.ALLOWED, Reason("allow", "this executable is on the allow list", entry.id, entry.author))


def _judged(around: Circumstances, execution: Execution) -> tuple[Verdict, SlotsOf | None]:
    if not execution.judgeable:
        return verdict.UNJUDGEABLE, None
    if execution.sha256 is None:
        return UNREADABLE, None
    policy, now = around.policy, around.now
    entry = policy.plainly_allows(execution.sha256, now)
    if entry is not None:
        return _allowed_by(entry), None
    slots = SlotsOf(around.reading, policy.tenant, execution.host_id, execution.sha256)
    asked_unknown = policy.unknown_at(around.host.site)
    facts = facts_of(around)
    found = verdict.judge(facts, policy.lists, policy.rules, now, slots=slots, unknown=asked_unknown)
    if Outcome.CUT in asked_unknown and found.word is VerdictWord.UNKNOWN:  # whatever a rule asks for besides
        found = replace(found, outcomes=found.outcomes | {Outcome.CUT})
    key = admission.key_of(around.executable, execution.sha256)
    if found.word is VerdictWord.GRACED and admission.is_tied(around.reading, policy.tenant, key):
        found = verdict.judge(facts, policy.lists, _NO_RULES, now, unknown=asked_unknown)
    return found, slots

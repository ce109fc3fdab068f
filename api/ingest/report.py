"""A report of executions becomes records, verdicts and orders, in one transaction.

Guarantees: the message's id is stored with it, so a retry answers the same again and records nothing (`repeated`); every
start is placed by the endpoint's clock, corrected by what was learned about it, and never after its receipt; evidence
after silence makes the host monitored again in the same transaction. What is decided comes from `judgement`.
"""

from dataclasses import replace
from typing import Final

from api.ingest import clock, orders
from api.ingest.silence import HEARTBEAT_S, wake
from health_agent import contract
from radius_policy import judgement
from radius_policy.judgement.policy import Policy
from radius_policy.model import (
    Evidence,
    Execution,
    Host,
    Micros,
    Operation,
    Outcome,
    ParentRef,
    Sha256,
    VerdictWord,
)
from radius_policy.store.interface import Reading, Tx

ACTIONS: Final = {Outcome.CUT: contract.Action.CUT, Outcome.ISOLATE: contract.Action.ISOLATE}
"""What an agent is asked for an outcome that it has to carry out."""


def take_report(
    tx: Tx, host: Host, report: contract.Report, *, received: Micros, policy: Policy
) -> tuple[contract.Answer, list[judgement.Decision]]:
    """Record what a checked report says; (the answer, what was decided)."""
    fresh = heard(tx, host, report, received=received, policy=policy)
    if fresh is None:
        return again(tx, host, report, received=received), []
    host = fresh
    decisions = []
    verdicts: dict[str, contract.VerdictNotice] = {}
    for told in report.executions:
        decision = judgement.record(tx, execution(host, told, received), now=received, policy=policy, host=host)
        decisions.append(decision)
        for outcome in decision.agent:
            if told.sha256:
                orders.ask(tx, host.tenant, [host.host_id], ACTIONS[outcome], sha256=told.sha256, now=received)
        if told.sha256:
            verdicts[told.sha256] = _notice(
                told.sha256, decision.verdict.word, decision.verdict.reason.text, decision.verdict.until
            )
    for end in report.ends:
        ended = min(end.ended_us + host.clock_offset_us, received)
        judgement.finish(tx, host.tenant, host.host_id, end.execution, ended, end.uncertain, now=received)
    return answer(tx, host, report, received=received, verdicts=tuple(verdicts.values())), decisions


def heard(tx: Tx, host: Host, message: contract.Signed, *, received: Micros, policy: Policy) -> Host | None:
    """Note that the host was heard: the host as it stands now, or None when this message was recorded before."""
    if not tx.add(Evidence(host.tenant, host.host_id, message.id, received)):
        return None
    observed = received - message.clock_us
    known = clock.Offset(host.clock_offset_us, host.clock_uncertainty_us)
    # No uncertainty at all means that no message was seen yet: an estimate never claims to be exact.
    learned = clock.follow(known, observed) if host.clock_uncertainty_us else clock.first(observed)
    fresh = replace(
        host, last_evidence=received, clock_offset_us=learned.offset_us, clock_uncertainty_us=learned.uncertainty_us
    )
    tx.put(fresh)
    wake(tx, host, now=received, policy=policy)
    return fresh


def answer(
    tx: Reading,
    host: Host,
    message: contract.Signed,
    *,
    received: Micros,
    verdicts: tuple[contract.VerdictNotice, ...] = (),
    repeated: bool = False,
) -> contract.Answer:
    """The acknowledgement, with the orders that stand."""
    return contract.Answer(
        id=message.id,
        service_us=received,
        verdicts=verdicts,
        orders=orders.standing(tx, host.tenant, host.host_id),
        heartbeat_s=HEARTBEAT_S,
        repeated=repeated,
    )


def again(tx: Reading, host: Host, message: contract.Signed, *, received: Micros) -> contract.Answer:
    """The answer to a message that was recorded before: the verdicts as recorded then."""
    notices: dict[str, contract.VerdictNotice] = {}
    for told in message.executions if isinstance(message, contract.Report) else ():
        known = tx.get(Execution, host.tenant, told.id)
        if known is not None and known.sha256 and known.host_id == host.host_id:
            notices[known.sha256] = _notice(known.sha256, known.verdict, known.reason.text, known.until)
    return answer(tx, host, message, received=received, verdicts=tuple(notices.values()), repeated=True)


def execution(host: Host, told: contract.Execution, received: Micros) -> Execution:
    """An execution of the wire as the model's, its start by the service's clock."""
    signer = told.signer
    return Execution(
        host.tenant,
        told.id,
        host.host_id,
        Sha256(told.sha256) if told.sha256 else None,
        told.path,
        told.pid,
        started=max(0, min(told.started_us + host.clock_offset_us, received)),
        received=received,
        user=told.user or "",
        kind=str(told.kind),
        uncertainty_us=host.clock_uncertainty_us,
        sighting=told.sighting,
        held=told.held,
        parents=tuple(_ref(parent) for parent in told.parents),
        provenance=_provenance(told.provenance),
        proven=told.provenance.proven,
        writer=_ref(told.provenance.writer) if told.provenance.writer else None,
        interpreter=_ref(told.interpreter) if told.interpreter else None,
        signer=signer.name if signer else None,
        signer_state=str(signer.state) if signer else None,
        certificate=signer.certificate if signer else None,
        product=signer.product if signer else None,
        version=signer.version if signer else None,
    )


def operation(told: contract.Operation) -> Operation:
    """The agent's operation as the model's."""
    return Operation(str(told))


def _provenance(told: contract.Provenance) -> str | None:
    """`SOURCE:DETAIL`, as `radius_policy.facts.table.split_provenance` reads it; None where nothing is known."""
    if told.detail:
        return f"{told.source}:{told.detail}"
    return None if told.source is contract.Source.UNKNOWN else str(told.source)


def _ref(program: contract.Program) -> ParentRef:
    return ParentRef(program.path, Sha256(program.sha256) if program.sha256 else None, program.pid, program.user)


def _notice(sha256: str, word: VerdictWord, reason: str, until: Micros | None) -> contract.VerdictNotice:
    return contract.VerdictNotice(sha256, contract.VerdictWord(str(word)), reason, until)

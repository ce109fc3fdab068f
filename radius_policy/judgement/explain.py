"""Why: the chain of reasons behind a host's state or an executable's verdict, in words and as data.

Guarantees: it reads what was decided, with the rule version that decided it, and never decides again. For what is still
undecided it shows, rule by rule, which conditions fail and by how much. `at` shows past decisions as they were made.

What it does not do: it writes nothing. A state of the past is told from its events, because only the newest is kept.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any

from radius_policy.breaker import executable_level
from radius_policy.grace import why_not
from radius_policy.judgement import acts
from radius_policy.judgement.circumstances import Circumstances, SlotsOf
from radius_policy.judgement.found_facts import facts_of
from radius_policy.judgement.policy import Policy
from radius_policy.model import (
    SECOND,
    AgentOrder,
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
    Mode,
    Order,
    PostureReason,
    Prevalence,
    VerdictWord,
)
from radius_policy.store.interface import Reading

MOST = 20
"""Of starts, events and orders, the newest so many are told."""


class NothingKnown(LookupError):
    """Nothing is known of what was asked; the message says what could be meant."""


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain: its `kind` (`start`, `verdict`, `rule`, `posture`, `access`, `order`, ...) and a sentence."""

    kind: str
    text: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """`subject` is the host's or executable's name; `at` None means as of now."""

    subject: str
    at: Micros | None
    steps: tuple[Step, ...]

    def as_json(self) -> dict[str, Any]:
        steps = [
            {"kind": step.kind, "text": step.text, **({"facts": step.facts} if step.facts else {})}
            for step in self.steps
        ]
        return {"subject": self.subject, "at_us": self.at, "steps": steps}

    def words(self) -> str:
        """The chain as indented lines."""
        return "\n".join(f"{'    ' if step.kind == 'rule' else ''}{step.kind}: {step.text}" for step in self.steps)


def find_host(reading: Reading, policy: Policy, name: str) -> Host | None:
    """A host by its id or its name."""
    found = reading.get(Host, policy.tenant, HostId(name))
    return found or next(iter(reading.find(Host, tenant=policy.tenant, name=name)), None)


def why(
    reading: Reading, policy: Policy, subject: str, *, now: Micros, at: Micros | None = None, zone: tzinfo | None = None
) -> Explanation:
    """Explain a host (id or name) or an executable (its SHA-256, or at least 8 digits of it). Times are told in `zone`
    (default: the policy's). `NothingKnown`."""
    policy = policy if zone is None else replace(policy, zone=zone)
    host = find_host(reading, policy, subject)
    if host is not None:
        return why_host(reading, policy, host, now=now, at=at)
    if len(subject) >= 8 and not set(subject.lower()) - set("0123456789abcdef"):
        sha = subject.lower()
        if len(sha) < 64:
            known = [
                each.sha256 for each in reading.find(Executable, tenant=policy.tenant) if each.sha256.startswith(sha)
            ]
            if len(known) > 1:
                raise NothingKnown(f"{len(known)} executables begin with {subject}; write more digits")
            sha = known[0] if known else sha
        return why_executable(reading, policy, sha, now=now, at=at)
    raise NothingKnown(f"{subject!r} is no host's name or id, and no SHA-256 (or 8 digits of one)")


def why_host(reading: Reading, policy: Policy, host: Host, *, now: Micros, at: Micros | None = None) -> Explanation:
    """What a host's access follows from: access row, posture, its open reasons, and the starts behind them."""
    if at is not None:
        return Explanation(host.name, at, (*_past(reading, policy, host, at), *_starts(reading, policy, host, at)))
    steps: list[Step] = []
    state = reading.get(HostState, policy.tenant, host.host_id)
    if state is None:
        return Explanation(host.name, None, (Step("access", "nothing was decided for it yet"),))
    row = (
        f"{state.access_reason.ref}, {state.access_reason.level}"
        if state.access_reason.ref
        else state.access_reason.level
    )
    steps.append(
        Step(
            "access",
            f"{state.access} (generation {state.generation}, {row}): {state.access_reason.text}",
            {"access": state.access.value, "row": state.access_reason.level, "generation": state.generation},
        )
    )
    steps.append(
        Step("mode", f"mode {policy.mode_of(host)}" + (", automatic moves are paused" if policy.paused else ""))
    )
    if state.ordered:
        steps.append(
            Step("order", f"{state.ordered} ordered by {state.ordered_by}: {state.ordered_why or 'no reason given'}")
        )
    steps.append(Step("posture", f"{state.posture}: {state.posture_reason.text}", {"posture": state.posture.value}))
    for reason in reading.find(PostureReason, tenant=policy.tenant, host_id=host.host_id):
        steps += _reason(reading, policy, host, reason, now)
    orders = reading.find(Order, tenant=policy.tenant, host_id=host.host_id, order="created", descending=True, limit=5)
    steps += [
        Step("move", f"to {each.access} (generation {each.generation}) for {each.mac}: {each.state}" + (f", {each.note}" if each.note else ""))
        for each in orders
    ]  # fmt: skip
    return Explanation(host.name, None, tuple(steps))


def why_executable(reading: Reading, policy: Policy, sha: str, *, now: Micros, at: Micros | None = None) -> Explanation:
    """What is decided about an executable and why, where it ran, and which rules it misses by what."""
    tenant = policy.tenant
    known = reading.get(Executable, tenant, sha)
    entries = [each for each in reading.find(ListEntry, tenant=tenant, kind=ListKind.HASH, value=sha) if each.confirmed]
    if known is None and not entries:
        raise NothingKnown(f"no endpoint ever started {sha}, and no list names it")
    steps: list[Step] = []
    if known is not None:
        signed = f"signed by {known.signer} ({known.signer_state})" if known.signer else "no signature known"
        family = f", of family {known.family}" if known.family else ""
        first = reading.get(Host, tenant, known.first_host)
        where = f", first on {first.name}" if first is not None else ""
        steps.append(Step("executable", f"{known.name or sha[:16]}, {signed}{family}{where}"))
    fleet = reading.get(Prevalence, tenant, sha, "fleet")
    if fleet is not None:
        many = "host" if fleet.hosts == 1 else "hosts"
        steps.append(Step("prevalence", f"{fleet.hosts} {many}", {"hosts": fleet.hosts}))
    steps += [
        Step("list", f"{each.action} by {each.author or 'unknown'} for {each.scope}: {each.why or 'no reason given'}")
        for each in entries
    ]
    key = (known.family if known is not None else "") or sha
    for trip in reading.find(BreakerTrip, tenant=tenant, level=executable_level(key), ended=None):
        answered = f"; {trip.answered_by} said: {trip.answer}" if trip.answer else ""
        steps.append(Step("containment", f"{trip.reason.text}{answered}", {"since_us": trip.at, "trip": trip.id}))
    starts = reading.find(
        Execution,
        tenant=tenant,
        sha256=sha,
        order="started",
        descending=True,
        limit=MOST,
        before=None if at is None else at + 1,
    )
    for start in starts:
        host = reading.get(Host, tenant, start.host_id)
        steps.append(_start(start, host))
        if start.verdict is VerdictWord.UNKNOWN and at is None and host is not None and start is starts[0]:
            steps += _failing(reading, policy, host, start, now)
    return Explanation(sha, at, tuple(steps))


def _reason(reading: Reading, policy: Policy, host: Host, reason: PostureReason, now: Micros) -> list[Step]:
    how = "its places are taken" if reason.placed else "contained" if reason.contained else "no move is asked for"
    if reason.move and not (reason.placed or reason.contained):
        how = "its move waits for mode enforce or the end of the pause"
    steps = [
        Step("reason", f"{reason.reason.text}; {how}", {"key": reason.key, "at_us": reason.at, "posture": reason.posture.value})
    ]  # fmt: skip
    steps += _agent(reading, policy, host, reason)
    starts = reading.find(
        Execution, tenant=policy.tenant, host_id=host.host_id, order="started", descending=True, limit=200
    )
    start = next((each for each in starts if reason.key in (each.sha256, each.id)), None)
    if start is not None:
        steps.append(_start(start, host))
        if start.verdict is VerdictWord.UNKNOWN:
            steps += _failing(reading, policy, host, start, now)
    return steps


def _agent(reading: Reading, policy: Policy, host: Host, reason: PostureReason) -> list[Step]:
    """What the agent was asked to do for a reason, and what became of it."""
    wanted = sorted(frozenset(reason.outcomes) & acts.BY_AGENT)
    if not wanted:
        return []
    orders = reading.find(
        AgentOrder, tenant=policy.tenant, host_id=host.host_id, sha256=reason.key, action=list(wanted)
    )
    known = {each.action: each for each in orders}
    steps = []
    for word in wanted:
        order = known.get(word)
        if order is not None and order.refused:
            text, became = f"{word} was asked of the agent, which refused: {order.refused}", "refused"
        elif order is not None:
            text, became = f"{word} is asked of the agent; it has not said yet that it did it", "asked"
        elif policy.mode_of(host) is not Mode.ENFORCE:
            text, became = f"{word} is wanted; mode {policy.mode_of(host)} asks no agent for it", "mode"
        else:
            text, became = (
                f"{word} is wanted; the agent has done it, or was not asked (paused, or a protected host)",
                "closed",
            )
        steps.append(Step("agent", text, {"outcome": str(word), "state": became}))
    return steps


def _start(start: Execution, host: Host | None) -> Step:
    name = host.name if host is not None else start.host_id
    chain = " ← ".join(each.path for each in start.parents) or "parent unknown"
    ran = "" if start.ran else ", it did not run"
    rules = f" under rules {start.rules}" if start.rules else ""
    text = f"{start.path} on {name} by {start.user or 'unknown user'}, started by {chain}: {start.verdict}{rules}, {start.reason.text}{ran}"
    facts = {
        "execution": start.id, "sha256": start.sha256, "started_us": start.started, "verdict": start.verdict.value,
        "level": start.reason.level, "ref": start.reason.ref, "author": start.reason.author, "rules": start.rules,
    }  # fmt: skip
    return Step("start", text, facts)


def _failing(reading: Reading, policy: Policy, host: Host, start: Execution, now: Micros) -> list[Step]:
    """Rule by rule, what kept it from holding for this start, as of now."""
    if start.sha256 is None:
        return [Step("rule", "its content could not be read, so no rule can hold")]
    executable = reading.get(Executable, policy.tenant, start.sha256)
    before = reading.get(HostExecutable, policy.tenant, host.host_id, start.sha256)
    facts = facts_of(Circumstances(reading, policy, start, host, now, executable, before))
    slots = SlotsOf(reading, policy.tenant, host.host_id, start.sha256)
    steps = []
    for rule in policy.rules.rules:
        failed = why_not(rule, facts, slots, now)
        if failed:
            steps.append(Step("rule", f"{rule.name} misses: " + "; ".join(each.text for each in failed)))
        else:
            steps.append(Step("rule", f"{rule.name} holds now: its outcomes are {', '.join(sorted(rule.outcomes))}"))
    return steps


def _past(reading: Reading, policy: Policy, host: Host, at: Micros) -> list[Step]:
    events = reading.find(
        Event, tenant=policy.tenant, host_id=host.host_id, order="at", before=at + 1, descending=True, limit=MOST
    )
    access = next((each for each in events if each.kind in ("moved", "released")), None)
    steps = (
        []
        if access is None
        else [Step("access", f"since {clock(access.at, policy.zone)}: {access.text}", dict(access.facts))]
    )
    return steps + [
        Step("event", f"{clock(each.at, policy.zone)} {each.kind}: {each.text}", {"at_us": each.at}) for each in events
    ]


def _starts(reading: Reading, policy: Policy, host: Host, at: Micros) -> list[Step]:
    found = reading.find(
        Execution,
        tenant=policy.tenant,
        host_id=host.host_id,
        order="started",
        before=at + 1,
        descending=True,
        limit=MOST,
    )
    return [_start(each, host) for each in found]


def clock(at: Micros, zone: tzinfo) -> str:
    """A moment in a zone, with its offset (RFC 3339): `2026-12-01 08:41:03+01:00`."""
    return datetime.fromtimestamp(at // SECOND, zone).isoformat(" ")


__all__ = ["Explanation", "NothingKnown", "Step", "why", "why_executable", "why_host"]

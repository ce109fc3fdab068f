"""The backtest: recorded starts judged by the same code as live ones, with simulated time and nobody deciding.

Guarantees: every start goes through `judgement.record` on the memory store; the result depends on history, rules, mode
and limits alone, not on the clock. Time is that of the events; a late event is placed by its own time and arrives when
it stands in the file.

What it does not do: it moves nobody, sends nothing and writes nothing. What a person would have decided is not replayed.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from radius_policy import judgement
from radius_policy.breaker import EXECUTABLE
from radius_policy.grace import RuleSet
from radius_policy.held import Held
from radius_policy.judgement import Decision, precedents
from radius_policy.judgement.policy import Memo, Modes, Policy
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    Access,
    BreakerTrip,
    Execution,
    Host,
    Micros,
    Mode,
    VerdictWord,
)
from radius_policy.rehearsal.history import MONDAY, Folder, History, Start
from radius_policy.store.interface import Tx
from radius_policy.store.memory import MemoryStore

CHUNK = 256
PROGRESS_EVERY = 20_000
Progress = Callable[[int], None]


@dataclass(slots=True)
class Result:
    """What would have happened. Times `t` are the events' own; `held` are event ids (see `_held_back`)."""

    events: int = 0
    hosts: int = 0
    seconds: float = 0.0
    moved: list[dict[str, Any]] = field(default_factory=list)
    contained: list[dict[str, Any]] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    graced: int = 0
    alerts: int = 0
    unknown: int = 0

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def backtest(
    history: History,
    rules: RuleSet,
    *,
    mode: Mode = Mode.ENFORCE,
    base: Policy | None = None,
    progress: Progress | None = None,
) -> Result:
    """Replay `history` under `rules`. `base` gives limits and other settings (default: the shipped ones).

    Raises `HistoryError` for a history that cannot be read.
    """
    began = time.perf_counter()
    store = MemoryStore(keep_changes=1000)
    with store.transaction() as tx:
        tools = history.load(tx)
        tenant = base.tenant if base is not None else DEFAULT_TENANT
        loaded = Policy.load(tx, tenant)
        policy = replace(
            base or Policy(tenant),
            rules=_possible(rules) if isinstance(history, Folder) else rules,
            modes=Modes(mode),
            entries=loaded.entries,
            lists=loaded.lists,
            allowed=loaded.allowed,
            denies=loaded.denies,
            tools=tools,
            hosts=loaded.hosts,
            paused=False,
            replay=True,
            memo=Memo(counts=_asks_prevalence(rules)),
        )
    replay = _Replay(store, policy, history)
    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(1_000_000, 20, 1000)
    try:
        replay.run(progress)
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
    result = replay.result
    replay.summarize()
    result.seconds = round(time.perf_counter() - began, 3)
    return result


def _possible(rules: RuleSet) -> RuleSet:
    """The rules that can hold for a folder's events: one that asks for a fact they never carry holds for none, because
    a missing fact makes no condition true."""
    carried = tuple(rule for rule in rules.rules if all(condition.fact.replay for condition in rule.when))
    return replace(rules, rules=carried)


def _asks_prevalence(rules: RuleSet) -> bool:
    return any(condition.fact.name.startswith("prevalence") for rule in rules.rules for condition in rule.when)


class _Replay:
    """One run over a history."""

    def __init__(self, store: MemoryStore, policy: Policy, history: History) -> None:
        self.store, self.policy, self.history = store, policy, history
        self.result = Result()
        self.now: Micros = 0
        self.known: set[str] = set()
        self.seen: set[str] = set()
        self.contained: dict[str, set[str]] = {}
        self.ids = 0

    def run(self, progress: Progress | None) -> None:
        starts = self.history.starts()
        count = 0
        while chunk := list(islice(starts, CHUNK)):
            with self.store.transaction() as tx:
                for start in chunk:
                    self.one(tx, start)
            before, count = count, count + len(chunk)
            if progress is not None and before // PROGRESS_EVERY != count // PROGRESS_EVERY:
                progress(count)

    def new_id(self) -> str:
        self.ids += 1
        return f"replay-{self.ids}"

    def one(self, tx: Tx, start: Start) -> None:
        if start.host_id not in self.known:
            self._meet(tx, start.host_id, start.at)
        if start.name in self.seen:
            return
        self.seen.add(start.name)
        self.now = max(self.now, start.at)
        self.result.events += 1
        if self._plainly_allowed(tx, start):
            return
        execution = start.execution
        decision = judgement.record(tx, execution, now=self.now, policy=self.policy, make_id=self.new_id)
        if decision.verdict.word is not VerdictWord.ALLOWED:
            self._count(start, execution, decision)

    def _plainly_allowed(self, tx: Tx, start: Start) -> bool:
        """Whether its content is on the fleet's allow list while nothing is denied: then no other fact can matter, and
        all that `record` would leave for later starts is the precedents, once for each path and parent."""
        memo, sha = self.policy.memo, start.sha256
        if memo is None or sha is None or self.policy.plainly_allows(sha, self.now) is None:
            return False
        memo.listed.setdefault(start.host_id, set()).add(sha)
        seen = (sha, start.path, start.parent)
        if seen not in memo.starts:
            memo.starts.add(seen)
            precedents.remember(tx, precedents.deed_of(start.execution, VerdictWord.ALLOWED, self.now))
        return True

    def _meet(self, tx: Tx, host_id: str, at: Micros) -> None:
        """The first event of a host; one without an enrolment of its own was enrolled with it."""
        self.known.add(host_id)
        host = tx.get(Host, self.policy.tenant, host_id) or self.history.newcomer(host_id)
        if not host.enrolled_at:
            host = replace(host, enrolled_at=at)
        tx.put(host)

    def _count(self, start: Start, execution: Execution, decision: Decision) -> None:
        result, word = self.result, decision.verdict.word
        if word is VerdictWord.GRACED:
            result.graced += 1
            return
        if word is VerdictWord.UNKNOWN:
            result.unknown += 1
        if decision.moved:
            result.moved.append(
                {
                    "event": start.name,
                    "t": start.t,
                    "host": execution.host_id,
                    "sha256": execution.sha256,
                    "rule": decision.verdict.reason.ref or "default",
                }
            )
        if decision.contained:
            self.contained.setdefault(execution.sha256 or execution.id, set()).add(execution.host_id)
        result.alerts += decision.alert + sum(event.kind == "breaker_tripped" for event in decision.events)
        if _held_back(execution.held, decision):
            result.held.append(start.name)

    def summarize(self) -> None:
        """What stands contained at the end, with the hosts where a start of it was."""
        reading = self.store.reading()
        self.result.hosts = len(self.known)
        trips = reading.find(BreakerTrip, tenant=self.policy.tenant)
        at: dict[str, Micros] = {}
        for trip in trips:
            if trip.level.startswith(EXECUTABLE):
                key = trip.level.removeprefix(EXECUTABLE)
                at[key] = min(at.get(key, trip.at), trip.at)
        for key, since in sorted(at.items(), key=lambda each: (each[1], each[0])):
            hosts = self.contained.get(key, set())
            self.result.contained.append({"sha256": key, "t": round((since - MONDAY) / SECOND, 1), "hosts": len(hosts)})


def _held_back(could_hold: bool, decision: Decision) -> bool:
    """Whether a start did not run in production: denied, contained, or released only after its host had been moved.

    Nobody decides in a replay, so an undecided hold ends in deny. Where agents only notify, the start that made the
    trip or the move had run already.
    """
    if could_hold:
        return decision.held is not Held.RELEASED
    moved_before = decision.state is not None and decision.state.access is not Access.PRODUCTION and not decision.moved
    tripped_now = any(event.kind == "breaker_tripped" for event in decision.events)
    return moved_before or (decision.contained and not tripped_now) or decision.verdict.word is VerdictWord.DENIED


def difference(first: Result, second: Result) -> dict[str, Any]:
    """What changes from one rule set to another over the same history."""
    by_first = {each["event"]: each for each in first.moved}
    by_second = {each["event"]: each for each in second.moved}
    return {
        "moved_no_more": [by_first[event] for event in by_first if event not in by_second],
        "moved_newly": [by_second[event] for event in by_second if event not in by_first],
        "held_no_more": sorted(set(first.held) - set(second.held)),
        "held_newly": sorted(set(second.held) - set(first.held)),
        **{name: getattr(second, name) - getattr(first, name) for name in ("graced", "alerts", "unknown")},
    }

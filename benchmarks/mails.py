"""How many mails a fleet's week makes at once: recorded starts, judged as live ones, routed with simulated time.

    python benchmarks/mails.py [--quick] [--json]

Each start goes through the judgement of a running service (mode `enforce`, the shipped rules, nobody decides), what it
tells goes through the default routes and the joining of messages at its own time. Prints one JSON object: mails by local
day; `silent`, the unknown executables that no mail named (it must be 0); and how many further starts on other hosts,
by rules that move nobody, the digest names instead.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api import words
from api.alerts import digest, outbox
from api.alerts.periods import Period
from api.alerts.routes import DEFAULT_ROUTES, Hours
from benchmarks.figures import arguments, finish
from benchmarks.histories import generate
from radius_policy import judgement
from radius_policy.grace.builtin import builtin
from radius_policy.judgement.policy import Modes, Policy
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    Delivery,
    Event,
    Host,
    Joined,
    Micros,
    Mode,
    Operation,
    VerdictWord,
)
from radius_policy.rehearsal.history import Folder
from radius_policy.store.interface import Tx
from radius_policy.store.memory import MemoryStore

ZONE = ZoneInfo("UTC")
"""`t` = 0 of a recorded week is Monday 00:00; it is placed there in UTC."""
CHUNK = 200
LIMIT = 10
"""Mails at once for 1,500 hosts and a quiet day."""


@dataclass
class Week:
    """What came of it. `mails` by day; `unknown` are the (host, executable) that were unknown when they ran."""

    starts: int = 0
    hosts: int = 0
    moved: int = 0
    seconds: float = 0.0
    mails: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    subjects: list[str] = field(default_factory=list)
    unknown: set[tuple[str, str]] = field(default_factory=set)
    silent: int = 0
    only_in_digest: int = 0
    left_out_of_digest: int = 0


def play(folder: Path, *, operation: Operation = Operation.HOLD) -> Week:
    """Judge and route a recorded week."""
    began = time.perf_counter()
    store, week = MemoryStore(), Week()
    source = Folder(folder, operation)
    with store.transaction() as tx:
        tools = source.load(tx)
        policy = replace(
            Policy.load(tx, DEFAULT_TENANT), rules=builtin(), modes=Modes(Mode.ENFORCE), tools=tools, loading=True
        )
    player = _Player(store, policy, source.newcomer, week)
    starts = source.starts()
    while chunk := list(islice(starts, CHUNK)):
        for start in chunk:
            player.one(start.execution)
    player.count()
    week.seconds = round(time.perf_counter() - began, 1)
    return week


class _Player:
    def __init__(self, store: MemoryStore, policy: Policy, newcomer: Callable[[str], Host], week: Week) -> None:
        self.store, self.policy, self.newcomer, self.week = store, policy, newcomer, week
        self.plan = outbox.Plan(DEFAULT_ROUTES, Hours(), ZONE)
        self.now: Micros = 0
        self.known: set[str] = set()

    def one(self, execution: Any) -> None:
        self.now = max(self.now, execution.started)
        with self.store.transaction() as tx:
            if execution.host_id not in self.known:
                self.meet(tx, execution)
            decision = judgement.record(tx, execution, now=self.now, policy=self.policy)
        self.week.starts += 1
        self.week.moved += decision.moved
        if decision.verdict.word is VerdictWord.UNKNOWN:
            self.week.unknown.add((execution.host_id, execution.sha256 or execution.id))
        if decision.events:
            with self.store.transaction() as tx:
                while outbox.route_new(tx, DEFAULT_TENANT, self.plan, self.now).more:
                    pass

    def meet(self, tx: Tx, execution: Any) -> None:
        self.known.add(execution.host_id)
        host = tx.get(Host, DEFAULT_TENANT, execution.host_id) or self.newcomer(execution.host_id)
        tx.put(host if host.enrolled_at else replace(host, enrolled_at=execution.started))

    def count(self) -> None:
        """Every message is a mail at its time: the first ones, and the updates that further hosts made."""
        reading, week = self.store.reading(), self.week
        mails = reading.find(Delivery, tenant=DEFAULT_TENANT, order="not_before")
        week.mails = dict(Counter(words.local(mail.not_before, ZONE).strftime("%a") for mail in mails))
        week.kinds = dict(Counter(str(mail.kind) for mail in mails))
        told: set[tuple[str, str]] = set()
        for mail in mails:
            for joined in reading.find(Joined, tenant=DEFAULT_TENANT, delivery_id=mail.id):
                event = reading.get(Event, DEFAULT_TENANT, joined.event_id)
                if event is not None:
                    told.add((event.host_id, event.sha256 or event.topic))
        week.subjects = [f"{mail.kind}: {mail.topic[:12]}" for mail in mails[:40]]
        week.silent = len({key for _, key in week.unknown} - {key for _, key in told})
        week.only_in_digest = len(week.unknown - told)
        end = self.now + 86_400 * SECOND
        digests = digest.read(reading, DEFAULT_TENANT, "weekly", Period(0, end), ZONE)
        shown = {line.sha256: line.hosts for line in digests.undecided.lines}
        wanted = Counter(key for _, key in week.unknown)
        week.left_out_of_digest = sum(shown.get(key) != hosts for key, hosts in wanted.items())
        week.hosts = len(self.known)


def main() -> None:
    given = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        week = play(generate(Path(name), "quiet", hosts=1500, days=5, baseline_per_host=5 if given.quick else 20))
    most = max(week.mails.values(), default=0)
    good = most <= LIMIT and week.silent == 0 and week.left_out_of_digest == 0
    shown = {
        "hosts": week.hosts, "starts": week.starts, "mails_by_day": week.mails, "mails_most_a_day": most, "limit": LIMIT,
        "kinds": week.kinds, "unknown": len(week.unknown), "silent": week.silent, "only_in_digest": week.only_in_digest,
        "left_out_of_digest": week.left_out_of_digest, "moved": week.moved, "seconds": week.seconds,
    }  # fmt: skip
    finish(shown, code=0 if good else 1)


if __name__ == "__main__":
    main()

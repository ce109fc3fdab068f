"""What one judgement costs: facts gathered once from the store, then the verdict by the shipped rules.

    python benchmarks/judgement.py [--quick] [--json]

10,000 entries on the allow list, a fleet of signed programs with their precedents in a memory store. Measured is what a
sighting costs between the report and the verdict: known ones, new versions of known signers, and unknown ones, mixed as
a working day mixes them (80, 15 and 5 %), and each kind by itself. Budget: median of the mix and of each kind at most
60 us, one core. Exit 1 when it is missed.
"""

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.figures import arguments, finish, spread

from radius_policy.store.memory import MemoryStore  # isort: skip - the store's schema comes before what it keeps
from radius_policy import verdict
from radius_policy.facts.places import place
from radius_policy.grace import builtin
from radius_policy.judgement import precedents
from radius_policy.judgement.circumstances import Circumstances, SlotsOf
from radius_policy.judgement.found_facts import facts_of
from radius_policy.judgement.policy import Policy
from radius_policy.model import (
    DEFAULT_TENANT,
    Executable,
    Execution,
    Host,
    HostId,
    ListEntry,
    ListKind,
    ParentRef,
    Sha256,
    VerdictWord,
)

ENTRIES = 10_000
BUDGET_US = 60.0
AT = 1_700_000_000_000_000


def digest(*parts: object) -> Sha256:
    return Sha256(sha256("/".join(map(str, parts)).encode()).hexdigest())


def path(number: int, version: str) -> str:
    return rf"C:\Users\ann\AppData\Local\app{number}\app-{version}\app{number}.exe"


def fleet(store: MemoryStore) -> Policy:
    """10,000 allowed programs of 2,000 signers, each with an allowed updater as parent."""
    with store.transaction() as tx:
        for number in range(ENTRIES):
            sha, signer = digest("old", number), f"Publisher {number % 2000}"
            where = place(path(number, "1.0"))
            tx.put(
                ListEntry(DEFAULT_TENANT, f"e{number}", "allow", ListKind.HASH, sha, author="inventory"),
                Executable(DEFAULT_TENANT, sha, name=where.name, signer=signer, signer_state="valid", first_seen=AT),
            )
            deed = precedents.Deed(
                DEFAULT_TENANT, sha, where, AT, VerdictWord.ALLOWED, signer, "valid", parent=digest("up", number)
            )
            precedents.remember(tx, deed)
        tx.put(Host(DEFAULT_TENANT, HostId("h1"), "pc1", role="office"))
    return replace(Policy.load(store.reading(), DEFAULT_TENANT), rules=builtin())


def starts(count: int) -> Iterator[Execution]:
    choose = random.Random(1)
    for index in range(count):
        number, kind = choose.randrange(ENTRIES), choose.random()
        if kind < 0.8:
            sha, where, signer = digest("old", number), path(number, "1.0"), f"Publisher {number % 2000}"
        elif kind < 0.95:
            sha, where, signer = digest("new", number, index), path(number, f"1.{index}"), f"Publisher {number % 2000}"
        else:
            sha, where, signer = digest("odd", index), rf"C:\Users\ann\Downloads\x{index}.exe", None
        parent = ParentRef(path(number, "1.0").rpartition("\\app-")[0] + r"\Update.exe", digest("up", number))
        yield Execution(
            DEFAULT_TENANT, f"x{index}", HostId("h1"), sha, where, 1, AT, AT, parents=(parent,), writer=parent,
            signer=signer, signer_state="valid" if signer else "unsigned",
        )  # fmt: skip


def main() -> None:
    given = arguments(__doc__)
    store = MemoryStore()
    policy = fleet(store)
    reading, host = store.reading(), Host(DEFAULT_TENANT, HostId("h1"), "pc1", role="office")
    taken: list[float] = []
    of: dict[str, list[float]] = {}
    some = list(starts(20_000 if given.quick else 200_000))
    for execution in some:
        began = time.perf_counter_ns()
        facts = facts_of(Circumstances(reading, policy, execution, host, AT))
        slots = SlotsOf(reading, DEFAULT_TENANT, host.host_id, str(execution.sha256))
        told = verdict.judge(facts, policy.lists, policy.rules, AT, slots=slots)
        taken.append((time.perf_counter_ns() - began) / 1000)
        of.setdefault(told.word, []).append(taken[-1])
    each = {word: spread(values) for word, values in sorted(of.items())}
    missed = max(one["p50"] for one in (spread(taken), *each.values())) > BUDGET_US
    finish(
        {
            "judgement_us": spread(taken),
            "by_verdict_us": each,
            "budget_us": BUDGET_US,
            "allow_entries": ENTRIES,
            "rules": len(policy.rules.rules),
        },
        code=int(missed),
    )


if __name__ == "__main__":
    main()

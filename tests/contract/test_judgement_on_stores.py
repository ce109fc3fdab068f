"""The judgement decides the same on every store, and no number of processes makes it exceed the breaker."""

import asyncio
import random
from collections import Counter
from hashlib import sha256
from typing import Any

import pytest

from radius_policy import judgement
from radius_policy.judgement.policy import Policy
from radius_policy.model import (
    DEFAULT_TENANT,
    Access,
    BreakerPlace,
    BreakerTrip,
    Event,
    Execution,
    GraceSlot,
    Host,
    HostExecutable,
    HostId,
    HostState,
    ListEntry,
    ListKind,
    Mac,
    MacBinding,
    Order,
    ParentRef,
    PostureReason,
    Prevalence,
    Session,
    Setting,
    Sha256,
)
from radius_policy.store import open_store
from radius_policy.store.interface import Reading, Store, Tx
from radius_policy.store.memory import MemoryStore

pytestmark = pytest.mark.anyio

T = DEFAULT_TENANT
START = 1_764_000_000_000_000
HOSTS = 40
LIMITS = {
    "executable": {"number": 3, "percent": 100},
    "site": {"number": 6, "percent": 100, "window_s": 600},
    "fleet": {"number": 100, "percent": 100},
    "tenant": {"number": 100, "percent": 100},
}


def sha(name: str) -> Sha256:
    return Sha256(sha256(name.encode()).hexdigest())


def fleet(tx: Tx) -> None:
    """Forty hosts with a MAC and a session each, in enforce, with an office program on the allow list."""
    tx.put(
        Setting(T, "mode", {"default": "enforce"}, 1, "test", START), Setting(T, "breaker", LIMITS, 1, "test", START)
    )
    tx.put(ListEntry(T, "office", "allow", ListKind.HASH, sha("office"), author="ann", created=START))
    for n in range(HOSTS):
        host, mac = HostId(f"pc{n:02d}"), Mac(f"02:00:00:00:00:{n:02x}")
        tx.put(
            Host(T, host, host, public_key=b"k" * 32, enrolled_at=START, last_evidence=START, site="main"),
            MacBinding(T, mac, host, START, START),
            Session(T, "nas", host.encode(), mac, started=START, access=Access.PRODUCTION, generation=0),
        )


def start(number: int, host: str, what: str, path: str) -> Execution:
    at = START + number * 1_000_000
    parent = ParentRef(r"C:\Windows\explorer.exe", sha("explorer"))
    return Execution(T, f"start-{number:04d}", HostId(host), sha(what), path, 1, at, at, held=True, parents=(parent,))


def morning() -> list[Execution]:
    """A roll-out without any provenance reaches all hosts but one, patient zero starts something else in the middle of
    it, and everybody works on, each start being told twice now and then."""
    choose = random.Random(7)
    told: list[Execution] = []
    for turn, n in enumerate(choose.sample(range(1, HOSTS), HOSTS - 1)):
        for _ in range(4):
            told.append(start(len(told), f"pc{choose.randrange(HOSTS):02d}", "office", r"C:\Office\office.exe"))
        told.append(start(len(told), f"pc{n:02d}", "rollout", r"C:\Tools\new\tool.exe"))
        if turn == 20:
            told.append(start(len(told), "pc00", "patient zero", r"C:\Users\ann\Downloads\invoice.exe"))
        if choose.random() < 0.2:
            told.append(told[-1])
    return told


async def lived(store: Store) -> dict[str, Any]:
    """The morning on a store, then the decision that the roll-out is good; what was decided and how all stand."""
    ids = iter(range(100_000))
    decided: list[Any] = []

    def record(tx: Tx, execution: Execution) -> None:
        policy = Policy.load(tx, T)
        one = judgement.record(
            tx, execution, now=execution.received, policy=policy, make_id=lambda: f"id-{next(ids):06d}"
        )
        decided.append((execution.id, one.verdict.word, one.moved, one.contained, one.held, one.repeated))

    await store.write(fleet)
    for execution in morning():
        await store.write(lambda tx, execution=execution: record(tx, execution))  # type: ignore[misc]
    before = await store.read(standing)
    entry = ListEntry(T, "good", "allow", ListKind.HASH, sha("rollout"), author="ann", created=START)
    now = START + 3_600_000_000
    touched = await store.write(lambda tx: judgement.decide_list(tx, entry, now=now, policy=Policy.load(tx, T)))
    after, rounds = ("", ""), 0
    while rounds < 50:
        rounds += 1
        done = await store.write(
            lambda tx, after=after: judgement.recompute(  # type: ignore[misc]
                tx, T, touched.executables, now=now, policy=touched.policy, limit=7, after=after
            )
        )
        if done.done:
            break
        after = done.next
    return {"decided": decided, "before": before, "after": await store.read(standing), "rounds": rounds}


def standing(reading: Reading) -> dict[str, Any]:
    """Everything that the judgement wrote; of orders and events of a recompute the ids are random."""
    kinds = (HostState, PostureReason, BreakerPlace, BreakerTrip, HostExecutable, Prevalence, GraceSlot)
    known = {kind.__name__: sorted(map(repr, reading.find(kind, tenant=T))) for kind in kinds}
    known["orders"] = sorted(repr((o.host_id, o.access, o.generation, o.state)) for o in reading.find(Order, tenant=T))
    known["events"] = sorted(repr((str(e.kind), e.host_id, e.at, e.text)) for e in reading.find(Event, tenant=T))
    return known


async def test_a_roll_out_and_patient_zero_come_out_the_same_on_every_store(store: Store) -> None:
    here = await lived(store)
    by_id = {each[0]: each for each in here["decided"] if not each[5]}
    zero = by_id[next(each.id for each in morning() if each.host_id == "pc00" and each.sha256 == sha("patient zero"))]
    assert (zero[1], zero[2], zero[3]) == ("unknown", True, False)
    assert (
        sum(each[2] for each in by_id.values()) == 4
    )  # patient zero, and three of the roll-out before it is contained
    states = await store.read(lambda tx: tx.find(HostState, tenant=T, access=Access.REMEDIATION))
    assert [state.host_id for state in states] == ["pc00"]
    twin = await lived(MemoryStore())
    for part in ("decided", "rounds", "before", "after"):
        assert here[part] == twin[part], part


async def in_two_processes(url: str) -> list[str]:
    """The same morning of unknowns told to two API processes at once; the ids of hosts that were moved."""
    one, other = await open_store(url, migrate=True), await open_store(url)
    try:
        await one.write(fleet)
        moved: list[str] = []

        def record(tx: Tx, execution: Execution) -> judgement.Decision:
            # As the service does it: the policy first, and what the judgement then reads is read behind its lock.
            policy = Policy.load(tx, T)
            return judgement.record(tx, execution, now=execution.received, policy=policy)

        async def tell(store: Store, execution: Execution) -> None:
            if (await store.write(lambda tx: record(tx, execution))).moved:
                moved.append(execution.host_id)

        told = [start(n, f"pc{n:02d}", "worm", r"C:\Users\ann\x.exe") for n in range(20)]
        told += [start(n, f"pc{n:02d}", f"poly {n}", rf"C:\Users\ann\{n}.exe") for n in range(20, HOSTS)]
        random.Random(3).shuffle(told)
        await asyncio.gather(*(tell(store, each) for n, each in enumerate(told) for store in ((one, other)[n % 2],)))
        return moved
    finally:
        await one.close()
        await other.close()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.peer("postgresql"))])
async def test_two_processes_at_once_never_exceed_the_breaker(
    kind: str, request: pytest.FixtureRequest, tmp_path: Any
) -> None:
    url = f"sqlite:///{tmp_path}/both.db" if kind == "sqlite" else str(request.getfixturevalue("postgresql"))
    moved = await in_two_processes(url)
    assert len(moved) == 6
    store = await open_store(url)
    try:
        places = await store.read(lambda tx: tx.find(BreakerPlace, tenant=T))
        states = await store.read(lambda tx: tx.find(HostState, tenant=T, access=Access.REMEDIATION))
    finally:
        await store.close()
    taken = Counter(place.level for place in places)
    assert taken["site:main"] == 6
    assert taken[f"executable:{sha('worm')}"] <= 3
    assert sorted(state.host_id for state in states) == sorted(moved)

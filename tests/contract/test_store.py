"""What every store promises (radius_policy/store/interface.py), told once for memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import Enum
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import pytest

from radius_policy import model
from radius_policy.model import (
    Access,
    AuditLine,
    Delivery,
    Event,
    Evidence,
    Executable,
    Execution,
    Host,
    HostExecutable,
    HostId,
    Mac,
    MacAccess,
    Order,
    OrderState,
    Sha256,
    Span,
    TenantId,
    VerdictWord,
)
from radius_policy.store.interface import Change, Reading, Store, StoreUnavailable, Tx
from radius_policy.store.schema import RECORDS

pytestmark = pytest.mark.anyio

SITE, OTHER = TenantId(1), TenantId(2)
ANNA, BORIS, CLARA = (HostId(name) for name in ("host-anna", "host-boris", "host-clara"))
ZOOM, WORM = Sha256("a" * 64), Sha256("b" * 64)


def start(id: str, host: HostId = ANNA, at: int = 100, sha256: Sha256 | None = ZOOM, **more: Any) -> Execution:
    return Execution(SITE, id, host, sha256, "/opt/zoom", 4711, at, at + 1, **more)


def move(id: str, state: OrderState = OrderState.PLANNED, **more: Any) -> Order:
    return Order(SITE, id, ANNA, Mac("02:00:00:00:00:10"), Access.REMEDIATION, 7, state, 1, 1, **more)


async def put(store: Store, *records: Any) -> None:
    await store.write(lambda tx: tx.put(*records))


# --- records come back as they were -----------------------------------------------------------------------------------


def example(hint: Any, *, bare: bool) -> Any:
    """A value of a type: the emptiest that it allows (`bare`), or one with everything set."""
    if isinstance(hint, NewType):
        return example(hint.__supertype__, bare=bare)
    if get_origin(hint) in (Union, UnionType):
        inner = [arg for arg in get_args(hint) if arg is not NoneType]
        return None if bare and NoneType in get_args(hint) else example(inner[0], bare=bare)
    origin, args = get_origin(hint) or hint, get_args(hint)
    if origin in (tuple, frozenset, list):
        return origin() if bare else origin([example(args[0], bare=False)])
    if origin is dict:
        return {} if bare else {example(args[0], bare=False): example(args[1], bare=False)}
    if issubclass(origin, Enum):
        return list(origin)[0 if bare else -1]
    if hasattr(origin, "__dataclass_fields__"):
        return record(origin, bare=bare)
    simple: dict[type, tuple[Any, Any]] = {
        str: ("", "Ünïcode ✓ 'quoted' \\ \n"),
        bytes: (b"", b"\x00\xff raw"),
        int: (0, 2**62),
        float: (0.0, 0.1),
        bool: (False, True),
        object: (None, {"nested": [1, "two", None, True, 2.5]}),
    }
    return simple[origin][0 if bare else 1]


def record(kind: type[Any], *, bare: bool) -> Any:
    hints = get_type_hints(kind)
    return kind(**{field.name: example(hints[field.name], bare=bare) for field in fields(kind)})


@pytest.mark.parametrize("bare", [True, False], ids=["bare", "full"])
async def test_a_record_of_every_kind_comes_back_as_it_was(store: Store, bare: bool) -> None:
    for kind, its in RECORDS.items():
        given = record(kind, bare=bare)
        await put(store, given)
        key = [getattr(given, name) for name in its.key]
        found = await store.read(lambda tx, kind=kind, key=key: tx.get(kind, *key))
        assert found == given
        for field in fields(kind):
            assert type(getattr(found, field.name)) is type(getattr(given, field.name)), field.name


async def test_octets_of_a_switch_come_back_byte_for_byte(store: Store) -> None:
    session = model.Session(SITE, "sw1", b"\x00\xff\x80id", Mac("02:00:00:00:00:10"), ids={31: b"02-00-\xff", 5: b""})
    await put(store, session)
    assert await store.read(lambda tx: tx.get(model.Session, SITE, "sw1", b"\x00\xff\x80id")) == session


async def test_a_tenant_never_sees_anothers_record_of_the_same_key(store: Store) -> None:
    await put(store, Host(SITE, ANNA, "ours"), Host(OTHER, ANNA, "theirs"))
    assert [host.name for host in await store.read(lambda tx: tx.find(Host, tenant=OTHER))] == ["theirs"]
    assert (await store.read(lambda tx: tx.get(Host, SITE, ANNA))).name == "ours"  # type: ignore[union-attr]


# --- put, add, delete -------------------------------------------------------------------------------------------------


async def test_what_is_not_there_is_none(store: Store) -> None:
    assert await store.read(lambda tx: tx.get(Host, SITE, ANNA)) is None


async def test_put_replaces_the_record_of_that_key_and_no_other(store: Store) -> None:
    await put(store, Host(SITE, ANNA, "anna"), Host(SITE, BORIS, "boris"))
    await put(store, Host(SITE, ANNA, "anna-new"))
    assert sorted(host.name for host in await store.read(lambda tx: tx.find(Host))) == ["anna-new", "boris"]


async def test_a_replaced_record_is_found_by_its_new_values_alone(store: Store) -> None:
    await put(store, move("o1"))
    assert await store.read(lambda tx: tx.count(Order, tenant=SITE, state=OrderState.PLANNED)) == 1
    await put(store, move("o1", OrderState.SENT))
    assert await store.read(lambda tx: tx.count(Order, tenant=SITE, state=OrderState.PLANNED)) == 0
    assert await store.read(lambda tx: tx.count(Order, tenant=SITE, state=OrderState.SENT)) == 1


async def test_adding_evidence_twice_records_it_once(store: Store) -> None:
    first, retry = Evidence(SITE, ANNA, "message-1", 10), Evidence(SITE, ANNA, "message-1", 99)
    assert await store.write(lambda tx: (tx.add(first), tx.add(retry))) == (True, False)
    assert await store.write(lambda tx: tx.add(retry)) is False
    assert await store.read(lambda tx: tx.find(Evidence, tenant=SITE)) == [first]


async def test_delete_takes_what_find_would_give_and_says_how_many(store: Store) -> None:
    await put(store, start("e1"), start("e2"), start("e3", BORIS))
    assert await store.write(lambda tx: tx.delete(Execution, tenant=SITE, host_id=ANNA)) == 2
    assert [one.id for one in await store.read(lambda tx: tx.find(Execution, tenant=SITE))] == ["e3"]
    assert await store.write(lambda tx: tx.delete(Execution, tenant=SITE, host_id=ANNA)) == 0


async def test_a_work_sees_what_it_wrote_itself(store: Store) -> None:
    def work(tx: Tx) -> tuple[int, Host | None]:
        tx.put(Host(SITE, ANNA, "anna"), start("e1"), start("e2"))
        return tx.count(Execution, tenant=SITE), tx.get(Host, SITE, ANNA)

    assert await store.write(work) == (2, Host(SITE, ANNA, "anna"))


# --- find -------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def busy_morning(store: Store) -> Store:
    await put(
        store,
        start("e1", ANNA, 100),
        start("e2", BORIS, 200, WORM, ended=250),
        start("e3", CLARA, 300, None, ended=310),
        start("e4", ANNA, 400, WORM),
        start("e5", BORIS, 200),
    )
    return store


async def ids(store: Store, **how: Any) -> list[str]:
    return [one.id for one in await store.read(lambda tx: tx.find(Execution, tenant=SITE, **how))]


async def test_find_by_value_by_several_values_and_by_none(busy_morning: Store) -> None:
    assert sorted(await ids(busy_morning, host_id=ANNA)) == ["e1", "e4"]
    for several in ((ANNA, CLARA), [ANNA, CLARA], {ANNA, CLARA}, frozenset((ANNA, CLARA))):
        assert sorted(await ids(busy_morning, host_id=several)) == ["e1", "e3", "e4"]
    assert await ids(busy_morning, sha256=None) == ["e3"]
    assert sorted(await ids(busy_morning, sha256=(None, WORM))) == ["e2", "e3", "e4"]
    assert await ids(busy_morning, sha256=(None,)) == ["e3"]
    assert await ids(busy_morning, host_id=ANNA, sha256=WORM) == ["e4"]
    assert await ids(busy_morning, sha256=WORM, host_id=ANNA) == ["e4"], "the order of the conditions says nothing"
    assert sorted(await ids(busy_morning, host_id=(ANNA, BORIS), sha256=(WORM, ZOOM))) == ["e1", "e2", "e4", "e5"]


async def test_an_empty_collection_finds_nothing(busy_morning: Store) -> None:
    assert await ids(busy_morning, host_id=()) == []
    assert await busy_morning.read(lambda tx: tx.count(Execution, tenant=SITE, host_id=[])) == 0
    assert await busy_morning.write(lambda tx: tx.delete(Execution, tenant=SITE, host_id=set())) == 0
    assert len(await ids(busy_morning)) == 5


async def test_a_long_collection_finds_what_it_names(busy_morning: Store) -> None:
    many = [HostId(f"host-{number}") for number in range(3000)]
    assert await ids(busy_morning, host_id=[*many, CLARA]) == ["e3"]


async def test_order_both_ways_with_ties_in_the_order_of_keys(busy_morning: Store) -> None:
    assert await ids(busy_morning, order="started") == ["e1", "e2", "e5", "e3", "e4"]
    assert await ids(busy_morning, order="started", descending=True) == ["e4", "e3", "e5", "e2", "e1"]
    assert await ids(busy_morning, order="started", host_id=(ANNA, BORIS)) == ["e1", "e2", "e5", "e4"]
    assert await ids(busy_morning, order="id", descending=True, limit=2) == ["e5", "e4"]


async def test_none_comes_before_all_values(busy_morning: Store) -> None:
    assert await ids(busy_morning, order="ended") == ["e1", "e4", "e5", "e2", "e3"]
    assert await ids(busy_morning, order="ended", descending=True) == ["e3", "e2", "e5", "e4", "e1"]


async def test_after_and_before_are_exclusive_and_know_no_none(busy_morning: Store) -> None:
    assert await ids(busy_morning, order="started", after=100, before=400) == ["e2", "e5", "e3"]
    assert await ids(busy_morning, order="started", after=200) == ["e3", "e4"]
    assert await ids(busy_morning, order="started", before=200, descending=True) == ["e1"]
    assert await ids(busy_morning, order="ended", before=310) == ["e2"]
    assert await ids(busy_morning, order="ended", after=250) == ["e3"]
    assert await ids(busy_morning, order="started", after=400) == []


async def test_limit_takes_the_first_in_the_order(busy_morning: Store) -> None:
    assert await ids(busy_morning, order="started", limit=1) == ["e1"]
    assert await ids(busy_morning, order="started", descending=True, limit=2) == ["e4", "e3"]
    assert await ids(busy_morning, order="started", descending=True, after=100, limit=9) == ["e4", "e3", "e5", "e2"]
    assert await ids(busy_morning, order="started", limit=0) == []
    assert len(await ids(busy_morning, limit=3)) == 3


async def test_text_is_ordered_by_code_point_everywhere(store: Store) -> None:
    names = ["Zoom", "apt", "Äpfel", "_x", "APT", "zoom", "a-b", "ab"]
    await put(store, *(Host(SITE, HostId(name), name) for name in names))
    found = await store.read(lambda tx: tx.find(Host, tenant=SITE, order="name"))
    assert [host.name for host in found] == sorted(names)
    found = await store.read(lambda tx: tx.find(Host, tenant=SITE, order="name", after="Zoom", before="ab"))
    assert [host.name for host in found] == ["_x", "a-b"]


async def test_count_counts_what_find_gives(busy_morning: Store) -> None:
    assert await busy_morning.read(lambda tx: tx.count(Execution, tenant=SITE, sha256=(WORM, None))) == 3
    assert await busy_morning.read(lambda tx: tx.count(Execution)) == 5
    assert await busy_morning.read(lambda tx: tx.count(Host)) == 0


async def test_pick_gives_some_fields_of_what_find_would_give(busy_morning: Store) -> None:
    async def picked(*fields: str, **how: Any) -> list[tuple[Any, ...]]:
        return await busy_morning.read(lambda tx: tx.pick(Execution, fields, tenant=SITE, **how))

    assert await picked("id", order="started", after=100, before=400) == [("e2",), ("e5",), ("e3",)]
    assert await picked("ended", "verdict", order="started", host_id=BORIS) == [
        (250, VerdictWord.UNKNOWN),
        (None, VerdictWord.UNKNOWN),
    ]
    assert await picked("ran", "span", order="id", limit=1) == [(True, Span.LONG)]
    assert await picked("id", host_id=()) == []
    for unknown in ("reason", "colour"):
        with pytest.raises(TypeError, match=unknown):
            await picked("id", unknown)


# --- what a caller did wrong is said at once --------------------------------------------------------------------------


@dataclass(frozen=True)
class Unregistered:
    tenant: TenantId


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda tx: tx.find(Host, colour="red"), "colour"),
        (lambda tx: tx.find(Host, groups=("a",)), "groups"),
        (lambda tx: tx.find(Host, order="groups"), "groups"),
        (lambda tx: tx.find(Host, order="colour"), "colour"),
        (lambda tx: tx.find(Host, colour=()), "colour"),
        (lambda tx: tx.count(Host, colour="red"), "colour"),
        (lambda tx: tx.find(Host, tenant=SITE, after=5), "order"),
        (lambda tx: tx.get(Host, SITE), "tenant, host_id"),
        (lambda tx: tx.get(Unregistered, SITE), "Unregistered"),
        (lambda tx: tx.find(Unregistered), "Unregistered"),
    ],
)
async def test_a_wrong_question_is_an_error_that_names_it(
    store: Store, work: Callable[[Reading], Any], said: str
) -> None:
    with pytest.raises(TypeError, match=said):
        await store.read(work)


# --- all of it or nothing ---------------------------------------------------------------------------------------------


class Regret(Exception):
    pass


async def test_a_work_that_raises_leaves_no_trace(busy_morning: Store) -> None:
    await put(busy_morning, Host(SITE, ANNA, "anna"))
    generation = await busy_morning.write(lambda tx: tx.next_generation(SITE))
    before = await busy_morning.read(lambda tx: (tx.find(Execution, order="id"), tx.find(Host), tx.last_change()))

    def work(tx: Tx) -> None:
        tx.put(Host(SITE, ANNA, "renamed"), Host(SITE, BORIS, "new"), replace(start("e1"), host_id=CLARA, started=999))
        tx.add(Evidence(SITE, ANNA, "m1", 1))
        tx.delete(Execution, tenant=SITE, host_id=BORIS)
        tx.put(start("e2", CLARA))
        tx.note(SITE, "host", ANNA)
        tx.next_generation(SITE)
        raise Regret

    with pytest.raises(Regret):
        await busy_morning.write(work)
    assert before == await busy_morning.read(
        lambda tx: (tx.find(Execution, order="id"), tx.find(Host), tx.last_change())
    )
    assert await busy_morning.read(lambda tx: tx.count(Evidence)) == 0
    assert sorted(await ids(busy_morning, host_id=BORIS)) == ["e2", "e5"]
    assert await busy_morning.write(lambda tx: tx.next_generation(SITE)) == generation + 1


async def test_of_works_given_together_one_that_raises_undoes_itself_alone(store: Store) -> None:
    def work(number: int) -> Callable[[Tx], int]:
        def run(tx: Tx) -> int:
            tx.put(Host(SITE, HostId(f"host-{number}"), "x"))
            tx.note(SITE, "host", f"host-{number}")
            if number % 3 == 0:
                raise Regret(number)
            return number

        return run

    answers = await asyncio.gather(*(store.write(work(number)) for number in range(30)), return_exceptions=True)
    good = [number for number in range(30) if number % 3]
    assert [answer for answer in answers if not isinstance(answer, Regret)] == good
    hosts = await store.read(lambda tx: tx.find(Host, tenant=SITE))
    assert {host.host_id for host in hosts} == {f"host-{number}" for number in good}
    changes = await store.read(lambda tx: tx.changes_since(0))
    assert {change.key for change in changes} == {f"host-{number}" for number in good}


async def test_serialized_works_of_one_tenant_do_not_overtake_each_other(store: Store) -> None:
    def count_up(tx: Tx) -> None:
        tx.serialize(SITE)
        state = tx.get(Executable, SITE, ZOOM)
        size = 0 if state is None or state.size is None else state.size
        tx.put(Executable(SITE, ZOOM, size=size + 1))

    await asyncio.gather(*(store.write(count_up) for _ in range(25)))
    assert (await store.read(lambda tx: tx.get(Executable, SITE, ZOOM))).size == 25  # type: ignore[union-attr]


async def test_an_empty_iterator_in_a_work_is_an_error_not_a_hang(store: Store) -> None:
    for way in (store.write, store.read):
        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncio.wait_for(way(lambda tx: next(iter(tx.find(Host)))), 5)


# --- the change sequence and the generation ---------------------------------------------------------------------------


async def test_changes_are_told_once_for_each_transaction_and_in_order(store: Store) -> None:
    assert await store.read(lambda tx: (tx.last_change(), tx.changes_since(0))) == (0, [])

    def judged(tx: Tx) -> None:
        tx.note(SITE, "access", "02:00:00:00:00:10")
        tx.note(SITE, "order", "o1")
        tx.note(SITE, "access", "02:00:00:00:00:10")

    await store.write(judged)
    await store.write(judged)
    changes = await store.read(lambda tx: tx.changes_since(0))
    assert [(change.kind, change.key) for change in changes] == [
        ("access", "02:00:00:00:00:10"),
        ("order", "o1"),
    ] * 2
    numbers = [change.sequence for change in changes]
    assert numbers == sorted(set(numbers))
    assert await store.read(lambda tx: tx.last_change()) == numbers[-1]
    assert await store.read(lambda tx: tx.changes_since(numbers[1])) == changes[2:]
    assert await store.read(lambda tx: tx.changes_since(numbers[0], limit=2)) == changes[1:3]
    assert await store.read(lambda tx: tx.changes_since(numbers[-1])) == []
    assert changes[0] == Change(numbers[0], SITE, "access", "02:00:00:00:00:10")


async def test_many_writers_lose_no_change(store: Store) -> None:
    await asyncio.gather(*(store.write(lambda tx, n=n: tx.note(SITE, "order", str(n))) for n in range(50)))
    changes = await store.read(lambda tx: tx.changes_since(0))
    assert {change.key for change in changes} == {str(number) for number in range(50)}


async def test_generations_rise_for_each_tenant_by_itself(store: Store) -> None:
    assert [await store.write(lambda tx: tx.next_generation(SITE)) for _ in range(3)] == [1, 2, 3]
    assert await store.write(lambda tx: tx.next_generation(OTHER)) == 1


async def test_after_a_restore_the_generation_is_lifted_and_never_lowered(store: Store) -> None:
    clock = 1_795_000_000_000_000
    await store.write(lambda tx: tx.raise_generation(SITE, clock))
    assert await store.write(lambda tx: tx.next_generation(SITE)) == clock + 1
    await store.write(lambda tx: tx.raise_generation(SITE, 5))
    assert await store.write(lambda tx: tx.next_generation(SITE)) == clock + 2


async def test_generations_asked_for_at_once_are_all_different(store: Store) -> None:
    given = await asyncio.gather(*(store.write(lambda tx: tx.next_generation(SITE)) for _ in range(40)))
    assert sorted(given) == list(range(1, 41))


# --- what is kept no longer -------------------------------------------------------------------------------------------


async def test_old_records_are_pruned_in_parts_least_first(busy_morning: Store) -> None:
    assert await busy_morning.write(lambda tx: tx.prune(Execution, "started", 300, limit=2, tenant=SITE)) == 2
    assert await ids(busy_morning, order="started") == ["e5", "e3", "e4"]
    assert await busy_morning.write(lambda tx: tx.prune(Execution, "started", 300, limit=2, tenant=SITE)) == 1
    assert await busy_morning.write(lambda tx: tx.prune(Execution, "started", 300, limit=2, tenant=SITE)) == 0
    assert await ids(busy_morning, order="started") == ["e3", "e4"]
    assert await busy_morning.write(lambda tx: tx.prune(Execution, "ended", 999, host_id=(CLARA, ANNA))) == 1
    assert await ids(busy_morning) == ["e4"], "what has not ended is not less than anything"
    with pytest.raises(TypeError, match="colour"):
        await busy_morning.write(lambda tx: tx.prune(Execution, "colour", 1))


async def test_forgotten_changes_show_in_the_first_that_is_kept(store: Store) -> None:
    assert await store.read(lambda tx: tx.first_change()) == 0
    for number in range(5):
        await store.write(lambda tx, n=number: tx.note(SITE, "order", str(n)))
    changes = await store.read(lambda tx: tx.changes_since(0))

    def regretted(tx: Tx) -> None:
        tx.forget_changes(10**9)
        raise Regret

    with pytest.raises(Regret):
        await store.write(regretted)
    assert await store.write(lambda tx: tx.forget_changes(changes[3].sequence)) == 3
    assert await store.read(lambda tx: (tx.first_change(), tx.changes_since(0))) == (changes[3].sequence, changes[3:])
    assert await store.write(lambda tx: tx.forget_changes(10**9)) == 1, "the newest says how far it went"
    assert await store.read(lambda tx: tx.last_change()) == changes[-1].sequence
    assert await store.write(lambda tx: tx.forget_changes(10**9)) == 0


# --- the end ----------------------------------------------------------------------------------------------------------


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    for way in (store.write, store.read):
        with pytest.raises(StoreUnavailable, match="closed"):
            await way(lambda tx: tx.find(Host))
    await store.close()


async def test_close_finishes_what_was_begun(store: Store) -> None:
    works = [
        asyncio.ensure_future(store.write(lambda tx, n=n: tx.put(AuditLine(SITE, n, n, "anna", "x")) or n))
        for n in range(20)
    ]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*works) == list(range(20))


async def test_mixed_kinds_in_one_put(store: Store) -> None:
    delivery = Delivery(SITE, "d1", "ev1", "mail", "waiting", 1, 1)
    event = Event(SITE, "ev1", 1, "unknown", model.Severity.URGENT, ZOOM, "text", facts={"hosts": [ANNA], "n": 1})
    access = MacAccess(SITE, Mac("02:00:00:00:00:10"), ANNA, Access.BLOCKED, 3)
    sighted = HostExecutable(SITE, ANNA, ZOOM, 1, 2)
    await put(store, event, delivery, access, replace(event, id="ev2"), sighted)
    assert await store.read(lambda tx: tx.get(Event, SITE, "ev1")) == event
    assert await store.read(lambda tx: tx.find(Event, tenant=SITE, severity=model.Severity.URGENT, order="id")) == [
        event,
        replace(event, id="ev2"),
    ]
    assert await store.read(lambda tx: tx.find(MacAccess, access=Access.BLOCKED)) == [access]
    assert await store.read(lambda tx: tx.get(Delivery, SITE, "d1")) == delivery
    assert await store.read(lambda tx: tx.get(HostExecutable, SITE, ANNA, ZOOM)) == sighted

"""The buffered transaction shows what the one beneath would show, at every step, whatever is done in which order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from radius_policy.model import DEFAULT_TENANT, Execution, HostId, Sha256
from radius_policy.rehearsal.recorded.buffer import Buffered
from radius_policy.store.memory import MemoryStore

T = DEFAULT_TENANT
IDS = st.sampled_from(["e1", "e2", "e3"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["get", "put", "add", "find", "pick", "count", "delete", "prune"]), IDS, st.integers(0, 3)
    ),
    max_size=30,
)


def start(id_: str, at: int) -> Execution:
    return Execution(T, id_, HostId(f"h{at % 2}"), Sha256("a" * 64), "/x", 1, at, at)


def done(tx: Any, what: str, id_: str, at: int) -> Any:
    match what:
        case "get":
            return tx.get(Execution, T, id_)
        case "put":
            return tx.put(start(id_, at))
        case "add":
            return tx.add(start(id_, at))
        case "find":
            return tx.find(Execution, tenant=T, order="started", after=at - 1)
        case "pick":
            return tx.pick(Execution, ("id", "started"), tenant=T, host_id=f"h{at % 2}", order="id")
        case "count":
            return tx.count(Execution, tenant=T)
        case "delete":
            return tx.delete(Execution, tenant=T, id=id_)
        case _:
            return tx.prune(Execution, "started", at, tenant=T)


@given(STEPS)
def test_it_is_the_same_with_and_without(steps: list[tuple[str, str, int]]) -> None:
    plain, buffered = MemoryStore(), MemoryStore()
    with plain.transaction() as one, buffered.transaction() as beneath:
        other = Buffered(beneath)
        for step in steps:
            assert done(one, *step) == done(other, *step)
        other.flush()
    assert plain.reading().find(Execution, order="id") == buffered.reading().find(Execution, order="id")


def test_notes_of_events_are_dropped_and_others_are_not() -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        buffered = Buffered(tx)
        buffered.note(T, "event", "e1")
        buffered.note(T, "host", "h1")
        buffered.flush()
    assert [(each.kind, each.key) for each in store.reading().changes_since(0)] == [("host", "h1")]

"""Whatever is done to them, the store in memory and the store in SQL answer the same."""

import sqlite3
from contextlib import closing
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from radius_policy.model import Access, HostId, Mac, Order, OrderState, TenantId
from radius_policy.store.columns import CHANGES, GENERATIONS, TABLES
from radius_policy.store.interface import Tx
from radius_policy.store.memory import MemoryStore
from radius_policy.store.sql import Row, SqlTx
from radius_policy.store.statements import SQLITE, Statements

STATEMENTS = Statements(SQLITE)

orders = st.builds(
    Order,
    tenant=st.sampled_from([TenantId(1), TenantId(2)]),
    id=st.sampled_from(["a", "b", "c", "d"]),
    host_id=st.sampled_from([HostId("h1"), HostId("h2")]),
    mac=st.just(Mac("02:00:00:00:00:10")),
    access=st.sampled_from(Access),
    generation=st.integers(0, 3),
    state=st.sampled_from(OrderState),
    created=st.integers(0, 3),
    changed=st.integers(0, 2**62),
    session=st.none() | st.binary(max_size=2),
    identifier=st.none() | st.integers(0, 2),
    datagram=st.binary(max_size=4),
    note=st.text(max_size=4).map(lambda text: text.replace("\x00", "")),
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "tenant": st.sampled_from([1, 2, (1, 2)]),
        "host_id": st.sampled_from(["h1", "h2", (), ("h1", "h2"), ["h1", "h1"]]),
        "state": st.sampled_from(OrderState) | st.frozensets(st.sampled_from(OrderState), max_size=3),
        "identifier": st.none() | st.integers(0, 2) | st.lists(st.none() | st.integers(0, 2), max_size=3),
        "generation": st.integers(0, 3) | st.sets(st.integers(0, 3), max_size=3),
    },
)
sortings = st.fixed_dictionaries(
    {"order": st.sampled_from(["id", "created", "identifier", "session", "state", "generation"])},
    optional={"descending": st.booleans(), "limit": st.integers(0, 3)},
)
bounds = st.fixed_dictionaries(
    {"order": st.sampled_from(["created", "identifier", "generation"])},
    optional={
        "descending": st.booleans(),
        "limit": st.integers(0, 3),
        "after": st.integers(0, 3),
        "before": st.integers(0, 3),
    },
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), orders),
        st.tuples(st.just("add"), orders),
        st.tuples(st.just("delete"), conditions),
        st.tuples(st.just("count"), conditions),
        st.tuples(st.just("find"), conditions),
        st.tuples(st.just("sorted"), conditions, sortings | bounds),
        st.tuples(st.just("note"), st.sampled_from(["x", "y"])),
        st.tuples(st.just("generation"), st.integers(0, 4)),
    ),
    max_size=25,
)


class Connection:
    """The least that a `Runner` needs."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, values: Row) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def change(self, sql: str, values: Row) -> int:
        return self._connection.execute(sql, values).rowcount

    def change_many(self, sql: str, rows: Any) -> None:
        self._connection.executemany(sql, rows)

    def lock(self, number: int) -> None:
        pass


def step(tx: Tx, what: str, *arguments: Any) -> Any:
    match what:
        case "put":
            return tx.put(*arguments)
        case "add":
            return tx.add(*arguments)
        case "delete":
            return tx.delete(Order, **arguments[0])
        case "count":
            return tx.count(Order, **arguments[0])
        case "find":
            return {(order.tenant, order.id): order for order in tx.find(Order, **arguments[0])}
        case "sorted":
            return tx.find(Order, **arguments[0], **arguments[1])
        case "note":
            return tx.note(TenantId(1), "order", arguments[0])
        case "generation":
            tx.raise_generation(TenantId(1), arguments[0])
            return tx.next_generation(TenantId(1))
    raise AssertionError(what)


class Regret(Exception):
    pass


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(steps, st.booleans()), max_size=4))
def test_memory_and_sql_answer_the_same(transactions: list[tuple[list[Any], bool]]) -> None:
    memory = MemoryStore()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for table in (TABLES[Order], CHANGES, GENERATIONS):
            connection.execute(str(CreateTable(table).compile(dialect=dialect())))
            for index in table.indexes:
                connection.execute(str(CreateIndex(index).compile(dialect=dialect())))
        for works, regretted in transactions:
            connection.execute("BEGIN")
            sql = SqlTx(STATEMENTS, Connection(connection))
            try:
                with memory.transaction() as tx:
                    for work in works:
                        assert step(tx, *work) == step(sql, *work), work
                    if regretted:
                        raise Regret
                sql.finish()
                connection.execute("COMMIT")
            except Regret:
                connection.execute("ROLLBACK")
            view, sql = memory.reading(), SqlTx(STATEMENTS, Connection(connection))
            assert view.find(Order, order="id") == sql.find(Order, order="id")
            assert view.changes_since(0) == sql.changes_since(0)
            assert view.last_change() == sql.last_change()

"""The SQL that the store says: values are always bound, texts are few, and both dialects say the same."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from radius_policy.model import Execution, Host, MacBinding, Order, OrderState
from radius_policy.store.migrations import migrate_sqlite
from radius_policy.store.schema import RECORDS
from radius_policy.store.statements import POSTGRESQL, SQLITE, Statements

NOTHING: dict[str, Any] = {"order": None, "descending": False, "limit": None, "after": None, "before": None}


@pytest.fixture(params=[SQLITE, POSTGRESQL], ids=["sqlite", "postgresql"])
def statements(request: pytest.FixtureRequest) -> Statements:
    return Statements(request.param)


def test_no_value_becomes_part_of_the_text(statements: Statements) -> None:
    nasty = "'; DROP TABLE hosts; --"
    bound = statements.of(Host).find({"tenant": 1, "name": nasty, "site": (nasty, "b")}, **NOTHING)
    assert bound is not None
    assert nasty not in bound.sql
    assert list(bound.values)[:2] == [1, nasty]


def test_a_statement_is_compiled_once_for_its_shape(statements: Statements) -> None:
    of = statements.of(Order)
    first = of.find({"tenant": 1, "state": OrderState.SENT}, **NOTHING)
    second = of.find({"tenant": 2, "state": OrderState.PLANNED}, **NOTHING)
    assert first is not None
    assert second is not None
    assert first.sql is second.sql
    assert first.values != second.values


def test_collections_of_many_lengths_share_few_texts(statements: Statements) -> None:
    texts = set()
    for length in range(1, 129):
        bound = statements.of(Host).find({"tenant": 1, "host_id": [str(n) for n in range(length)]}, **NOTHING)
        assert bound is not None
        assert set(bound.values) == {1, *(str(n) for n in range(length))}
        texts.add(bound.sql)
    assert len(texts) == 8


def test_more_values_than_a_database_takes_are_refused_in_words(statements: Statements) -> None:
    with pytest.raises(ValueError, match="ask in parts"):
        statements.of(Host).find({"host_id": range(20_000) and [str(n) for n in range(20_000)]}, **NOTHING)


def test_every_kind_of_record_has_all_its_statements(statements: Statements) -> None:
    for kind in RECORDS:
        of = statements.of(kind)
        for text in (of.put, of.add, of.remove):
            assert RECORDS[kind].table in text
        assert "ON CONFLICT" in of.put
        assert "DO NOTHING" in of.add


def test_what_belongs_to_the_key_is_not_replaced(statements: Statements) -> None:
    replaced = statements.of(MacBinding).put.partition("DO UPDATE SET")[2]
    assert '"bound_at" = excluded."bound_at"' in replaced
    assert "host_id" not in replaced


@pytest.mark.parametrize(
    ("kind", "equals", "order", "index"),
    [
        (Execution, {"tenant": 1, "host_id": "h"}, "started", "executions_by_host_id_started"),
        (Execution, {"tenant": 1, "sha256": "a"}, "started", "executions_by_sha256_started"),
        (Execution, {"tenant": 1}, "started", "executions_by_started"),
        (Order, {"tenant": 1, "state": OrderState.PLANNED}, "not_before", "orders_by_state_not_before"),
        (Host, {"tenant": 1, "host_id": "h"}, None, "sqlite_autoindex_hosts_1"),
    ],
)
def test_sqlite_takes_the_index_that_was_made_for_it(
    tmp_path_factory: pytest.TempPathFactory, kind: type[Any], equals: dict[str, Any], order: str | None, index: str
) -> None:
    file = tmp_path_factory.mktemp("plan") / "x.db"
    migrate_sqlite(str(file), 1)
    how = {**NOTHING, "order": order, "limit": 10} | ({"after": 5} if order else {})
    bound = Statements(SQLITE).of(kind).find(equals, **how)
    assert bound is not None
    with closing(sqlite3.connect(file)) as connection:
        plan = str(connection.execute(f"EXPLAIN QUERY PLAN {bound.sql}", bound.values).fetchall())
    assert f"USING INDEX {index}" in plan
    assert "SCAN" not in plan

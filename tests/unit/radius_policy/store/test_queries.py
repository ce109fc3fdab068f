"""Every question that the code asks of the store has an index: what is quick in a test stays quick with years of data.

Read off the source: each `find`, `pick`, `count`, `delete` and `prune` of a record must narrow by the key or by an index beyond
the tenant, or order by one. Asking for all of a tenant is meant where it stands, so it passes.
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from radius_policy.store.schema import RECORDS, RecordType

REPOSITORY = Path(__file__).resolve().parents[4]
BY_NAME = {kind.__name__: record for kind, record in RECORDS.items()}
HOW = {"order", "descending", "limit", "after", "before"}


class Question(NamedTuple):
    where: str
    kind: str
    equals: frozenset[str]
    order: str | None


def questions(source: str, name: str) -> Iterator[Question]:
    """The store's questions in a piece of code; those with computed conditions cannot be read."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not call.args:
            continue
        if call.func.attr not in ("find", "pick", "count", "delete", "prune"):
            continue
        kind = call.args[0]
        word = kind.id if isinstance(kind, ast.Name) else kind.attr if isinstance(kind, ast.Attribute) else ""
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        if word not in BY_NAME or None in named:
            continue
        order = call.args[1] if call.func.attr == "prune" and len(call.args) > 1 else named.get("order")
        field = str(order.value) if isinstance(order, ast.Constant) and order.value is not None else None
        equals = frozenset(key for key in named if key is not None) - HOW
        yield Question(f"{name}:{call.lineno}", word, equals, field)


def is_served(record: RecordType, equals: frozenset[str], order: str | None) -> bool:
    if equals <= {"tenant"} and order is None:
        return True
    for columns in (record.key, *record.indexes):
        if "tenant" not in equals:
            continue
        if len(columns) > 1 and (columns[1] in equals or (columns[1] == order and equals == {"tenant"})):
            return True
    return len(record.key) == 1


def test_every_question_in_the_code_is_served_by_an_index() -> None:
    asked = [
        question
        for room in ("radius_policy", "api", "lab")
        for file in sorted((REPOSITORY / room).rglob("*.py"))
        for question in questions(file.read_text(), str(file.relative_to(REPOSITORY)))
    ]
    unserved = [question for question in asked if not is_served(BY_NAME[question.kind], *question[2:])]
    assert unserved == [], "add an index in radius_policy/store/schema.py, or narrow the question by the tenant"


@pytest.mark.parametrize(
    ("code", "served"),
    [
        ("tx.find(Order, tenant=t, state=s, order='not_before')", True),
        ("tx.find(model.Order, tenant=t, host_id=h, order='created', descending=True)", True),
        ("tx.find(Order, tenant=t)", True),
        ("tx.find(Order, tenant=t, id=i)", True),
        ("tx.find(Order, tenant=t, order='created', limit=5)", True),
        ("tx.find(Order, tenant=t, note='x')", False),
        ("tx.find(Order, tenant=t, order='note')", False),
        ("tx.find(Order, state=s)", False),
        ("tx.prune(Event, 'at', before, tenant=t)", True),
        ("tx.prune(Event, 'text', before, tenant=t)", False),
        ("tx.delete(Order, tenant=t, note='x')", False),
    ],
)
def test_how_a_question_is_read(code: str, served: bool) -> None:
    (question,) = questions(inspect.cleandoc(code), "code")
    assert is_served(BY_NAME[question.kind], question.equals, question.order) is served

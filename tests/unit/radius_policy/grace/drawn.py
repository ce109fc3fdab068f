"""Conditions and values drawn by hypothesis, over all facts and operators."""

from typing import Any

from hypothesis import strategies as st

from radius_policy.facts.table import FACTS, Fact, Type
from radius_policy.grace.conditions import OPERATORS, Operator


def fitting(fact: Fact) -> st.SearchStrategy[Any]:
    """Values that a fact can have; of a set of texts, one of its texts."""
    if fact.type is Type.BOOLEAN:
        return st.booleans()
    if fact.type is Type.NUMBER:
        return st.integers(-5, 5)
    if fact.type is Type.HASH:
        return st.sampled_from(["a" * 64, "b" * 64])
    return st.sampled_from(fact.words or ("x", "/opt/app", r"C:\Windows"))


@st.composite
def conditions(draw: st.DrawFn, fact: Fact | None = None) -> tuple[Fact, Operator, Any]:
    """A fact (this one, or any), an operator that goes with it and a value that fits both."""
    fact = fact or draw(st.sampled_from(list(FACTS.values())))
    operator = draw(st.sampled_from([o for o in OPERATORS.values() if fact.type in o.types]))
    one = fitting(fact)
    wanted: Any = draw(one)
    if operator.wants == "list":
        wanted = tuple(draw(st.lists(one, min_size=1, max_size=3)))
    elif operator.wants == "pair":
        wanted = tuple(sorted((draw(one), draw(one))))
    return fact, operator, wanted

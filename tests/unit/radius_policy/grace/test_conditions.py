"""Conditions: every operator on every type it goes with, and none of them ever true for a missing fact."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_policy.facts.table import FACTS, Fact, Facts, Type
from radius_policy.grace.conditions import OPERATORS, Operator, compiled, distance, misfit
from tests.unit.radius_policy.grace.drawn import conditions, fitting


def holds(name: str, operator: str, wanted: Any, value: Any) -> bool:
    fact, chosen = FACTS[name], OPERATORS[operator]
    assert misfit(fact, chosen, wanted) is None
    return compiled(fact, chosen, wanted).test(Facts({name: value}))


@pytest.mark.parametrize(
    ("name", "operator", "wanted", "yes", "no"),
    [
        ("signer.state", "eq", "valid", "valid", "invalid"),
        ("signer.state", "ne", "valid", "invalid", "valid"),
        ("signer.state", "in", ("valid", "expired"), "expired", "unsigned"),
        ("signer.state", "not_in", ("valid", "expired"), "unsigned", "valid"),
        ("prevalence.site.hosts", "eq", 3, 3, 4),
        ("prevalence.site.hosts", "ge", 3, 3, 2),
        ("prevalence.site.hosts", "le", 3, 3, 4),
        ("prevalence.site.hosts", "gt", 3, 4, 3),
        ("prevalence.site.hosts", "lt", 3, 2, 3),
        ("time.hour", "between", (8, 17), 17, 18),
        ("time.hour", "between", (8, 17), 8, 7),
        ("time.hour", "between", (8, 8), 8, 9),
        ("provenance.proven", "eq", True, True, False),
        ("provenance.proven", "ne", True, False, True),
        ("provenance.proven", "eq", False, False, True),
        ("host.groups", "eq", "pilot", ("pilot", "x"), ("x",)),
        ("host.groups", "ne", "pilot", (), ("pilot",)),
        ("host.groups", "in", ("a", "b"), ("b",), ("c",)),
        ("host.groups", "not_in", ("a", "b"), ("c",), ("a", "c")),
        ("place", "under", r"C:\Program Files", r"c:\program files\app", r"c:\program filesx\app"),
        ("path", "eq", r"C:\A\B.exe", r"c:\a\b.exe", r"c:\a\c.exe"),
        ("path", "under", "/opt/app", "/opt/app/x", "/opt/apple"),
        ("path", "in", (r"C:\A\B.exe", "/opt/app/x"), r"c:\a\b.exe", r"c:\a\c.exe"),
        ("hash", "in", ("a" * 64,), "a" * 64, "b" * 64),
    ],
)
def test_an_operator_says_what_its_word_says(name: str, operator: str, wanted: Any, yes: Any, no: Any) -> None:
    assert holds(name, operator, wanted, yes)
    assert not holds(name, operator, wanted, no)


@given(conditions())
def test_a_missing_fact_makes_no_condition_true_negated_ones_included(condition: tuple[Fact, Operator, Any]) -> None:
    fact, operator, wanted = condition
    assert misfit(fact, operator, wanted) is None
    ready = compiled(fact, operator, wanted)
    assert not ready.test(Facts())
    assert not ready.test(Facts({fact.name: None}))
    assert distance(ready, None) == "is missing"


@given(conditions(), st.data())
def test_a_condition_and_its_negation_never_hold_together(
    condition: tuple[Fact, Operator, Any], data: st.DataObject
) -> None:
    fact, operator, wanted = condition
    opposite = {"eq": "ne", "in": "not_in", "ge": "lt", "le": "gt"}.get(operator.name)
    if opposite is None:
        return
    value: Any = data.draw(fitting(fact))
    if fact.type in (Type.TEXTS, Type.PATHS):
        value = (value,)
    facts = Facts({fact.name: value})
    one = compiled(fact, operator, wanted).test(facts)
    assert one != compiled(fact, OPERATORS[opposite], wanted).test(facts) or fact.type is Type.PATH


@pytest.mark.parametrize(
    ("name", "operator", "wanted", "part"),
    [
        ("prevalence.site.hosts", "eq", "3", "is a number (hosts), not 3"),
        ("prevalence.site.hosts", "eq", True, "is a number"),
        ("provenance.proven", "eq", "yes", "provenance.proven is true or false, not yes"),
        ("provenance.proven", "eq", 1, "is true or false"),
        ("provenance.proven", "ge", True, "does not go with"),
        ("signer.state", "eq", "good", "is never good; it is one of valid, invalid"),
        ("signer.state", "in", [], "needs a list"),
        ("signer.state", "in", "valid", "needs a list"),
        ("time.hour", "between", [17, 8], "the smaller one first"),
        ("time.hour", "between", [8], "needs two numbers"),
        ("time.hour", "between", ["8", 17], "needs two numbers"),
        ("time.hour", "between", [8, "17"], "needs two numbers"),
        ("time.hour", "between", [True, 17], "needs two numbers"),
        ("hash", "eq", "abc", "64 lower-case hexadecimal digits"),
        ("hash", "eq", "X" * 64, "64 lower-case hexadecimal digits"),
        ("signer.name", "under", "x", "does not go with"),
    ],
)
def test_a_value_that_does_not_fit_is_named_in_words(name: str, operator: str, wanted: Any, part: str) -> None:
    assert part in (misfit(FACTS[name], OPERATORS[operator], wanted) or "")


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "text"),
    [
        ("le", 2000, 2130, "is 2130, 130 too many"),
        ("ge", 5, 2, "is 2, 3 too few"),
        ("between", (2, 4), 1, "is 1, 1 too few"),
        ("between", (2, 4), 6.5, "is 6.5, 2.5 too many"),
        ("eq", 5, 2, "is 2"),
    ],
)
def test_a_failed_number_tells_by_how_much(operator: str, wanted: Any, value: float, text: str) -> None:
    assert distance(compiled(FACTS["prevalence.site.hosts"], OPERATORS[operator], wanted), value) == text


@pytest.mark.parametrize(
    ("name", "operator", "wanted", "value", "words", "missed"),
    [
        ("prevalence.site.hosts", "gt", 5, 5, "is more than 5", "is 5, 0 too few"),
        ("prevalence.site.hosts", "lt", 5, 7, "is less than 5", "is 7, 2 too many"),
        ("prevalence.site.hosts", "in", (5, 6, 100), 7, "is one of 5, 6, 100", "is 7"),
        ("time.hour", "between", (8, 17), 18, "is between 8 and 17", "is 18, 1 too many"),
        ("prevalence.site.hosts", "le", 0.25, 10.5, "is at most 0.25", "is 10.5, 10.25 too many"),
        ("prevalence.site.hosts", "le", 100, 100.999, "is at most 100", "is 101, 1 too many"),
        ("provenance.proven", "eq", True, False, "is true", "is false"),
        ("provenance.proven", "eq", False, True, "is false", "is true"),
        ("signer.state", "in", ("valid", "expired"), "unsigned", "is one of valid, expired", "is unsigned"),
        ("host.groups", "eq", "pilot", ("tills", "lab"), "is pilot", "is tills, lab"),
        ("host.groups", "eq", "pilot", (), "is pilot", "is empty"),
    ],
)
def test_a_condition_and_what_it_missed_read_as_a_sentence(name, operator, wanted, value, words, missed) -> None:
    condition = compiled(FACTS[name], OPERATORS[operator], wanted)
    assert not condition.test(Facts({name: value}))
    assert (condition.words(), distance(condition, value)) == (f"{name} {words}", missed)

"""Conditions on facts: one table of operators, each compiled to a closure that is false for a missing fact.

`compiled(fact, operator, wanted)` gives the test, `distance` says by how much a failed one failed. Values are already
checked against the fact's type (`wanted_for`); nothing here raises while a start is judged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from radius_policy.facts.places import comparable, under
from radius_policy.facts.table import Fact, Facts, Type, Value

Test = Callable[[Facts], bool]
_SETS: Final = frozenset((Type.TEXTS, Type.PATHS))
_PATHS: Final = frozenset((Type.PATH, Type.PATHS))


@dataclass(frozen=True, slots=True)
class Operator:
    """`types` are the facts it may stand on, `wants` what must stand at its right: one `value`, a `list` or a `pair`."""

    name: str
    words: str
    types: frozenset[Type]
    wants: str
    make: Callable[[str, Any], Test]
    make_for_set: Callable[[str, Any], Test] | None = None


def _eq(name: str, wanted: Value) -> Test:
    return lambda facts: facts[name] == wanted


def _ne(name: str, wanted: Value) -> Test:
    return lambda facts: (value := facts[name]) is not None and value != wanted


def _in(name: str, wanted: frozenset[Value]) -> Test:
    return lambda facts: facts[name] in wanted


def _not_in(name: str, wanted: frozenset[Value]) -> Test:
    return lambda facts: (value := facts[name]) is not None and value not in wanted


def _ge(name: str, wanted: Any) -> Test:
    return lambda facts: (value := facts[name]) is not None and value >= wanted


def _le(name: str, wanted: Any) -> Test:
    return lambda facts: (value := facts[name]) is not None and value <= wanted


def _gt(name: str, wanted: Any) -> Test:
    return lambda facts: (value := facts[name]) is not None and value > wanted


def _lt(name: str, wanted: Any) -> Test:
    return lambda facts: (value := facts[name]) is not None and value < wanted


def _between(name: str, wanted: Any) -> Test:
    low, high = wanted
    return lambda facts: (value := facts[name]) is not None and low <= value <= high


def _under(name: str, wanted: str) -> Test:
    return lambda facts: (value := facts[name]) is not None and under(value, wanted)  # type: ignore[arg-type]


def _has(name: str, wanted: str) -> Test:
    return lambda facts: (value := facts[name]) is not None and wanted in value  # type: ignore[operator]


def _has_not(name: str, wanted: str) -> Test:
    return lambda facts: (value := facts[name]) is not None and wanted not in value  # type: ignore[operator]


def _has_any(name: str, wanted: frozenset[str]) -> Test:
    return lambda facts: (value := facts[name]) is not None and not wanted.isdisjoint(value)  # type: ignore[arg-type]


def _has_none(name: str, wanted: frozenset[str]) -> Test:
    return lambda facts: (value := facts[name]) is not None and wanted.isdisjoint(value)  # type: ignore[arg-type]


_ALL: Final = frozenset(Type)
_SINGLE: Final = _ALL - {Type.BOOLEAN}
_NUMBER: Final = frozenset((Type.NUMBER,))

OPERATORS: Final[dict[str, Operator]] = {
    operator.name: operator
    for operator in (
        Operator("eq", "is", _ALL, "value", _eq, _has),
        Operator("ne", "is not", _ALL, "value", _ne, _has_not),
        Operator("in", "is one of", _SINGLE, "list", _in, _has_any),
        Operator("not_in", "is none of", _SINGLE, "list", _not_in, _has_none),
        Operator("ge", "is at least", _NUMBER, "value", _ge),
        Operator("le", "is at most", _NUMBER, "value", _le),
        Operator("gt", "is more than", _NUMBER, "value", _gt),
        Operator("lt", "is less than", _NUMBER, "value", _lt),
        Operator("between", "is between", _NUMBER, "pair", _between),
        Operator("under", "lies under", frozenset((Type.PATH,)), "value", _under),
    )
}
"""Every operator. A bare value in a rule means `eq`; on a set of texts `eq` means that one of them is equal."""

NEGATED: Final = frozenset(("ne", "not_in"))
BOUNDS: Final = frozenset(("le", "lt"))


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule: `wanted` as written (a tuple for lists and pairs), `test` ready to be asked."""

    fact: Fact
    operator: Operator
    wanted: Value | tuple[Value, ...]
    test: Test

    def words(self) -> str:
        """The condition as people read it: `prevalence.site.hosts is at most 2000`."""
        wanted = self.wanted if isinstance(self.wanted, tuple) else (self.wanted,)
        joined = (" and " if self.operator.wants == "pair" else ", ").join(_text(each) for each in wanted)
        return f"{self.fact.name} {self.operator.words} {joined}"


def compiled(fact: Fact, operator: Operator, wanted: Value | tuple[Value, ...]) -> Condition:
    """A condition whose values fit the fact (see `misfit`)."""
    ready: Any = wanted
    if fact.type in _PATHS:
        ready = tuple(comparable(str(one)) for one in wanted) if isinstance(wanted, tuple) else comparable(str(wanted))
    if operator.wants == "list":
        ready = frozenset(ready)
    make = operator.make_for_set if fact.type in _SETS and operator.make_for_set else operator.make
    return Condition(fact, operator, wanted, make(fact.name, ready))


def misfit(fact: Fact, operator: Operator, wanted: object) -> str | None:
    """What is wrong with a condition in words, or None where it fits."""
    if fact.type not in operator.types:
        return f"`{operator.name}` does not go with {fact.name}, which is a {fact.type}"
    if operator.wants == "value":
        return _misfit_one(fact, wanted)
    if not isinstance(wanted, list | tuple) or not wanted:
        return f"`{operator.name}` needs a list of values"
    if operator.wants == "pair" and (
        len(wanted) != 2 or _misfit_one(fact, wanted[0]) or _misfit_one(fact, wanted[1]) or wanted[0] > wanted[1]
    ):
        return f"`{operator.name}` needs two numbers, the smaller one first"
    return next((wrong for one in wanted if (wrong := _misfit_one(fact, one))), None)


_EXPECTED: Final[dict[Type, tuple[tuple[type, ...], str]]] = {
    Type.TEXT: ((str,), "a text"), Type.PATH: ((str,), "a path"), Type.WORD: ((str,), "a word"), Type.TEXTS: ((str,), "a text"),
    Type.PATHS: ((str,), "a path"), Type.NUMBER: ((int, float), "a number"), Type.BOOLEAN: ((bool,), "true or false"), Type.HASH: ((str,), "a hash"),
}  # fmt: skip


def _misfit_one(fact: Fact, value: object) -> str | None:
    types, words = _EXPECTED[fact.type]
    if not isinstance(value, types) or (isinstance(value, bool) and fact.type is not Type.BOOLEAN):
        unit = f" ({fact.unit})" if fact.unit else ""
        return f"{fact.name} is {words}{unit}, not {_text(value)}"
    if fact.words and value not in fact.words:
        return f"{fact.name} is never {_text(value)}; it is one of {', '.join(fact.words)}"
    if fact.type is Type.HASH and (len(str(value)) != 64 or set(str(value)) - set("0123456789abcdef")):
        return f"{fact.name} is a SHA-256: 64 lower-case hexadecimal digits"
    return None


def distance(condition: Condition, value: Value | None) -> str:
    """By how much a condition failed, in words: `is 2130, 130 too many`; `is missing`."""
    if value is None:
        return "is missing"
    said = ", ".join(value) if isinstance(value, tuple) else _text(value)
    name, wanted = condition.operator.name, condition.wanted
    if isinstance(value, int | float) and not isinstance(value, bool) and condition.fact.type is Type.NUMBER:
        low, high = wanted if isinstance(wanted, tuple) and name == "between" else (wanted, wanted)
        if name in ("ge", "gt") or (name == "between" and value < low):  # type: ignore[operator]
            return f"is {said}, {_number(low - value)} too few"  # type: ignore[operator]
        if name in ("le", "lt", "between"):
            return f"is {said}, {_number(value - high)} too many"  # type: ignore[operator]
    return f"is {said or 'empty'}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number(value) if isinstance(value, int | float) else str(value)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")

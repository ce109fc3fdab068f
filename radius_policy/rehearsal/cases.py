"""Rules rehearsed on cases: facts as a person writes them, and the verdict that is expected.

```toml
[[case]]
name = "an update by its own updater"
expect = "graced"                       # allowed, graced, unknown or denied
rule = "same-signer-new-version"        # optional: the rule that must decide ("" = none)
outcomes = ["observe"]                  # optional: exactly these
[case.facts]
"signer.state" = "valid"
```
A fact that is not written is missing. Cases are judged without lists, by the rules alone, at one moment.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from radius_policy.facts.places import comparable
from radius_policy.facts.table import FACTS, Facts, Type, Value
from radius_policy.grace.conditions import OPERATORS, misfit
from radius_policy.grace.positions import Path, Position, positions
from radius_policy.grace.reading import RuleError, Wrong, flat, near, syntax
from radius_policy.grace.rules import NoSlots, RuleSet, why_not
from radius_policy.lists.index import Lists
from radius_policy.model import Micros, Outcome, VerdictWord
from radius_policy.verdict import judge

_FIELDS: Final = ("name", "expect", "rule", "outcomes", "facts")
_WORDS: Final = ("allowed", "graced", "unknown", "denied")


@dataclass(frozen=True, slots=True)
class Case:
    """`line` is where it stands. `rule` and `outcomes` are None where nothing is expected of them."""

    name: str
    expect: VerdictWord
    facts: Mapping[str, Value]
    line: int
    rule: str | None = None
    outcomes: frozenset[Outcome] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One case judged. `wrong` says what came out instead, '' where all is as expected; `why` the failed conditions."""

    case: Case
    wrong: str
    why: tuple[str, ...] = ()


def read_cases(text: str, filename: str = "cases.toml") -> tuple[Case, ...]:
    """Read cases. Raises RuleError with every mistake and its place."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError((syntax(str(error), text, filename),)) from error
    spots = positions(text)
    wrong: list[Wrong] = []

    def refuse(path: Path, what: str, nearest: str = "") -> None:
        while path and path not in spots:
            path = path[:-1]
        at = spots[path].key if path else Position(1, 1)
        wrong.append(Wrong(filename, at.line, at.column, what, nearest))

    rows = document.get("case", [])
    for key in document:
        if key != "case":
            refuse((key,), f"unknown entry `{key}`", "case")
    if not isinstance(rows, list) or not rows:
        refuse((), "no cases: write them as [[case]]")
        rows = []
    out = []
    for index, row in enumerate(rows):
        path: Path = ("case", index)
        for key in row:
            if key not in _FIELDS:
                refuse((*path, key), f"a case has no `{key}`", near(key, _FIELDS))
        if row.get("expect") not in _WORDS:
            refuse((*path, "expect"), f"`expect` is one of {', '.join(_WORDS)}", near(str(row.get("expect")), _WORDS))
            continue
        bad = [word for word in row.get("outcomes", ()) if word not in tuple(Outcome)]
        for word in bad:
            refuse((*path, "outcomes"), f"unknown outcome `{word}`", near(str(word), tuple(Outcome)))
        facts = dict(_facts(path, row.get("facts", {}), refuse))
        outcomes = frozenset(map(Outcome, row["outcomes"])) if "outcomes" in row and not bad else None
        name = str(row.get("name", f"case {index + 1}"))
        out.append(Case(name, VerdictWord(row["expect"]), facts, spots[path].key.line, row.get("rule"), outcomes))
    if wrong:
        raise RuleError(wrong)
    return tuple(out)


def tell(cases: Iterable[Case], rules: RuleSet, now: Micros) -> tuple[Told, ...]:
    """Judge every case by these rules."""
    return tuple(_told(case, rules, now) for case in cases)


def _told(case: Case, rules: RuleSet, now: Micros) -> Told:
    verdict = judge(Facts(case.facts), Lists(), rules, now)
    wrong = []
    if verdict.word is not case.expect:
        wrong.append(f"{verdict.word} instead of {case.expect} ({verdict.reason.text})")
    by = verdict.reason.ref if verdict.reason.level == "rule" else ""
    if case.rule is not None and by != case.rule:
        wrong.append(f"decided by {by or verdict.reason.level} instead of {case.rule or 'no rule'}")
    if case.outcomes is not None and verdict.outcomes != case.outcomes:
        wrong.append(f"outcomes {_words(verdict.outcomes)} instead of {_words(case.outcomes)}")
    expected = rules.named(case.rule) if case.rule else None
    why = why_not(expected, Facts(case.facts), NoSlots(), now) if wrong and expected is not None else ()
    return Told(case, "; ".join(wrong), tuple(each.text for each in why))


def _words(outcomes: Iterable[Outcome]) -> str:
    return ", ".join(sorted(outcomes)) or "none"


def _facts(path: Path, table: Any, refuse: Any) -> Iterable[tuple[str, Value]]:
    if not isinstance(table, dict):
        refuse((*path, "facts"), "`facts` is a table, [case.facts]")
        return
    for name, value in flat(table):
        fact = FACTS.get(name)
        at = (*path, "facts", name)
        if fact is None:
            refuse(at, f"unknown fact `{name}`", near(name, FACTS))
            continue
        one_by_one = value if fact.type in (Type.TEXTS, Type.PATHS) and isinstance(value, list) else [value]
        wrong = next((bad for one in one_by_one if (bad := misfit(fact, OPERATORS["eq"], one))), None)
        if wrong:
            refuse(at, wrong)
        elif fact.type in (Type.TEXTS, Type.PATHS):
            yield name, tuple(map(str, one_by_one))
        else:
            yield name, comparable(value) if fact.type is Type.PATH else value

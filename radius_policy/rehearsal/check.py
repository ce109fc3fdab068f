"""What is suspicious about rules that are valid: findings for the person who wrote them, never a refusal.

Found are rules that can never match (conditions that exclude each other, an earlier rule that always takes the start),
rules that never matched though they were in force, and rules that trust more than they seem to. It is exact in one
direction: a rule said to be unreachable is; one that is not said to be may still be.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from radius_policy.facts.places import comparable, under
from radius_policy.facts.table import Facts, Type, Value, Worth
from radius_policy.grace.conditions import BOUNDS, NEGATED, Condition
from radius_policy.grace.reading import STRONG
from radius_policy.grace.rules import Rule, RuleSet


class Smell(StrEnum):
    """What may be wrong with a rule that can be read."""

    IMPOSSIBLE = "impossible"
    UNREACHABLE = "unreachable"
    NEVER_MATCHED = "never matched"
    OVER_BROAD = "over-broad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about one rule, as a sentence."""

    rule: str
    smell: Smell
    text: str

    @property
    def serious(self) -> bool:
        """Whether the rules should be changed for it; one that never matched may just wait for its day."""
        return self.smell is not Smell.NEVER_MATCHED


def check(rules: RuleSet, matched: Mapping[str, int] | None = None) -> tuple[Finding, ...]:
    """All findings, in the order of the rules. `matched` counts for each rule how often it matched since these rules
    are in force; without it nothing is said about that."""
    out: list[Finding] = []
    for index, rule in enumerate(rules.rules):
        if clash := _clash(rule.when):
            out.append(
                Finding(rule.name, Smell.IMPOSSIBLE, f"{clash[0].words()} and {clash[1].words()} never hold together")
            )
        elif taker := _taker(rule, rules.rules[:index]):
            out.append(
                Finding(rule.name, Smell.UNREACHABLE, f"every start that it means is taken by `{taker.name}` before")
            )
        elif matched is not None and not matched.get(rule.name) and not _for_replay(rule):
            out.append(Finding(rule.name, Smell.NEVER_MATCHED, "it never matched since these rules are in force"))
        if rule.trusts and (text := _broad(rule)):
            out.append(Finding(rule.name, Smell.OVER_BROAD, text))
    return tuple(out)


def _for_replay(rule: Rule) -> bool:
    return any(condition.fact.name == "replay" for condition in rule.when)


def implies(one: Condition, other: Condition) -> bool:
    """Whether `other` surely holds wherever `one` does."""
    if one.fact is not other.fact:
        return False
    if one.operator is other.operator and one.wanted == other.wanted:
        return True
    if (values := _only(one)) is not None:
        return all(other.test(Facts({one.fact.name: value})) for value in values)
    mine, its = _interval(one), _interval(other)
    if mine is not None and its is not None:
        return its[0] <= mine[0] and mine[1] <= its[1]
    if one.operator.name in NEGATED and other.operator.name in NEGATED:
        return _listed(other) <= _listed(one)
    if one.operator.name == "under" == other.operator.name:
        return under(comparable(str(one.wanted)), comparable(str(other.wanted)))
    return False


def excludes(one: Condition, other: Condition) -> bool:
    """Whether two conditions surely never hold together."""
    if one.fact is not other.fact:
        return False
    if (values := _only(one)) is not None:
        return not any(other.test(Facts({one.fact.name: value})) for value in values)
    mine, its = _interval(one), _interval(other)
    return mine is not None and its is not None and (mine[1] < its[0] or its[1] < mine[0])


def _clash(when: tuple[Condition, ...]) -> tuple[Condition, Condition] | None:
    return next(((a, b) for a in when for b in when if a is not b and (excludes(a, b) or excludes(b, a))), None)


def _taker(rule: Rule, earlier: tuple[Rule, ...]) -> Rule | None:
    """An earlier rule that holds wherever this one does. One with a grace lets the next rule try when its slots are
    used up, so it takes everything only from a rule that gives no more hosts than it does."""
    for other in earlier:
        if other.scope not in ("fleet", rule.scope) or not all(
            any(implies(mine, its) for mine in rule.when) for its in other.when
        ):
            continue
        if other.grace is None or (rule.grace is not None and rule.grace == other.grace):
            return other
    return None


def _broad(rule: Rule) -> str | None:
    evidence = [c for c in rule.when if c.operator.name not in NEGATED | BOUNDS and c.wanted is not False]
    if not {c.fact.worth for c in evidence} & STRONG:
        return "it trusts by weak evidence only (names, signatures, prevalence); ask where the file came from, too"
    if any(c.fact.name in _WRITERS and _takes_bad(c) for c in evidence):
        return "it trusts what an unknown or denied program wrote or started"
    strong = {c.fact.name for c in evidence if c.fact.worth in STRONG}
    if strong <= _ANY_PROGRAM and not any(c.fact.worth in (Worth.SIGNATURE, Worth.NAME) for c in evidence):
        return "it trusts everything that any allowed program writes or starts, browsers and mail programs included"
    return None


_WRITERS = frozenset(("writer.verdict", "parent.verdict", "parents.verdicts", "made_by.inputs"))
_ANY_PROGRAM = frozenset(("writer.verdict", "parent.verdict", "parents.verdicts", "writer.proven", "parent.proven"))


def _takes_bad(condition: Condition) -> bool:
    return bool({"unknown", "denied", "unjudgeable"} & {str(value) for value in _only(condition) or ()})


def _only(condition: Condition) -> tuple[Value, ...] | None:
    """The few values under which a condition can hold, or None where they are many or a set of texts."""
    fact, name, wanted = condition.fact, condition.operator.name, condition.wanted
    if fact.type in (Type.TEXTS, Type.PATHS):
        return None
    domain: tuple[Value, ...] = (True, False) if fact.type is Type.BOOLEAN else fact.words
    if domain:
        return tuple(value for value in domain if condition.test(Facts({fact.name: value})))
    if name in ("eq", "in"):
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        return tuple(comparable(str(v)) if fact.type is Type.PATH else v for v in values)
    return None


def _listed(condition: Condition) -> frozenset[Value]:
    wanted = condition.wanted
    return frozenset(wanted if isinstance(wanted, tuple) else (wanted,))


def _interval(condition: Condition) -> tuple[float, float] | None:
    """Closed bounds of a condition on a number; `gt` and `lt` end at the next number that can be told apart."""
    wanted = condition.wanted
    if condition.fact.type is not Type.NUMBER:
        return None
    if condition.operator.name == "between" and isinstance(wanted, tuple):
        return float(wanted[0]), float(wanted[1])  # type: ignore[arg-type]
    if isinstance(wanted, bool | tuple) or not isinstance(wanted, int | float):
        return None
    bounds = {
        "ge": (wanted, math.inf), "gt": (math.nextafter(wanted, math.inf), math.inf),
        "le": (-math.inf, wanted), "lt": (-math.inf, math.nextafter(wanted, -math.inf)),
    }  # fmt: skip
    return bounds.get(condition.operator.name)

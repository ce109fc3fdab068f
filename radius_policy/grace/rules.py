"""Rules as values, and the one question they answer: which rule is the first whose conditions all hold?

Guarantees: an empty rule set matches nothing; a missing fact makes no condition true; the answer depends on the facts,
the slots and `now` alone. A grace whose slots are used up, or whose hours on this host are over, does not match, and
the next rule is tried (tables.md, Grace rules). Taking the slot is the caller's: the match says which one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from radius_policy.facts.table import Facts
from radius_policy.grace.conditions import Condition, Test, distance
from radius_policy.model import SECOND, Micros, Outcome
from radius_policy.quick import maker

HOUR: Final = 3600 * SECOND


class Slots(Protocol):
    """What the store knows about uses of a grace of one executable. Asked only where a rule's conditions hold."""

    def until(self, rule: str) -> Micros | None:
        """When the grace by this rule ends for this executable on this host; None where it has no slot."""
        ...

    def used(self, rule: str) -> int:
        """How many distinct hosts have a slot of this rule for this executable."""
        ...


class NoSlots:
    """Nobody has used any grace yet: for tests and for explaining a rule by itself."""

    def until(self, rule: str) -> Micros | None:
        return None

    def used(self, rule: str) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Grace:
    """`hours` count from the first graced start on a host, `max_hosts` are distinct hosts per executable. Each is a
    number or the name of a number fact (a deployment tool's own trust); where that fact is missing nothing is given."""

    hours: float | str
    max_hosts: int | str


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[rule]]`. `tests` are its compiled conditions, its scope's included."""

    name: str
    when: tuple[Condition, ...]
    outcomes: frozenset[Outcome]
    grace: Grace | None = None
    scope: str = "fleet"
    doc: str = ""
    cases: str = ""
    script: str = ""
    tests: tuple[Test, ...] = field(default=(), repr=False, compare=False)

    @property
    def trusts(self) -> bool:
        """Whether it gives the verdict allowed or graced."""
        return Outcome.ALLOW in self.outcomes or Outcome.GRACE in self.outcomes


@dataclass(frozen=True, slots=True)
class Match:
    """The rule that holds. `until` ends its grace; `new_slot` says that this start takes a slot of (rule, executable)."""

    rule: Rule
    until: Micros | None = None
    new_slot: bool = False


_match: Callable[..., Match] = maker(Match)


@dataclass(frozen=True, slots=True)
class Failed:
    """A condition that did not hold, and by how much: `prevalence.site.hosts is at most 2000: is 2130, 130 too many`."""

    text: str
    fact: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in order. `version` identifies the text they were read from; `text` is that text, comments and all."""

    rules: tuple[Rule, ...] = ()
    version: str = ""
    text: str = ""

    def first_match(self, facts: Facts, slots: Slots, now: Micros) -> Match | None:
        """The first rule that holds, with the grace it gives to this host; None where none does."""
        for rule in self.rules:
            for test in rule.tests:
                if not test(facts):
                    break
            else:
                if rule.grace is None:
                    return _match(rule)
                match = _graced(rule, rule.grace, facts, slots, now)
                if match is not None:
                    return match
        return None

    def named(self, name: str) -> Rule | None:
        """The rule of this name, or None."""
        return next((rule for rule in self.rules if rule.name == name), None)


def why_not(rule: Rule, facts: Facts, slots: Slots, now: Micros) -> tuple[Failed, ...]:
    """Every condition of a rule that fails, with its distance; the slots too. Empty where the rule holds."""
    failed = [
        Failed(f"{c.words()}: {distance(c, facts[c.fact.name])}", c.fact.name) for c in rule.when if not c.test(facts)
    ]
    if not _in_scope(rule.scope)(facts):
        failed.append(Failed(f"the rule is for {rule.scope} only", "host.id"))
    if failed or rule.grace is None:
        return tuple(failed)
    until = slots.until(rule.name)
    if until is not None and until <= now:
        return (Failed(f"the grace on this host ended {(now - until) / HOUR:.1f} hours ago", "grace.hours"),)
    limits = _limits(rule.grace, facts)
    if limits is None:
        return (Failed("the tool that its limits are taken from has none", "writer.trust"),)
    if until is None and slots.used(rule.name) >= limits[1]:
        return (Failed(f"all {limits[1]} hosts of this grace are used: {slots.used(rule.name)}", "grace.max_hosts"),)
    return ()


def _graced(rule: Rule, grace: Grace, facts: Facts, slots: Slots, now: Micros) -> Match | None:
    until = slots.until(rule.name)
    if until is not None:
        return _match(rule, until) if now < until else None
    limits = _limits(grace, facts)
    if limits is None or slots.used(rule.name) >= limits[1]:
        return None
    return _match(rule, now + int(limits[0] * HOUR), True)


def _limits(grace: Grace, facts: Mapping[str, object]) -> tuple[float, int] | None:
    hours = facts[grace.hours] if isinstance(grace.hours, str) else grace.hours
    hosts = facts[grace.max_hosts] if isinstance(grace.max_hosts, str) else grace.max_hosts
    if not isinstance(hours, int | float) or not isinstance(hosts, int | float):
        return None
    return float(hours), int(hosts)


def scope_test(scope: str) -> Test:
    """Whether a start is on a host in `fleet`, `site:NAME`, `group:NAME` or `host:ID`. Raises ValueError for others."""
    if not scope_is_known(scope):
        raise ValueError(f"{scope!r} is no scope: fleet, site:NAME, group:NAME or host:ID")
    return _in_scope(scope)


def scope_is_known(scope: str) -> bool:
    """Whether it is `fleet`, `site:NAME`, `group:NAME` or `host:ID`."""
    kind, _, name = scope.partition(":")
    return scope == "fleet" or (kind in ("site", "group", "host") and bool(name))


def _in_scope(scope: str) -> Test:
    kind, _, name = scope.partition(":")
    tests: dict[str, Callable[[Facts], bool]] = {
        "fleet": lambda facts: True,
        "site": lambda facts: facts["host.site"] == name,
        "group": lambda facts: name in (facts["host.groups"] or ()),  # type: ignore[operator]
        "host": lambda facts: facts["host.id"] == name,
    }
    return tests[kind]

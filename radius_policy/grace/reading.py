"""From the TOML text of rules to a `RuleSet`, or every mistake in it with line, column and the nearest known word.

A rule set is taken whole or not at all. Refused besides misspelt words and wrong types: two rules of one name, a rule
without an outcome, and a rule that would *trust* by one weak kind of evidence alone: a name or path, prevalence, a
signature, or nothing but host, user and time (tables.md, Grace rules).
"""

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from radius_policy.facts.table import FACTS, Type, Worth
from radius_policy.grace.conditions import BOUNDS, NEGATED, OPERATORS, Condition, compiled, misfit
from radius_policy.grace.positions import Path, Position, Spot, positions
from radius_policy.grace.rules import Grace, Rule, RuleSet, scope_is_known, scope_test
from radius_policy.model import Outcome

FIELDS: Final = ("name", "doc", "cases", "scope", "when", "then")
GRACE_FIELDS: Final = ("hours", "max_hosts")
_NAME: Final = re.compile(r"^[a-z0-9][a-z0-9-]{0,62}$")
_WEAK: Final = {
    Worth.NAME: "a name or path alone",
    Worth.PREVALENCE: "prevalence alone",
    Worth.SIGNATURE: "a signature alone",
    Worth.CONTEXT: "host, user and time alone",
}
STRONG: Final = frozenset((Worth.IDENTITY, Worth.LINEAGE))
_SYNTAX: Final = re.compile(r"^(?P<what>.*?) \((?:at line (?P<line>\d+), column (?P<column>\d+)|at end of document)\)$")


@dataclass(frozen=True, slots=True)
class Wrong:
    """One mistake. `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    what: str
    nearest: str = ""

    def __str__(self) -> str:
        hint = f"; did you mean {self.nearest}?" if self.nearest else ""
        return f"{self.file}:{self.line}:{self.column}: {self.what}{hint}"


class RuleError(Exception):
    """The rules were refused. `wrong` holds every mistake in the order of the text."""

    def __init__(self, wrong: Iterable[Wrong]) -> None:
        self.wrong = tuple(sorted(wrong, key=lambda w: (w.line, w.column)))
        super().__init__("\n".join(map(str, self.wrong)))


def parse(text: str, filename: str = "rules.toml") -> RuleSet:
    """Read rules. Raises `RuleError` with every mistake, never anything else."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError((syntax(str(error), text, filename),)) from error
    except RecursionError as error:
        raise RuleError((Wrong(filename, 1, 1, "this text is nested too deeply"),)) from error
    reader = _Reader(filename, positions(text))
    rules = reader.rules(document)
    if reader.wrong:
        raise RuleError(reader.wrong)
    return RuleSet(tuple(rules), sha256(text.encode()).hexdigest()[:12], text)


def near(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or '' where none is near."""
    import difflib  # only for who made a mistake

    return next(iter(difflib.get_close_matches(word, list(known), 1, 0.5)), "")


def syntax(message: str, text: str, filename: str) -> Wrong:
    """A mistake that `tomllib` found, with the place that it names."""
    match = _SYNTAX.match(message)
    if match is None or match["line"] is None:
        lines = text.split("\n")
        what = match["what"] if match else message
        return Wrong(filename, len(lines), len(lines[-1]) + 1, f"not valid TOML: {what}")
    return Wrong(filename, int(match["line"]), int(match["column"]), f"not valid TOML: {match['what']}")


class _Reader:
    """Collects mistakes while it builds, so that one run names them all."""

    def __init__(self, filename: str, spots: Mapping[Path, Spot]) -> None:
        self.filename, self.spots = filename, spots
        self.wrong: list[Wrong] = []

    def refuse(self, path: Path, what: str, nearest: str = "", *, value: bool = False) -> None:
        while path and path not in self.spots:
            path = path[:-1]
        spot = self.spots.get(path)
        at = (spot.value if value else spot.key) if spot else Position(1, 1)
        self.wrong.append(Wrong(self.filename, at.line, at.column, what, nearest))

    def rules(self, document: Mapping[str, Any]) -> list[Rule]:
        for key in document:
            if key != "rule":
                self.refuse((key,), f"unknown entry `{key}`", "rule" if key not in FACTS else "")
        rows = document.get("rule", [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self.refuse(("rule",), "rules are written as [[rule]], with double brackets")
            return []
        names: set[str] = set()
        out = []
        for index, row in enumerate(rows):
            rule = self.rule(("rule", index), row)
            if rule is not None and rule.name in names:
                self.refuse(("rule", index, "name"), f"a rule named `{rule.name}` stands above already", value=True)
            elif rule is not None:
                names.add(rule.name)
                out.append(rule)
        return out

    def rule(self, path: Path, row: Mapping[str, Any]) -> Rule | None:
        before = len(self.wrong)
        for key in row:
            if key not in FIELDS:
                self.refuse((*path, key), f"a rule has no `{key}`", near(key, FIELDS))
        name, scope = row.get("name"), row.get("scope", "fleet")
        if not isinstance(name, str) or not _NAME.match(name):
            self.refuse(
                (*path, "name"), "a rule needs a name of lower-case letters, digits and hyphens", value="name" in row
            )
        for text in ("doc", "cases"):
            if not isinstance(row.get(text, ""), str):
                self.refuse((*path, text), f"`{text}` is a text", value=True)
        if not isinstance(scope, str) or not scope_is_known(scope):
            self.refuse((*path, "scope"), "a scope is fleet, site:NAME, group:NAME or host:ID", value=True)
        when = self.when((*path, "when"), row.get("when", {}))
        outcomes, grace, script = self.then((*path, "then"), row.get("then", {}))
        if len(self.wrong) > before:
            return None
        name, scope = str(name), str(scope)
        tests = tuple(condition.test for condition in when)
        if scope != "fleet":
            tests = (scope_test(scope), *tests)
        rule = Rule(name, when, outcomes, grace, scope, row.get("doc", ""), row.get("cases", ""), script, tests)
        if rule.trusts and (reason := _too_weak(when)):
            self.refuse(
                (*path, "name"),
                f"`{name}` would trust by {reason}; add a condition on where it came from (writer, provenance, previous version)",
            )
            return None
        return rule

    def when(self, path: Path, table: object) -> tuple[Condition, ...]:
        if not isinstance(table, dict):
            self.refuse(path, "`when` is a table of conditions, [rule.when]")
            return ()
        out: list[Condition] = []
        for name, wanted in flat(table):
            key_path = self.locate(path, name)
            fact = FACTS.get(name)
            if fact is None:
                self.refuse(key_path, f"unknown fact `{name}`", near(name, FACTS))
                continue
            pairs = wanted.items() if isinstance(wanted, dict) else [("eq", wanted)]
            if isinstance(wanted, dict) and not wanted:
                self.refuse(key_path, f"no condition on {name}", value=True)
            for word, value in pairs:
                operator = OPERATORS.get(word)
                at = (*key_path, word) if isinstance(wanted, dict) else key_path
                if operator is None:
                    self.refuse(at, f"unknown operator `{word}`", near(word, OPERATORS))
                elif wrong := _not_finite(value) or misfit(fact, operator, value):
                    nearest = near(value, fact.words) if isinstance(value, str) and fact.words else ""
                    self.refuse(at, wrong, nearest, value=True)
                else:
                    out.append(compiled(fact, operator, tuple(value) if isinstance(value, list) else value))
        return tuple(out)

    def locate(self, path: Path, name: str) -> Path:
        """A fact is one quoted key or a dotted one; find the form that was written."""
        whole = (*path, name)
        return whole if whole in self.spots else (*path, *name.split("."))

    def then(self, path: Path, table: object) -> tuple[frozenset[Outcome], Grace | None, str]:
        nothing: tuple[frozenset[Outcome], Grace | None, str] = (frozenset(), None, "")
        if not isinstance(table, dict) or not table:
            self.refuse(path, "a rule needs [rule.then] with at least one outcome", value=False)
            return nothing
        outcomes: set[Outcome] = set()
        grace, script = None, ""
        for word, value in table.items():
            at = (*path, word)
            if word not in tuple(Outcome):
                self.refuse(at, f"unknown outcome `{word}`", near(word, tuple(Outcome)))
            elif word == Outcome.GRACE:
                grace = self.grace(at, value)
            elif word == Outcome.RUN_SCRIPT:
                script = value if isinstance(value, str) else ""
                if not script:
                    self.refuse(at, "run-script names a script", value=True)
            elif value is not True and value is not False:
                self.refuse(at, f"`{word}` is true or false", value=True)
            if word in tuple(Outcome) and value is not False:
                outcomes.add(Outcome(word))
        if len(outcomes & {Outcome.ALLOW, Outcome.GRACE, Outcome.DENY}) > 1:
            self.refuse(path, "only one of allow, grace and deny may stand in a rule")
        if not outcomes:
            self.refuse(path, "a rule needs at least one outcome that is true")
        return frozenset(outcomes), grace, script

    def grace(self, path: Path, value: object) -> Grace | None:
        if not isinstance(value, dict):
            self.refuse(path, "grace is written as { hours = 72, max_hosts = 50 }", value=True)
            return None
        for key in value:
            if key not in GRACE_FIELDS:
                self.refuse((*path, key), f"grace has no `{key}`", near(key, GRACE_FIELDS))
        hours = self.limit((*path, "hours"), value.get("hours"), 24 * 366)
        hosts = self.limit((*path, "max_hosts"), value.get("max_hosts"), 1_000_000)
        if hours is None or hosts is None:
            return None
        if isinstance(hosts, float):
            self.refuse((*path, "max_hosts"), "max_hosts is a whole number", value=True)
            return None
        return Grace(hours, hosts)

    def limit(self, path: Path, value: object, most: int) -> int | float | str | None:
        if isinstance(value, str):
            fact = FACTS.get(value)
            if fact is not None and fact.type is Type.NUMBER:
                return value
            numbers = [name for name, known in FACTS.items() if known.type is Type.NUMBER]
            self.refuse(path, f"`{value}` is no number fact", near(value, numbers), value=True)
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            self.refuse(path, f"grace needs {path[-1]}, a number above 0 and at most {most}", value=value is not None)
        else:
            return value
        return None


def flat(table: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Conditions of a table: facts may be written as one quoted key or as dotted keys."""
    for key, value in table.items():
        name = prefix + key
        if (
            isinstance(value, dict)
            and name not in FACTS
            and not (set(value) & set(OPERATORS))
            and any(known.startswith(name + ".") for known in FACTS)
        ):
            yield from flat(value, name + ".")
        elif (
            isinstance(value, dict)
            and name in FACTS
            and (inner := {k: v for k, v in value.items() if f"{name}.{k}" in FACTS})
        ):
            yield from flat(inner, name + ".")
            if rest := {k: v for k, v in value.items() if k not in inner}:
                yield name, rest
        else:
            yield name, value


def _not_finite(value: object) -> str | None:
    numbers = value if isinstance(value, list) else [value]
    return (
        "a number must be finite" if any(isinstance(one, float) and not math.isfinite(one) for one in numbers) else None
    )


def _too_weak(when: tuple[Condition, ...]) -> str | None:
    """Why these conditions are too little to trust by, or None. Only a condition that asks for something counts as
    evidence: a negated one or an upper bound only narrows."""
    worth = {c.fact.worth for c in when if c.operator.name not in NEGATED | BOUNDS and c.wanted is not False}
    if not when:
        return "nothing at all"
    if worth & STRONG:
        return None
    kinds = worth - {Worth.CONTEXT}
    if len(kinds) > 1:
        return None
    return _WEAK[next(iter(kinds))] if kinds else _WEAK[Worth.CONTEXT]

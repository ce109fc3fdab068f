"""What is suspicious about valid rules is found, and the shipped ones are clean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_policy.facts.places import comparable
from radius_policy.facts.table import FACTS, Facts, Type
from radius_policy.grace import builtin, parse
from radius_policy.grace.conditions import compiled
from radius_policy.rehearsal.check import Smell, check, excludes, implies
from tests.unit.radius_policy.grace.drawn import conditions, fitting

DENY = "[rule.then]\ndeny = true\n"
GRACE = "[rule.then]\ngrace = { hours = 1, max_hosts = 1 }\n"


def rule(name: str, when: str, then: str = DENY) -> str:
    return f'[[rule]]\nname = "{name}"\n[rule.when]\n{when}\n{then}'


def found(*rules: str) -> list[tuple[str, Smell]]:
    return [(each.rule, each.smell) for each in check(parse("\n".join(rules)))]


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ('"name" = "a.exe"', '"name" = "a.exe"\n"host.role" = "dev"'),
        ('"prevalence.site.hosts" = { ge = 5 }', '"prevalence.site.hosts" = { between = [6, 9] }'),
        ('"prevalence.site.hosts" = { ge = 5 }', '"prevalence.site.hosts" = { gt = 5 }'),
        ('"prevalence.site.hosts" = { ge = 5 }', '"prevalence.site.hosts" = 7'),
        ('"signer.state" = { ne = "valid" }', '"signer.state" = { in = ["invalid", "expired"] }'),
        ('"signer.name" = { not_in = ["a"] }', '"signer.name" = { not_in = ["a", "b"] }'),
        ('"place" = { under = "C:\\\\A" }', '"place" = { under = "c:\\\\a\\\\b" }'),
        ('"place" = { under = "/opt" }', '"place" = "/opt/x"'),
        ("", '"name" = "a.exe"'),
    ],
)
def test_a_rule_behind_a_wider_one_is_unreachable(wide: str, narrow: str) -> None:
    assert found(rule("wide", wide), rule("narrow", narrow)) == [("narrow", Smell.UNREACHABLE)]
    assert found(rule("narrow", narrow), rule("wide", wide)) == []


def test_a_grace_lets_the_next_rule_try_when_its_hosts_are_used_up() -> None:
    when = '"provenance.source" = "package"\n"writer.role" = "updater"'
    assert found(rule("a", when, GRACE), rule("b", when)) == []


def test_a_rule_of_another_scope_takes_nothing() -> None:
    wide = rule("wide", '"name" = "a"').replace("[rule.when]", 'scope = "site:x"\n[rule.when]')
    assert found(wide, rule("narrow", '"name" = "a"')) == []


@pytest.mark.parametrize(
    "when",
    [
        '"prevalence.site.hosts" = { ge = 5, le = 4 }',
        '"prevalence.site.hosts" = { gt = 5, le = 5 }',
        '"signer.state" = { in = ["valid"], ne = "valid" }',
        '"provenance.proven" = { eq = true, ne = true }',
    ],
)
def test_conditions_that_exclude_each_other_never_match(when: str) -> None:
    assert found(rule("x", when)) == [("x", Smell.IMPOSSIBLE)]


@pytest.mark.parametrize(
    "when",
    [
        '"signer.state" = "valid"\n"name" = "zoom.exe"',
        '"writer.verdict" = { ne = "denied" }\n"signer.name" = "x"\n"name" = "y"',
        '"writer.verdict" = { in = ["allowed", "unknown"] }\n"signer.state" = "valid"',
        '"writer.verdict" = "allowed"',
        '"parent.verdict" = "allowed"\n"host.role" = "office"',
    ],
)
def test_a_rule_that_trusts_more_than_it_seems_to_is_over_broad(when: str) -> None:
    assert found(rule("x", when, GRACE)) == [("x", Smell.OVER_BROAD)]


def test_a_rule_that_never_matched_is_named_only_where_matches_were_counted() -> None:
    rules = parse(rule("a", '"name" = "x"') + rule("b", '"name" = "y"'))
    assert check(rules) == ()
    assert [(f.rule, f.smell) for f in check(rules, {"a": 3})] == [("b", Smell.NEVER_MATCHED)]


def test_a_rule_that_never_matched_is_nothing_serious_and_one_for_replays_is_not_meant() -> None:
    (remark,) = check(parse(rule("a", '"name" = "x"')), {})
    assert not remark.serious
    assert check(parse(rule("a", '"name" = "x"\n"replay" = true')), {}) == ()


def test_the_shipped_rules_have_no_findings() -> None:
    assert check(builtin()) == ()


@given(st.data())
def test_what_is_said_to_imply_or_exclude_does_so_for_every_value(data: st.DataObject) -> None:
    fact = data.draw(st.sampled_from(list(FACTS.values())))
    a, b = (compiled(*data.draw(conditions(fact))) for _ in range(2))
    said = implies(a, b), excludes(a, b)
    value = data.draw(fitting(fact))
    facts = Facts(
        {fact.name: (value,) if fact.type is Type.TEXTS else comparable(value) if fact.type is Type.PATH else value}
    )
    mine, its = a.test(facts), b.test(facts)
    assert not (said[0] and mine and not its)
    assert not (said[1] and mine and its)


def test_conditions_on_different_facts_say_nothing_about_each_other() -> None:
    a, b = parse(rule("x", '"name" = "a"\n"host.role" = "a"')).rules[0].when
    assert not implies(a, b)
    assert not excludes(a, b)

"""Grace is counted: which rule is the first that holds, for how long and for how many hosts."""

from dataclasses import dataclass, field, replace

import pytest

from radius_policy.facts.table import Facts
from radius_policy.grace import RuleSet, parse, why_not
from radius_policy.grace.rules import HOUR, Failed, scope_test

RULES = parse(
    """
[[rule]]
name = "first"
[rule.when]
"writer.verdict" = "allowed"
"prevalence.site.hosts" = { le = 10 }
[rule.then]
grace = { hours = 2, max_hosts = 3 }
[[rule]]
name = "second"
[rule.when]
"writer.verdict" = "allowed"
[rule.then]
hold = true
[[rule]]
name = "tool"
[rule.when]
"writer.chain_deployment" = true
[rule.then]
grace = { hours = "writer.trust_hours", max_hosts = "writer.trust_max_hosts" }
"""
)
NOW = 1_000 * HOUR
WRITTEN = Facts({"writer.verdict": "allowed", "prevalence.site.hosts": 1})


@dataclass
class Used:
    """Slots as the store would tell them: for this host, and how many hosts in all."""

    here: dict[str, int] = field(default_factory=dict)
    hosts: dict[str, int] = field(default_factory=dict)

    def until(self, rule: str) -> int | None:
        return self.here.get(rule)

    def used(self, rule: str) -> int:
        return self.hosts.get(rule, 0)


def name_of(rules: RuleSet, facts: Facts, slots: Used | None = None, now: int = NOW) -> str | None:
    match = rules.first_match(facts, slots or Used(), now)
    return match.rule.name if match else None


def test_an_empty_rule_set_matches_nothing() -> None:
    assert RuleSet().first_match(WRITTEN, Used(), NOW) is None


def test_the_first_rule_whose_conditions_all_hold_is_the_one() -> None:
    match = RULES.first_match(WRITTEN, Used(), NOW)
    assert match is not None
    assert (match.rule.name, match.until, match.new_slot) == ("first", NOW + 2 * HOUR, True)


def test_a_host_that_has_a_slot_keeps_its_hours_and_takes_no_new_one() -> None:
    match = RULES.first_match(WRITTEN, Used({"first": NOW + HOUR}, {"first": 3}), NOW)
    assert match is not None
    assert (match.rule.name, match.until, match.new_slot) == ("first", NOW + HOUR, False)


def test_when_all_hosts_of_a_grace_are_used_the_next_rule_is_tried() -> None:
    assert name_of(RULES, WRITTEN, Used(hosts={"first": 2})) == "first"
    assert name_of(RULES, WRITTEN, Used(hosts={"first": 3})) == "second"


def test_a_grace_that_ended_on_this_host_is_not_given_again() -> None:
    assert name_of(RULES, WRITTEN, Used({"first": NOW}, {"first": 1})) == "second"


def test_limits_may_come_from_the_tool_that_wrote_it() -> None:
    trusted = {"writer.chain_deployment": True, "writer.trust_hours": 5, "writer.trust_max_hosts": 10}
    match = RULES.first_match(Facts(trusted), Used(hosts={"tool": 9}), NOW)
    assert match is not None
    assert match.until == NOW + 5 * HOUR
    assert name_of(RULES, Facts(trusted), Used(hosts={"tool": 10})) is None
    assert name_of(RULES, Facts({"writer.chain_deployment": True})) is None


def test_a_rule_of_a_site_or_group_is_for_its_hosts_only() -> None:
    rule = '[[rule]]\nname = "x"\nscope = "{}"\n[rule.when]\n"writer.verdict" = "allowed"\n[rule.then]\ngrace = {{ hours = 1, max_hosts = 1 }}\n'
    here = {"writer.verdict": "allowed", "host.site": "bonn", "host.groups": ("tills",), "host.id": "h1"}
    for scope, holds in {
        "fleet": True,
        "site:bonn": True,
        "site:ulm": False,
        "group:tills": True,
        "group:x": False,
        "host:h1": True,
        "host:h2": False,
    }.items():
        rules = parse(rule.format(scope))
        assert (name_of(rules, Facts(here)) == "x") is holds, scope
        failed = why_not(rules.rules[0], Facts(here), Used(), NOW)
        assert (not failed) is holds
    assert name_of(parse(rule.format("site:bonn")), Facts({"writer.verdict": "allowed"})) is None


def test_why_not_names_every_failed_condition_with_its_distance() -> None:
    facts = Facts({"prevalence.site.hosts": 12})
    assert [(each.text, each.fact) for each in why_not(RULES.rules[0], facts, Used(), NOW)] == [
        ("writer.verdict is allowed: is missing", "writer.verdict"),
        ("prevalence.site.hosts is at most 10: is 12, 2 too many", "prevalence.site.hosts"),
    ]


def test_why_not_names_used_up_hosts_and_ended_hours() -> None:
    first = RULES.rules[0]
    assert why_not(first, WRITTEN, Used(hosts={"first": 3}), NOW) == (
        Failed("all 3 hosts of this grace are used: 3", "grace.max_hosts"),
    )
    assert why_not(first, WRITTEN, Used({"first": NOW - HOUR}), NOW) == (
        Failed("the grace on this host ended 1.0 hours ago", "grace.hours"),
    )
    assert why_not(first, WRITTEN, Used({"first": NOW}), NOW) == (
        Failed("the grace on this host ended 0.0 hours ago", "grace.hours"),
    )
    assert why_not(first, WRITTEN, Used(), NOW) == ()
    assert why_not(RULES.rules[2], Facts({"writer.chain_deployment": True}), Used(), NOW) == (
        Failed("the tool that its limits are taken from has none", "writer.trust"),
    )


def test_why_not_names_the_scope_beside_the_conditions() -> None:
    here = replace(RULES.rules[0], scope="site:bonn")
    assert why_not(here, Facts({"host.site": "ulm"}), Used(), NOW)[-1] == Failed(
        "the rule is for site:bonn only", "host.id"
    )


def test_a_scope_is_read_up_to_its_first_colon_and_any_other_is_refused_with_the_choice() -> None:
    assert scope_test("host:a:b")(Facts({"host.id": "a:b"}))
    with pytest.raises(ValueError, match=r"^'floor:2' is no scope: fleet, site:NAME, group:NAME or host:ID$"):
        scope_test("floor:2")


def test_a_rule_is_found_by_its_name() -> None:
    assert RULES.named("second") is RULES.rules[1]
    assert RULES.named("no such rule") is None


def test_a_costly_fact_is_asked_once_and_only_where_a_rule_reaches_it() -> None:
    asked: list[str] = []

    def hosts() -> int:
        asked.append("hosts")
        return 1

    facts = Facts({}, {"prevalence.site.hosts": hosts})
    assert name_of(RULES, facts) is None
    assert asked == []
    facts["writer.verdict"] = "allowed"
    assert name_of(RULES, facts) == "first"
    assert name_of(RULES, facts) == "first"
    assert asked == ["hosts"]

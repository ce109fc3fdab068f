"""Rules are read whole or refused with every mistake, its place and the nearest known word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_policy.grace import RuleError, Wrong, parse
from radius_policy.model import Outcome

GOOD = """\
# kept as written
[[rule]]
name = "same-signer-new-version"
[rule.when]
"signer.state" = "valid"
"signer.used_place_before" = true
previous_version.verdict = "allowed"
"prevalence.site.hosts" = { le = 2000, ge = 0 }
[rule.then]
grace = { hours = 72, max_hosts = 2000 }
alert = true
"""


def refused(text: str) -> list[str]:
    with pytest.raises(RuleError) as caught:
        parse(text, "r.toml")
    return [str(wrong) for wrong in caught.value.wrong]


def rule(when: str = '"provenance.proven" = true', then: str = "allow = true", more: str = "") -> str:
    return f'[[rule]]\nname = "x"\n{more}\n[rule.when]\n{when}\n[rule.then]\n{then}\n'


def test_the_example_of_the_tables_is_read() -> None:
    rules = parse(GOOD)
    (only,) = rules.rules
    assert only.name == "same-signer-new-version"
    assert [c.words() for c in only.when] == [
        "signer.state is valid",
        "signer.used_place_before is true",
        "previous_version.verdict is allowed",
        "prevalence.site.hosts is at most 2000",
        "prevalence.site.hosts is at least 0",
    ]
    assert only.outcomes == {Outcome.GRACE, Outcome.ALERT}
    assert only.grace is not None
    assert (only.grace.hours, only.grace.max_hosts) == (72, 2000)
    assert rules.text == GOOD


def test_another_text_is_another_version() -> None:
    assert parse(GOOD).version == parse(GOOD).version != parse(GOOD + "\n# changed\n").version


def test_no_rules_are_rules_too() -> None:
    assert parse("").rules == ()
    assert parse("# nothing yet\n").rules == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (rule('"signer.stat" = "valid"'), "r.toml:5:1: unknown fact `signer.stat`; did you mean signer.state?"),
        (rule('signer.stat = "valid"'), "r.toml:5:1: unknown fact `signer.stat`; did you mean signer.state?"),
        (rule('"prevalence.site.hosts" = { lee = 2 }'), "r.toml:5:29: unknown operator `lee`; did you mean le?"),
        (rule('"prevalence.site.hosts" = "many"'), "r.toml:5:27: prevalence.site.hosts is a number (hosts), not many"),
        (
            rule('"signer.state" = "vallid"'),
            "r.toml:5:18: signer.state is never vallid; it is one of valid, invalid, expired, unsigned; did you mean valid?",
        ),
        (rule('"prevalence.site.hosts" = { le = nan }'), "r.toml:5:34: a number must be finite"),
        (rule(then="alow = true"), "r.toml:7:1: unknown outcome `alow`; did you mean allow?"),
        (rule(then='allow = "yes"'), "r.toml:7:9: `allow` is true or false"),
        (rule(then="grace = 5"), "r.toml:7:9: grace is written as { hours = 72, max_hosts = 50 }"),
        (
            rule(then="grace = { hours = 72 }"),
            "r.toml:7:1: grace needs max_hosts, a number above 0 and at most 1000000",
        ),
        (
            rule(then="grace = { hours = 72, max_host = 3 }"),
            "r.toml:7:23: grace has no `max_host`; did you mean max_hosts?",
        ),
        (rule(then="grace = { hours = 72, max_hosts = 1.5 }"), "r.toml:7:35: max_hosts is a whole number"),
        (
            rule(then='grace = { hours = "writer.trust_hour", max_hosts = 3 }'),
            "r.toml:7:19: `writer.trust_hour` is no number fact; did you mean writer.trust_hours?",
        ),
        (rule(then="run-script = true"), "r.toml:7:14: run-script names a script"),
        (rule(then="allow = true\ndeny = true"), "only one of allow, grace and deny may stand in a rule"),
        (rule(more='whenn = "x"'), "r.toml:3:1: a rule has no `whenn`; did you mean when?"),
        (rule(more='scope = "sites:x"'), "r.toml:3:9: a scope is fleet, site:NAME, group:NAME or host:ID"),
        ('[[rule]]\nname = "Bad Name"\n[rule.then]\nalert = true\n', "a rule needs a name of lower-case letters"),
        ('[[rule]]\nname = "x"\n', "a rule needs [rule.then] with at least one outcome"),
        ('[rule]\nname = "x"\n', "r.toml:1:1: rules are written as [[rule]], with double brackets"),
        ("[[rules]]\n", "r.toml:1:1: unknown entry `rules`; did you mean rule?"),
        ('[[rule]]\nname = "x\n', "r.toml:2:10: not valid TOML: Illegal character '\\n'"),
        ("a = ", "r.toml:1:5: not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, message: str) -> None:
    wrong = refused(text)
    assert any(message in line for line in wrong), wrong


def test_all_mistakes_are_named_at_once_in_the_order_of_the_text() -> None:
    wrong = refused(rule('"signer.stat" = 1\n"plaze" = "x"', "alow = true"))
    assert [line.split(":")[1] for line in wrong] == ["5", "6", "7", "8"]


def test_two_rules_of_one_name_are_refused() -> None:
    assert "a rule named `x` stands above already" in refused(rule() + rule())[0]


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ('"name" = "zoom.exe"', "a name or path alone"),
        ('"place" = { under = "C:\\\\Program Files" }\n"path" = { ne = "/x" }', "a name or path alone"),
        ('"prevalence.fleet.hosts" = { ge = 500 }', "prevalence alone"),
        ('"prevalence.fleet.hosts" = { ge = 500 }\n"host.role" = "office"', "prevalence alone"),
        ('"signer.state" = "valid"\n"signer.name" = "Zoom Inc"', "a signature alone"),
        ('"host.role" = "dev"\n"time.hour" = 3', "host, user and time alone"),
        ('"writer.verdict" = { ne = "denied" }\n"name" = "a"', "a name or path alone"),
        ('"signer.lost" = false', "host, user and time alone"),
        ("", "nothing at all"),
    ],
)
@pytest.mark.parametrize("then", ["allow = true", "grace = { hours = 1, max_hosts = 1 }"])
def test_a_rule_never_trusts_by_one_weak_kind_of_evidence(when: str, what: str, then: str) -> None:
    assert f"would trust by {what}" in refused(rule(when, then))[0]


def test_what_earns_no_trust_may_still_deny_or_hold() -> None:
    parse(rule('"name" = "zoom.exe"', "deny = true"))
    parse(rule("", "hold = true\nalert = true"))


def mistakes(text: str) -> tuple[Wrong, ...]:
    """What is wrong with a text; nothing where it is read. Any other error fails the test."""
    try:
        parse(text)
    except RuleError as error:
        return error.wrong or (Wrong("", 0, 0, "refused without a reason"),)
    return ()


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_reasons(text: str) -> None:
    assert all(wrong.line >= 1 and wrong.column >= 1 for wrong in mistakes(text))


@given(st.text(alphabet="[]{}=\"'.,#\n rulewhntmx0\\", max_size=120), st.integers(0, len(GOOD)))
def test_a_good_text_with_anything_put_into_it_is_read_or_refused_with_reasons(noise: str, at: int) -> None:
    assert all(wrong.line >= 1 and wrong.column >= 1 for wrong in mistakes(GOOD[:at] + noise + GOOD[at:]))

"""The verdict table: a test per row, deny before every trust, and what may never change a verdict for the worse."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_policy.facts.table import FACTS, Facts, Type
from radius_policy.grace import RuleSet, builtin, parse
from radius_policy.grace.rules import HOUR
from radius_policy.lists import Lists
from radius_policy.model import DEFAULT_TENANT, ListEntry, ListKind, Outcome, Reason, Verdict, VerdictWord
from radius_policy.verdict import LEVELS, MOVE, PROOFS, judge

A, B = "a" * 64, "b" * 64
NOW = 1_000 * HOUR
BETTER = {VerdictWord.DENIED: 0, VerdictWord.UNKNOWN: 1, VerdictWord.GRACED: 2, VerdictWord.ALLOWED: 3}


def entry(action: str, kind: ListKind, value: str, **more: Any) -> ListEntry:
    return ListEntry(DEFAULT_TENANT, f"{action}-1", action, kind, value, author="ann", **more)


@dataclass(frozen=True)
class Known:
    """A reference set that knows one hash."""

    sha256: str
    allows: bool = True
    name: str = "rds"
    product: str = "Windows 10"

    def lookup(self, sha256: str) -> str | None:
        return self.product if sha256 == self.sha256 else None


GRACE_ALL = parse(
    f"""
[[rule]]
name = "g"
[rule.when]
"hash" = {{ in = ["{A}", "{B}"] }}
[rule.then]
grace = {{ hours = 2, max_hosts = 9 }}
alert = true
"""
)
EVERYTHING = {"hash": A, "provenance.source": "package", "provenance.proven": True, "provenance.detail": "apt:ls@1"}
DENY, ALLOW = entry("deny", ListKind.HASH, A), entry("allow", ListKind.HASH, A)


def test_row_1_a_denied_executable_is_denied_though_everything_else_trusts_it() -> None:
    verdict = judge(Facts(EVERYTHING), Lists([DENY, ALLOW], [Known(A)]), GRACE_ALL, NOW)
    denied = Reason("deny", "this executable is on the deny list", "deny-1", "ann")
    assert verdict == Verdict(VerdictWord.DENIED, denied, None, MOVE)


def test_row_2_the_allow_list_stands_before_sets_proofs_and_rules() -> None:
    verdict = judge(Facts(EVERYTHING), Lists([ALLOW], [Known(A)]), GRACE_ALL, NOW)
    allowed = Reason("allow", "this executable is on the allow list", "allow-1", "ann")
    assert verdict == Verdict(VerdictWord.ALLOWED, allowed)


def test_rows_1_and_2_an_entry_counts_until_it_expires() -> None:
    for action, word in {"deny": VerdictWord.DENIED, "allow": VerdictWord.ALLOWED}.items():
        lists = Lists([entry(action, ListKind.HASH, A, expires=NOW + 1)])
        assert judge(Facts({"hash": A}), lists, RuleSet(), NOW).word is word
        assert judge(Facts({"hash": A}), lists, RuleSet(), NOW + 1).word is VerdictWord.UNKNOWN


def test_row_3_a_reference_set_counts_where_an_admin_set_it_to() -> None:
    verdict = judge(Facts(EVERYTHING), Lists([], [Known(A)]), GRACE_ALL, NOW)
    known = Reason("reference", "known in reference set rds as Windows 10", "rds", "reference")
    assert verdict == Verdict(VerdictWord.ALLOWED, known)
    nameless = judge(Facts({"hash": A}), Lists([], [Known(A, product="")]), RuleSet(), NOW)
    assert nameless.reason.text == "known in reference set rds"
    known_only = judge(Facts({"hash": A}), Lists([], [Known(A, allows=False)]), RuleSet(), NOW)
    assert known_only.word is VerdictWord.UNKNOWN


def test_row_4_proven_provenance_is_allowed_before_any_rule() -> None:
    verdict = judge(Facts(EVERYTHING), Lists(), GRACE_ALL, NOW)
    owned = Reason("provenance", "owned by package apt:ls@1 and unmodified", "package", "provenance")
    assert verdict == Verdict(VerdictWord.ALLOWED, owned)
    nameless = judge(Facts({**EVERYTHING, "provenance.detail": None}), Lists(), RuleSet(), NOW)
    assert nameless.reason.text == "owned by package (no name told) and unmodified"


def test_row_5_a_rule_graces_and_says_until_when() -> None:
    verdict = judge(Facts({"hash": A}), Lists(), GRACE_ALL, NOW)
    graced = Reason("rule", "rule g graces it here for 2.0 more hours", "g", "rule")
    assert (verdict.word, verdict.reason, verdict.until) == (VerdictWord.GRACED, graced, NOW + 2 * HOUR)
    assert verdict.outcomes == {Outcome.ALERT}


@pytest.mark.parametrize(
    ("then", "word", "outcomes"),
    [
        ("allow = true", VerdictWord.ALLOWED, set()),
        ("deny = true", VerdictWord.DENIED, {Outcome.MOVE}),
        ("hold = true\nalert = true", VerdictWord.UNKNOWN, {Outcome.HOLD, Outcome.ALERT}),
        ("observe = true", VerdictWord.UNKNOWN, {Outcome.OBSERVE}),
        ("move = true\ncut = true", VerdictWord.UNKNOWN, {Outcome.MOVE, Outcome.CUT}),
    ],
)
def test_row_5_only_allow_grace_and_deny_set_a_verdict(then: str, word: VerdictWord, outcomes: set[Outcome]) -> None:
    rules = parse(f'[[rule]]\nname = "r"\n[rule.when]\n"hash" = "{A}"\n[rule.then]\n{then}\n')
    verdict = judge(Facts({"hash": A}), Lists(), rules, NOW)
    assert (verdict.word, verdict.outcomes) == (word, outcomes)
    assert (verdict.reason, verdict.until) == (Reason("rule", "rule r", "r", "rule"), None)


def test_row_6_what_nothing_knows_is_unknown_and_moves_its_host() -> None:
    verdict = judge(Facts({"hash": A}), Lists(), builtin(), NOW)
    nothing = Reason("unknown", "no list, proof or rule knows it", "", "default")
    assert (verdict.word, verdict.reason, verdict.outcomes) == (VerdictWord.UNKNOWN, nothing, MOVE)


def test_row_6_a_site_may_take_the_network_from_unknown_programs_too() -> None:
    both = MOVE | {Outcome.CUT}
    assert judge(Facts({"hash": A}), Lists(), RuleSet(), NOW, unknown=both).outcomes == both


def test_the_rows_are_numbered_and_tried_in_order() -> None:
    assert [level.number for level in LEVELS] == [1, 2, 3, 4, 5, 6]


PROOF_FACTS: dict[str, dict[str, Any]] = {
    "package": {"provenance.source": "package", "provenance.proven": True},
    "image": {"provenance.source": "image", "provenance.proven": True},
    "replay": {"replay": True, "provenance.source": "installer", "provenance.proven": True},
    "deployment": {"writer.chain_deployment": True, "writer.trust": "proof"},
    "family": {
        "family": "native-image:x:y",
        "family.template": "native-image",
        "writer.verdict": "allowed",
        "made_by.inputs": "allowed",
    },
}


@pytest.mark.parametrize("proof", [proof.name for proof in PROOFS])
def test_each_proof_is_enough_and_each_part_of_it_is_needed(proof: str) -> None:
    facts = PROOF_FACTS[proof]
    assert judge(Facts({"hash": A, **facts}), Lists(), RuleSet(), NOW).reason.ref == proof
    for part in set(facts) - {"family.template"}:
        rest = {name: value for name, value in facts.items() if name != part}
        assert judge(Facts({"hash": A, **rest}), Lists(), RuleSet(), NOW).word is VerdictWord.UNKNOWN, part


@pytest.mark.parametrize("worst", ["graced", "unknown", "denied"])
def test_the_worst_input_of_a_family_decides(worst: str) -> None:
    facts = PROOF_FACTS["family"] | {"hash": A, "made_by.inputs": worst}
    assert judge(Facts(facts), Lists(), RuleSet(), NOW).word is VerdictWord.UNKNOWN


def test_a_sentence_about_a_hostile_package_name_is_just_a_sentence() -> None:
    facts = PROOF_FACTS["package"] | {"hash": A, "provenance.detail": "{0.__class__} {x} %s"}
    assert "{0.__class__} {x} %s" in judge(Facts(facts), Lists(), RuleSet(), NOW).reason.text


def test_a_fixed_content_template_stands_for_the_inputs() -> None:
    facts = {
        "hash": A,
        "family": "policy-probe:x:y",
        "family.template": "policy-probe",
        "made_by.template": "policy-probe",
        "writer.proven": True,
    }
    assert judge(Facts(facts), Lists(), RuleSet(), NOW).reason.ref == "family"
    other = facts | {"made_by.template": "another"}
    assert judge(Facts(other), Lists(), RuleSet(), NOW).word is VerdictWord.UNKNOWN


# --- whatever the facts -------------------------------------------------------------------------------------------

_SOME: dict[Type, st.SearchStrategy[Any]] = {
    Type.BOOLEAN: st.booleans(),
    Type.NUMBER: st.integers(0, 10_000),
    Type.HASH: st.sampled_from([A, B]),
    Type.TEXT: st.sampled_from(["x", "Zoom", "apt:ls@1"]),
    Type.PATH: st.sampled_from([r"c:\windows\temp\a.exe", "/opt/app/x"]),
    Type.TEXTS: st.sampled_from([("pilot",), ("x",), ("allowed", "unknown")]),
}
some_facts = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(fact.words) if fact.words else _SOME[fact.type] for name, fact in FACTS.items()}
)
entries = st.lists(
    st.builds(
        lambda action, kind, value, scope, confirmed: ListEntry(
            DEFAULT_TENANT, f"{action}{kind}{value}", action, kind, value, scope, confirmed=confirmed
        ),
        st.sampled_from(["allow", "deny"]),
        st.sampled_from(list(ListKind)),
        st.sampled_from([A, B, "Zoom", "x", "Zoom|x|1.0", "apt:ls"]),
        st.sampled_from(["fleet", "site:x", "host:x", "group:pilot"]),
        st.booleans(),
    ),
    max_size=6,
)


@given(some_facts)
def test_without_lists_and_rules_only_a_proof_allows(facts: dict[str, Any]) -> None:
    verdict = judge(Facts(facts), Lists(), RuleSet(), NOW)
    assert verdict.reason.level in ("provenance", "unknown")
    if facts.get("provenance.proven") is not True and "family" not in facts and facts.get("writer.trust") != "proof":
        assert verdict.word is VerdictWord.UNKNOWN


@given(some_facts, entries, entries)
def test_another_allow_entry_never_makes_a_verdict_worse(
    facts: dict[str, Any], before: list[ListEntry], more: list[ListEntry]
) -> None:
    allows = [each for each in more if each.action == "allow"]
    old = judge(Facts(facts), Lists(before), builtin(), NOW)
    new = judge(Facts(facts), Lists([*before, *allows]), builtin(), NOW)
    assert BETTER[new.word] >= BETTER[old.word]


@given(some_facts, entries, entries)
def test_another_deny_entry_never_makes_a_verdict_better(
    facts: dict[str, Any], before: list[ListEntry], more: list[ListEntry]
) -> None:
    denies = [each for each in more if each.action == "deny"]
    old = judge(Facts(facts), Lists(before), builtin(), NOW)
    new = judge(Facts(facts), Lists([*before, *denies]), builtin(), NOW)
    assert BETTER[new.word] <= BETTER[old.word]


@given(some_facts, entries)
def test_the_order_of_entries_changes_no_verdict(facts: dict[str, Any], some: list[ListEntry]) -> None:
    assert (
        judge(Facts(facts), Lists(some), builtin(), NOW).word
        is judge(Facts(facts), Lists(reversed(some)), builtin(), NOW).word
    )


@given(some_facts)
def test_what_is_only_a_name_a_signature_or_prevalent_is_never_trusted_by_the_shipped_rules(
    facts: dict[str, Any],
) -> None:
    weak = {
        name: value
        for name, value in facts.items()
        if FACTS[name].worth in ("name", "signature", "prevalence", "context")
    }
    assert judge(Facts({"hash": A} | weak), Lists(), builtin(), NOW).word is VerdictWord.UNKNOWN

"""The shipped rules: what each one is for, that each of its conditions is needed, and what none of them may trust."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from radius_policy.facts.places import place
from radius_policy.facts.roles import propose
from radius_policy.facts.table import FACTS, Facts, of_program
from radius_policy.grace import builtin
from radius_policy.grace.rules import HOUR
from radius_policy.lists import Lists
from radius_policy.model import Outcome, ToolRole, Verdict, VerdictWord
from radius_policy.verdict import judge

A = "a" * 64
NOW = 1_000 * HOUR

GOOD: dict[str, dict[str, Any]] = {
    "one-time-pass": {"pass.open": True},
    "package-manager-installs": {"writer.role": "package_manager", "writer.proven": True, "writer.in_transaction": True},
    "managed-installer": {"writer.chain_deployment": True, "writer.trust": "grace", "writer.trust_hours": 72, "writer.trust_max_hosts": 10},
    "managed-installer-in-replay": {"replay": True, "writer.chain_deployment": True, "writer.verdict": "allowed", "signer.state": "valid"},
    "same-signer-new-version": {
        "signer.state": "valid", "previous_version.verdict": "allowed", "previous_version.signer_state": "valid",
        "signer.used_place_before": True, "signer.used_parent_before": True,
    },
    "image-rollout": {"host.age": 20, "host.fresh_peers": 79, "image.peers": 5},
    "image-rollout-member": {"host.age": 600, "image.member": True},
    "image-rollout-in-replay": {
        "replay": True, "host.age": 5, "parent.verdict": "allowed", "previous_version.verdict": "allowed", "signer.lost": False,
        "place.kind": "system",
    },
    "build-machine": {"host.role": "build", "writer.role": "compiler", "writer.verdict": "allowed"},
    "build-machine-in-replay": {
        "replay": True, "host.role": "dev", "parent.role": "shell", "parent.verdict": "allowed", "place.kind": "user",
    },
    "native-images-in-replay": {"replay": True, "family.template": "native-image", "writer.role": "compiler", "writer.verdict": "allowed"},
    "pilot-ring-pilots": {"host.groups": ("pilot",), "writer.verdict": "graced", "writer.same_home": True, "signer.lost": False},
    "pilot-ring": {"ring.pilot.hosts": 5, "ring.pilot.users": 2, "ring.pilot.hours": 24, "ring.pilot.incident": False},
    "maintenance-window": {"maintenance.open": True, "writer.role": "deployment", "writer.verdict": "allowed", "signer.lost": False},
    "unsigned-updater-home": {
        "writer.role": "updater", "writer.verdict": "allowed", "writer.never_signed": True, "writer.same_home": True,
        "signer.seen": False, "signer.lost": False,
    },
}  # fmt: skip
"""The least that each rule needs."""


def test_each_rule_has_its_least_facts_here() -> None:
    assert set(GOOD) == {rule.name for rule in builtin().rules}, "write in GOOD the least facts that your rule needs"


def told(facts: dict[str, Any]) -> Verdict:
    return judge(Facts({"hash": A, **facts}), Lists(), builtin(), NOW)


@pytest.mark.parametrize("rule", [rule.name for rule in builtin().rules])
def test_each_rule_decides_its_case_and_needs_every_one_of_its_conditions(rule: str) -> None:
    assert told(GOOD[rule]).reason.ref == rule
    for fact in GOOD[rule]:
        rest = {name: value for name, value in GOOD[rule].items() if name != fact}
        assert told(rest).reason.ref != rule, f"without {fact}"


@pytest.mark.parametrize("rule", [rule.name for rule in builtin().rules])
def test_each_rule_has_a_sentence_a_case_and_bounds(rule: str) -> None:
    shipped = builtin().named(rule)
    assert shipped is not None
    assert shipped.doc.endswith(".")
    assert shipped.cases.startswith("J")
    assert shipped.grace is not None or not shipped.trusts
    assert Outcome.ALLOW not in shipped.outcomes, "what a rule earns is a grace, never more"
    assert shipped.outcomes & {Outcome.OBSERVE, Outcome.ALERT}, "no grace is silent"


def test_rules_for_a_replay_never_hold_in_real_life() -> None:
    for name, facts in GOOD.items():
        if name.endswith("-in-replay"):
            live = {fact: value for fact, value in facts.items() if fact != "replay"}
            assert told(live).word is VerdictWord.UNKNOWN, name


# --- the cases ----------------------------------------------------------------------------------------------------


def test_j01_a_build_is_good_on_its_build_machine_and_on_one_host_alone() -> None:
    assert told(GOOD["build-machine"]).word is VerdictWord.GRACED
    assert told(GOOD["build-machine"] | {"host.role": "office"}).word is VerdictWord.UNKNOWN
    rule = builtin().named("build-machine")
    assert rule is not None
    assert rule.grace is not None
    assert rule.grace.max_hosts == 1


def test_j02_a_missing_digest_is_not_unmodified_and_the_writer_must_be() -> None:
    assert told(GOOD["package-manager-installs"]).word is VerdictWord.GRACED
    assert told(GOOD["package-manager-installs"] | {"writer.proven": False}).word is VerdictWord.UNKNOWN


def test_j06_the_same_file_at_another_place_from_another_parent_is_unknown() -> None:
    stick = GOOD["same-signer-new-version"] | {"signer.used_place_before": False, "signer.used_parent_before": False}
    del stick["previous_version.verdict"]
    assert told(stick).outcomes == {Outcome.MOVE}


def test_j07_an_unsigned_update_of_a_vendor_that_never_signs_waits_and_moves_nobody() -> None:
    verdict = told(GOOD["unsigned-updater-home"])
    assert (verdict.word, verdict.outcomes) == (VerdictWord.UNKNOWN, {Outcome.HOLD, Outcome.ALERT})
    assert told(GOOD["unsigned-updater-home"] | {"writer.role": None}).outcomes == {Outcome.MOVE}


@pytest.mark.parametrize(
    "change",
    [
        {"writer.never_signed": False},
        {"signer.lost": True},
        {"signer.seen": True, "signer.state": "valid"},
        {"writer.same_home": False},
        {"writer.verdict": "unknown"},
    ],
)
def test_j18_any_other_child_of_an_updater_is_unknown_and_moved(change: dict[str, Any]) -> None:
    assert told(GOOD["unsigned-updater-home"] | change).outcomes == {Outcome.MOVE}


@pytest.mark.parametrize("state", ["invalid", "expired", "unsigned", None])
def test_j09_what_was_signed_and_is_no_longer_is_not_the_same_signer(state: str | None) -> None:
    assert told(GOOD["same-signer-new-version"] | {"signer.state": state}).word is VerdictWord.UNKNOWN


def test_j08_the_fleet_follows_only_after_enough_pilots_without_an_incident() -> None:
    for change in (
        {"ring.pilot.hosts": 4},
        {"ring.pilot.users": 1},
        {"ring.pilot.hours": 23.9},
        {"ring.pilot.incident": True},
    ):
        assert told(GOOD["pilot-ring"] | change).word is VerdictWord.UNKNOWN


def test_j12_a_fresh_host_alone_is_no_reason() -> None:
    assert told({"host.age": 1, "host.fresh_peers": 79, "parent.verdict": "allowed"}).word is VerdictWord.UNKNOWN
    assert told({"host.age": 1, "image.member": False, "host.image": "img1"}).word is VerdictWord.UNKNOWN


def test_j16_a_deployment_tool_trusted_as_grace_reaches_as_many_hosts_as_its_trust_says() -> None:
    class Ten:
        def until(self, rule: str) -> int | None:
            return None

        def used(self, rule: str) -> int:
            return 10

    assert told(GOOD["managed-installer"]).until == NOW + 72 * HOUR
    assert (
        judge(Facts({"hash": A} | GOOD["managed-installer"]), Lists(), builtin(), NOW, slots=Ten()).word
        is VerdictWord.UNKNOWN
    )


def test_j17_a_program_started_by_an_updater_or_interpreter_is_not_trusted_for_that() -> None:
    for role in ToolRole:
        facts = {
            "parent.role": role,
            "parent.verdict": "allowed",
            "parent.proven": True,
            "parents.roles": tuple(ToolRole),
            "parents.verdicts": ("allowed",),
        }
        assert told(facts | {"interpreter.verdict": "allowed"}).word is VerdictWord.UNKNOWN, role


def test_j24_a_worm_with_the_prevalence_of_a_roll_out_is_unknown() -> None:
    spread = {
        "prevalence.fleet.hosts": 900,
        "prevalence.site.hosts": 900,
        "prevalence.last_hour": 900,
        "age": 100,
        "parent.verdict": "allowed",
    }
    assert told(spread).word is VerdictWord.UNKNOWN


def test_j20_a_stolen_certificate_at_a_new_place_is_unknown() -> None:
    stolen = {
        "signer.state": "valid",
        "signer.known": True,
        "signer.name": "Famous Inc",
        "signer.used_place_before": False,
        "signer.used_parent_before": True,
    }
    assert told(stolen).word is VerdictWord.UNKNOWN


@pytest.mark.shared
def test_recorded_attacks_are_never_graced_whatever_name_or_place_they_use(shared: Path) -> None:
    """Process creations of recorded attacks, judged beside the inventory of real good files: nothing but its hash,
    its path and its parent is known of each, as a forwarded event tells it."""
    data = shared / "data"
    with gzip.open(data / "hashes" / "goodware.csv.gz", "rt", encoding="utf-8", newline="") as text:
        good = list(csv.DictReader(text))
    known = {row["sha256"] for row in good}

    class Line:
        def __init__(self, row: dict[str, str]) -> None:
            self.sha256, self.path, self.signer = row["sha256"], row["path"], row["signer"] or None

    tools = propose([Line(row) for row in good])
    by_name = {place(row["path"]).path: row["sha256"] for row in good}
    judged = 0
    with gzip.open(data / "processes" / "creations.jsonl.gz", "rt", encoding="utf-8") as text:
        for line in text:
            event = json.loads(line)
            if not event["image"] or event["sha256"] in known:
                continue
            here = place(event["image"])
            parent = event["parent_image"] or ""
            parent_sha = by_name.get(place(parent).path)
            tool = tools.get(parent_sha) if parent_sha else None
            facts: dict[str, Any] = {
                "hash": event["sha256"],
                "path": here.path,
                "name": here.name,
                "place": here.root,
                "place.kind": here.kind,
                "host.role": "office",
            }
            for who in ("writer", "parent"):
                facts |= of_program(who, parent, parent_sha, tool, file_path=event["image"])
                facts[f"{who}.verdict"] = "allowed" if parent_sha else None
            facts |= {"signer.seen": False, "signer.lost": False, "replay": True}
            verdict = judge(Facts(facts), Lists(), builtin(), NOW)
            assert verdict.word is VerdictWord.UNKNOWN, event
            judged += 1
    assert judged > 1_000


def test_all_facts_that_the_shipped_rules_ask_for_are_in_the_table() -> None:
    assert {c.fact.name for rule in builtin().rules for c in rule.when} <= set(FACTS)

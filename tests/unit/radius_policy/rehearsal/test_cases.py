"""Rules rehearsed on cases that a person wrote."""

import pytest

from radius_policy.grace import RuleError, builtin
from radius_policy.model import Outcome, VerdictWord
from radius_policy.rehearsal.cases import read_cases, tell

TEXT = """\
[[case]]
name = "an update by its own updater"
expect = "graced"
rule = "same-signer-new-version"
[case.facts]
"signer.state" = "valid"
"previous_version.verdict" = "allowed"
"previous_version.signer_state" = "valid"
"signer.used_place_before" = true
signer.used_parent_before = true
"host.groups" = ["tills"]

[[case]]
name = "a dropper"
expect = "unknown"
rule = ""
outcomes = ["move"]
[case.facts]
"path" = "C:\\\\Users\\\\ann\\\\Downloads\\\\x.exe"
"""


def test_cases_that_come_out_as_expected() -> None:
    told = tell(read_cases(TEXT), builtin(), 0)
    assert [(each.case.name, each.wrong) for each in told] == [("an update by its own updater", ""), ("a dropper", "")]
    assert told[0].case.facts["host.groups"] == ("tills",)
    assert told[1].case.facts["path"] == r"c:\users\ann\downloads\x.exe"
    assert (told[1].case.expect, told[1].case.outcomes) == (VerdictWord.UNKNOWN, {Outcome.MOVE})
    assert [each.case.line for each in told] == [1, 13]


def test_a_case_that_comes_out_otherwise_says_how_and_why() -> None:
    text = TEXT.replace('"signer.state" = "valid"', '"signer.state" = "invalid"').replace(
        'outcomes = ["move"]', 'outcomes = ["hold"]'
    )
    first, second = tell(read_cases(text), builtin(), 0)
    assert first.wrong.startswith("unknown instead of graced")
    assert "decided by unknown instead of same-signer-new-version" in first.wrong
    assert first.why == ("signer.state is valid: is invalid",)
    assert second.wrong == "outcomes move instead of hold"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"signer.state" = "valid"',
            '"signer.stat" = "valid"',
            "c.toml:6:1: unknown fact `signer.stat`; did you mean signer.state?",
        ),
        ('"signer.state" = "valid"', '"signer.state" = "fine"', "signer.state is never fine"),
        ('"host.groups" = ["tills"]', '"host.groups" = [1]', "host.groups is a text"),
        (
            'expect = "graced"',
            'expect = "grace"',
            "c.toml:3:1: `expect` is one of allowed, graced, unknown, denied; did you mean graced?",
        ),
        ('outcomes = ["move"]', 'outcomes = ["mov"]', "unknown outcome `mov`; did you mean move?"),
        ('rule = ""', 'rul = ""', "a case has no `rul`; did you mean rule?"),
        ('[[case]]\nname = "an', '[[cases]]\nx = 1\n[[case]]\nname = "an', "unknown entry `cases`"),
        ('name = "a dropper"', 'name = "a dropper', "not valid TOML"),
    ],
)
def test_a_wrong_case_is_named_with_its_place(old: str, new: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        read_cases(TEXT.replace(old, new), "c.toml")
    assert message in str(caught.value)


def test_a_file_without_cases_is_refused() -> None:
    with pytest.raises(RuleError, match="no cases"):
        read_cases("")

"""The list of surviving mutants is true to the code: it names code that is there, in modules that are mutated."""

import tomllib
from fnmatch import fnmatchcase

import pytest

from tests.faults import ROOT
from tests.mutation import LEAST, Survivor, listed
from tests.mutation.__main__ import changed, fates, module

MUTATED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]["only_mutate"]


@pytest.mark.parametrize("survivor", listed().survivors, ids=lambda each: f"{each.name}: {each.code}")
def test_a_listed_survivor_names_code_that_is_there_and_a_reason(survivor: Survivor) -> None:
    assert survivor.file in MUTATED
    assert survivor.code in (ROOT / survivor.file).read_text(encoding="utf-8")
    assert survivor.reason.endswith(".")


def test_what_is_mutated_exists_and_the_last_run_noticed_enough() -> None:
    assert [each for each in MUTATED if not (ROOT / each).is_file()] == []
    assert listed().killed / listed().mutants >= LEAST


def test_a_survivor_is_known_by_its_function_and_its_code_whatever_its_number() -> None:
    one = Survivor("radius_policy.access.x__f*", "raise AssertionError(", "It cannot happen.")
    assert one.is_of("radius_policy.access.x__first__mutmut_77", '    raise AssertionError("no")')
    assert not one.is_of("radius_policy.access.x__first__mutmut_77", "    return None")
    assert not one.is_of("radius_policy.posture.x__first__mutmut_77", '    raise AssertionError("no")')
    assert fnmatchcase("radius_policy.coa.client.xǁCoaClientǁ_begin", "radius_policy.coa.client.x*CoaClient*_begin")


def test_what_mutmut_says_is_read_line_by_line() -> None:
    results = (
        "\n    health_agent.core.x_a__mutmut_1: killed\n    health_agent.core.x_a__mutmut_2: survived\n1 of 2: x\n"
    )
    assert fates(results) == {
        "health_agent.core.x_a__mutmut_1": "killed",
        "health_agent.core.x_a__mutmut_2": "survived",
    }
    assert module("health_agent.core.x_a__mutmut_1") == "health_agent.core"
    assert changed("--- core.py\n+++ core.py\n@@ -1 +1 @@\n-    a = 1\n+    a = 2\n     b\n") == "    a = 1"

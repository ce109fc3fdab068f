"""The deliberate faults can still be planted, and the tests that catch them exist."""

import re

import pytest

from tests.faults import ROOT, Fault, faults


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.name)
def test_a_fault_has_one_place_and_a_test_that_says_what_broke(fault: Fault) -> None:
    assert (ROOT / fault.file).read_text(encoding="utf-8").count(fault.was) == 1
    file, _, name = fault.caught_by.partition("::")
    assert re.search(rf"def {name}\b", (ROOT / file).read_text(encoding="utf-8"))


def test_there_are_at_least_ten_in_different_rooms() -> None:
    assert len({fault.room for fault in faults()}) >= 10

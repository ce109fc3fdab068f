"""How a story speaks, and how it names the step at which it failed."""

import pytest

from lab.fabric import FabricError
from lab.narrator import Narrator, StoryFailed


def test_away_from_a_terminal_a_line_carries_its_measured_time(capsys: pytest.CaptureFixture[str]) -> None:
    Narrator().say("The port [of endpoint 2] is in remediation.", 6.54)
    told = capsys.readouterr()
    assert "The port [of endpoint 2] is in remediation.  [6.5 ms]" in told.out


def test_beside_a_json_object_it_speaks_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Narrator(json_only=True).say("hello")
    told = capsys.readouterr()
    assert (told.out, "hello" in told.err) == ("", True)


def test_what_a_site_fails_at_is_a_failed_step_with_its_name() -> None:
    with pytest.raises(StoryFailed) as failed, Narrator().step("the network"):
        raise FabricError("no bridge")
    assert (failed.value.step, failed.value.reason) == ("the network", "no bridge")


def test_a_defect_keeps_its_own_type() -> None:
    with pytest.raises(ZeroDivisionError), Narrator().step("the network"):
        _ = 1 / 0

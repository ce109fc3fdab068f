"""The journal of starts without an end."""

from pathlib import Path

from health_agent.dialogue import Restored
from health_agent.running import Running
from tests.unit.health_agent.makers import BAD

ONE = Restored("execution-1", 10, 100, BAD)
TWO = Restored("execution-2", 20, 200, None)


def test_what_has_not_ended_is_there_after_a_restart(tmp_path: Path) -> None:
    running = Running(tmp_path / "running", "boot-1")
    running.remember(ONE)
    running.remember(TWO)
    running.forget("execution-1")
    running.forget("never-heard-of")
    running.close()
    again = Running(tmp_path / "running", "boot-1")
    assert again.restored == (TWO,)
    again.close()


def test_after_a_reboot_nothing_can_be_taken_for_alive_but_the_ends_are_owed(tmp_path: Path) -> None:
    running = Running(tmp_path / "running", "boot-1")
    running.remember(ONE)
    running.close()
    for _ in range(2):  # also when the first run after the boot is killed at once
        running = Running(tmp_path / "running", "boot-2")
        assert running.restored == (Restored("execution-1", 10, -1, BAD),)
        running.close()


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    running = Running(tmp_path / "running", "boot-1")
    running.remember(ONE)
    running.close()
    with (tmp_path / "running").open("a") as file:
        file.write("+ execution-9 77")
    running = Running(tmp_path / "running", "boot-1")
    assert running.restored == (ONE,)
    running.close()


def test_the_journal_stays_small(tmp_path: Path) -> None:
    running = Running(tmp_path / "running", "boot-1")
    running.remember(ONE)
    for number in range(3000):
        running.remember(Restored(f"execution-x{number}", 1, 1, BAD))
        running.forget(f"execution-x{number}")
    assert (tmp_path / "running").stat().st_size < 200_000
    running.close()
    again = Running(tmp_path / "running", "boot-1")
    assert again.restored == (ONE,)
    again.close()

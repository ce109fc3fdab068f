"""What labs that are gone leave behind is swept; what is in use or was kept stays."""

import fcntl
import os
import subprocess
from pathlib import Path

from lab.launch import PREFIX, sweep
from lab.python import STATE_VARIABLE


def _state(folder: Path, name: str) -> Path:
    state = folder / f"{PREFIX}{name}"
    state.mkdir()
    (state / "lock").touch()
    (state / "data").mkdir()
    return state


def test_the_state_of_a_lab_that_is_gone_is_removed_and_its_processes_end(tmp_path: Path) -> None:
    gone = _state(tmp_path, "gone")
    left = subprocess.Popen(["sleep", "60"], env={**os.environ, STATE_VARIABLE: str(gone)})
    other = subprocess.Popen(["sleep", "60"], env={**os.environ, STATE_VARIABLE: f"{gone}-other"})
    try:
        assert sweep(tmp_path) == [gone]
        assert not gone.exists()
        assert left.wait(5) == -9
        assert other.poll() is None
    finally:
        for process in (left, other):
            process.kill()
            process.wait()


def test_a_lab_in_use_and_one_that_was_kept_stay(tmp_path: Path) -> None:
    used, kept = _state(tmp_path, "used"), _state(tmp_path, "kept")
    (kept / "kept").touch()
    with (used / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert sweep(tmp_path) == []
    assert used.exists()
    assert kept.exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "another").mkdir()
    (tmp_path / f"{PREFIX}starting").mkdir()
    assert sweep(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 2

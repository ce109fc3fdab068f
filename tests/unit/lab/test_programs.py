"""Programs that nobody has seen before, really executed."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from lab.endpoints import programs


def test_every_program_is_new_and_its_hash_is_that_of_its_file(tmp_path: Path) -> None:
    one, two = programs.make(tmp_path, "invoice"), programs.make(tmp_path, "invoice")
    assert one.sha256 != two.sha256
    assert one.sha256 == hashlib.sha256(one.path.read_bytes()).hexdigest()


def test_it_is_really_executed_and_the_time_is_from_before_the_execve(tmp_path: Path) -> None:
    program = programs.make(tmp_path, "invoice")
    before = time.monotonic_ns()
    start = programs.start([], program, 30)
    try:
        until = time.monotonic() + 5
        executable = Path(f"/proc/{start.process.pid}/exe")
        while executable.resolve() != program.path and time.monotonic() < until:
            time.sleep(0.01)
        assert Path(os.readlink(executable)) == program.path
        assert before < start.ns < time.monotonic_ns()
        assert start.process.poll() is None
    finally:
        start.process.kill()
        start.process.wait()


def test_one_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="did not start"):
        programs.start(["false"], programs.make(tmp_path, "invoice"), 1)

"""The fanotify sensor against the real kernel, on a private tmpfs; notifications only, so nothing can hang."""

import hashlib
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from health_agent.contract import Kind
from health_agent.dialogue import Ended, Event, Started, Swept
from health_agent.sensors import Surroundings
from health_agent.sensors.fanotify import FanotifySensor

pytestmark = pytest.mark.peer("fanotify")


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Path]:
    """A file system of our own."""
    folder = tmp_path / "programs"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "pratique-test", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


class Watch:
    """A running sensor and what it told."""

    def __init__(self, folder: Path) -> None:
        self.told: list[Event] = []
        self.counts: Counter[str] = Counter()
        self.known: set[str] = set()
        self._around = Surroundings(
            self.told.extend, self.known.__contains__, lambda: time.time_ns() // 1000, self.counts
        )
        self._folder = folder

    def __enter__(self) -> "Watch":
        self.sensor = FanotifySensor([str(self._folder)], self._around)
        self._thread = threading.Thread(target=self.sensor.run)
        self._thread.start()
        self.until(lambda: Swept() in self.told)
        return self

    def __exit__(self, *_: object) -> None:
        self.sensor.stop()
        self._thread.join(5)
        assert not self._thread.is_alive()

    def until(self, condition: Callable[[], object], seconds: float = 5) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.told
            time.sleep(0.002)

    @property
    def starts(self) -> list[Started]:
        return [event for event in self.told if isinstance(event, Started)]

    @property
    def ends(self) -> list[Ended]:
        return [event for event in self.told if isinstance(event, Ended)]


@pytest.fixture
def watch(programs: Path) -> Iterator[Watch]:
    with Watch(programs) as watching:
        yield watching


def program(folder: Path, name: str, of: str = "/bin/true") -> tuple[Path, str]:
    """A program never seen before, and its hash."""
    path = folder / name
    octets = Path(of).read_bytes() + os.urandom(16)
    path.write_bytes(octets)
    path.chmod(0o755)
    return path, hashlib.sha256(octets).hexdigest()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_program_that_exits_at_once_and_is_deleted_is_told_with_its_hash_and_end(
    watch: Watch, programs: Path
) -> None:
    path, sha256 = program(programs, "short")
    before = time.time_ns() // 1000
    child = subprocess.Popen([path])
    path.unlink()
    child.wait()
    watch.until(lambda: watch.ends)
    (started,) = watch.starts
    assert (started.sha256, started.kind, started.pid) == (sha256, Kind.ELF, child.pid)
    assert started.path == str(path)
    assert not started.alive_at_start
    (ended,) = watch.ends
    assert ended.token == started.token
    assert before <= started.started_us <= ended.ended_us <= time.time_ns() // 1000


def test_a_hundred_different_programs_are_told_one_by_one(watch: Watch, programs: Path) -> None:
    made = [program(programs, f"p{number}") for number in range(100)]
    for path, _ in made:
        subprocess.run([path], check=True)
    watch.until(lambda: len(watch.ends) == 100)
    assert {start.sha256 for start in watch.starts} == {sha256 for _, sha256 in made}
    assert len(watch.starts) == 100
    assert watch.counts["overflow"] == 0


def test_descriptors_are_all_given_back(watch: Watch, programs: Path) -> None:
    path, sha256 = program(programs, "again")
    before = descriptors()
    for _ in range(50):
        subprocess.run([path], check=True)
    watch.until(lambda: len(watch.ends) == 50)
    watch.known.add(sha256)
    subprocess.run([path], check=True)
    time.sleep(0.1)
    assert len(watch.starts) == 50, "a known one is not told"
    assert descriptors() == before


def test_a_script_is_told_with_its_interpreter(watch: Watch, programs: Path) -> None:
    script = programs / "script"
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o755)
    subprocess.run([script], check=True)
    watch.until(lambda: watch.starts)
    (started,) = watch.starts
    assert started.kind is Kind.SCRIPT
    assert started.interpreter is not None
    assert started.interpreter.path == "/bin/sh"
    assert started.sha256 == hashlib.sha256(script.read_bytes()).hexdigest()


def test_an_interpreter_on_the_watched_file_system_is_told_too(watch: Watch, programs: Path) -> None:
    shell, sha256 = program(programs, "shell", "/bin/sh")
    script = programs / "script"
    script.write_text(f"#!{shell}\nexit 0\n")
    script.chmod(0o755)
    subprocess.run([script], check=True)
    watch.until(lambda: len(watch.ends) == 2)
    assert [start.kind for start in watch.starts] == [Kind.SCRIPT, Kind.ELF]
    assert watch.starts[1].sha256 == sha256


def test_what_is_alive_before_the_sensor_is_told_as_such_and_its_end_too(programs: Path) -> None:
    path, sha256 = program(programs, "sleeper", "/bin/sleep")
    child = subprocess.Popen([path, "30"])
    time.sleep(0.1)
    path.unlink()
    try:
        with Watch(programs) as watch:
            (started,) = watch.starts
            assert (started.sha256, started.pid, started.alive_at_start) == (sha256, child.pid, True)
            assert started.path == str(path)
            assert started.birth > 0
            assert watch.told.index(started) < watch.told.index(Swept())
            child.kill()
            child.wait()
            watch.until(lambda: watch.ends)
    finally:
        child.kill()
        child.wait()


def test_a_program_that_leaves_its_first_process_has_not_ended(watch: Watch, programs: Path) -> None:
    shell, _ = program(programs, "daemon", "/bin/sh")
    pipe = programs / "pipe"
    os.mkfifo(pipe)
    # The first process forks a subshell (the same image) and ends; the subshell goes on until somebody writes.
    subprocess.run([shell, "-c", f"(read line < {pipe}) & exit"], check=True)
    watch.until(lambda: watch.starts)
    time.sleep(0.3)
    assert not watch.ends, "its child still shows the image"
    pipe.write_text("\n")
    watch.until(lambda: watch.ends)
    assert [end.token for end in watch.ends] == [watch.starts[0].token]


def test_two_runs_of_one_program_end_each_on_its_own(watch: Watch, programs: Path) -> None:
    path, _ = program(programs, "sleeper", "/bin/sleep")
    children = [subprocess.Popen([path, "30"]) for _ in range(2)]
    watch.until(lambda: len(watch.starts) == 2)
    for child in children:
        child.kill()
        child.wait()
        time.sleep(0.2)
        assert [end.token for end in watch.ends][-1] == next(s.token for s in watch.starts if s.pid == child.pid)
    assert len(watch.ends) == 2


def test_an_end_that_is_of_no_interest_is_not_told(watch: Watch, programs: Path) -> None:
    path, _ = program(programs, "sleeper", "/bin/sleep")
    before = descriptors()
    child = subprocess.Popen([path, "30"])
    watch.until(lambda: watch.starts)
    watch.sensor.unwatch(watch.starts[0].token)
    watch.until(lambda: descriptors() == before)
    child.kill()
    child.wait()
    time.sleep(0.2)
    assert not watch.ends


def test_a_change_of_the_file_is_seen_at_the_next_start(watch: Watch, programs: Path) -> None:
    path, first = program(programs, "tool")
    subprocess.run([path], check=True)
    time.sleep(0.1)
    subprocess.run([path], check=True)
    with path.open("ab") as file:
        file.write(b"more")
    second = hashlib.sha256(path.read_bytes()).hexdigest()
    subprocess.run([path], check=True)
    watch.until(lambda: len(watch.starts) == 3)
    assert [start.sha256 for start in watch.starts] == [first, first, second]


def test_a_bind_mount_hides_nothing(watch: Watch, programs: Path, tmp_path: Path) -> None:
    path, sha256 = program(programs, "tool")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run(["mount", "--bind", programs, elsewhere], check=True)
    try:
        subprocess.run([elsewhere / path.name], check=True)
        watch.until(lambda: watch.starts)
        assert watch.starts[0].sha256 == sha256
    finally:
        subprocess.run(["umount", "-l", elsewhere], check=True)


def test_a_storm_of_starts_loses_none(watch: Watch, programs: Path) -> None:
    path, sha256 = program(programs, "tool")
    shell = shutil.which("sh")
    assert shell is not None
    subprocess.run([shell, "-c", f"i=0; while [ $i -lt 400 ]; do {path} & i=$((i+1)); done; wait"], check=True)
    watch.until(lambda: len(watch.ends) == 400, seconds=20)
    assert {start.sha256 for start in watch.starts} == {sha256}
    assert len(watch.starts) == 400

"""The polling sensor, look by look, on children of this test; without any right."""

import hashlib
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from health_agent.dialogue import Ended, Event, Started, Swept
from health_agent.sensors import Surroundings
from health_agent.sensors.polling import PollingSensor


class Looks:
    def __init__(self, folder: Path) -> None:
        self.told: list[Event] = []
        self.counts: Counter[str] = Counter()
        self.known: set[str] = set()
        around = Surroundings(self.told.extend, self.known.__contains__, lambda: time.time_ns() // 1000, self.counts)
        self.sensor = PollingSensor([str(folder)], around, interval_s=0.02)

    def look(self, **more: bool) -> list[Event]:
        self.told.clear()
        self.sensor.look(**more)
        return list(self.told)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "programs"
    made.mkdir()
    return made


@pytest.fixture
def sleeper(folder: Path) -> Path:
    path = folder / "sleeper"
    shutil.copy("/bin/sleep", path)
    return path


@pytest.fixture
def looks(folder: Path) -> Looks:
    return Looks(folder)


def run(path: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([path, "30"])
    deadline = time.monotonic() + 5
    while os.readlink(f"/proc/{child.pid}/exe") != str(path):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return child


def stop(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()


def test_a_start_and_its_end_are_seen_at_the_next_look(looks: Looks, sleeper: Path) -> None:
    assert looks.look(first=True) == []
    child = run(sleeper)
    (started,) = looks.look()
    assert isinstance(started, Started)
    assert (started.path, started.pid, started.alive_at_start) == (str(sleeper), child.pid, False)
    assert started.sha256 == hashlib.sha256(sleeper.read_bytes()).hexdigest()
    assert abs(started.started_us / 1e6 - time.time()) < 5
    assert looks.look() == []
    stop(child)
    (ended,) = looks.look()
    assert isinstance(ended, Ended)
    assert (ended.token, ended.uncertain) == (started.token, True)
    assert looks.look() == []


def test_what_is_alive_at_the_first_look_says_so(looks: Looks, sleeper: Path) -> None:
    child = run(sleeper)
    (started,) = looks.look(first=True)
    assert isinstance(started, Started)
    assert started.alive_at_start
    stop(child)


def test_a_deleted_program_is_hashed_all_the_same(looks: Looks, sleeper: Path) -> None:
    sha256 = hashlib.sha256(sleeper.read_bytes()).hexdigest()
    child = run(sleeper)
    sleeper.unlink()
    (started,) = looks.look()
    assert isinstance(started, Started)
    assert (started.sha256, started.path) == (sha256, str(sleeper))
    stop(child)


def test_another_program_in_the_same_process_is_another_start(looks: Looks, folder: Path, sleeper: Path) -> None:
    shell = folder / "shell"
    shutil.copy("/bin/sh", shell)
    child = subprocess.Popen([shell, "-c", f"read x; exec {sleeper} 30"], stdin=subprocess.PIPE)
    assert child.stdin is not None
    time.sleep(0.1)
    (first,) = looks.look()
    child.stdin.write(b"\n")
    child.stdin.flush()
    time.sleep(0.2)
    second, ended = looks.look()
    child.stdin.close()
    stop(child)
    assert isinstance(first, Started)
    assert isinstance(second, Started)
    assert isinstance(ended, Ended)
    assert (second.path, second.pid, ended.token) == (str(sleeper), first.pid, first.token)
    assert second.started_us > first.started_us


def test_programs_elsewhere_and_known_ones_are_left_out(looks: Looks, sleeper: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "programs-not-these"
    shutil.copy(sleeper, elsewhere)
    looks.known.add(hashlib.sha256(sleeper.read_bytes()).hexdigest())
    children = [run(elsewhere), run(sleeper)]
    assert looks.look() == []
    for child in children:
        stop(child)
    assert looks.look() == []


def test_the_thread_looks_first_and_ends_when_told(looks: Looks, sleeper: Path) -> None:
    child = run(sleeper)
    thread = threading.Thread(target=looks.sensor.run)
    thread.start()
    deadline = time.monotonic() + 5
    while len(looks.told) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert isinstance(looks.told[0], Started)
    assert looks.told[1] == Swept()
    stop(child)
    while len(looks.told) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    looks.sensor.unwatch(1)
    looks.sensor.stop()
    thread.join(5)
    assert not thread.is_alive()

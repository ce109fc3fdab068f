"""From a descriptor and a pid to a start."""

import hashlib
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from health_agent import content as content_module
from health_agent.contract import Kind, Program
from health_agent.sensors import Surroundings, observing
from health_agent.sensors.observing import Observer


@pytest.fixture
def counts() -> Counter[str]:
    return Counter()


@pytest.fixture
def observer(counts: Counter[str], monkeypatch: pytest.MonkeyPatch) -> Observer:
    monkeypatch.setattr(content_module, "SETTLING_NS", -(10**15))
    return Observer(Surroundings(lambda events: None, lambda sha256: sha256.startswith("0"), lambda: 5, counts))


@pytest.fixture
def script(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "script"
    path.write_text("#!/bin/sh\nsleep 5\n")
    path.chmod(0o755)
    file = os.open(path, os.O_RDONLY)
    yield file
    os.close(file)


def test_a_script_is_told_with_its_interpreter_user_and_parents(
    observer: Observer, script: int, tmp_path: Path
) -> None:
    child = subprocess.Popen([tmp_path / "script"])
    try:
        with open("/bin/sh", "rb") as shell:
            sha256 = observer.contents.read(shell.fileno()).sha256
        content = observer.content(script)
        started = observer.started(3, script, child.pid, content, 77)
        assert (started.token, started.path, started.pid, started.started_us) == (
            3,
            str(tmp_path / "script"),
            child.pid,
            77,
        )
        assert (started.kind, started.sha256) == (Kind.SCRIPT, hashlib.sha256(b"#!/bin/sh\nsleep 5\n").hexdigest())
        assert started.interpreter == Program("/bin/sh", sha256)
        assert started.user == observing.Users().name(os.geteuid())
        assert started.parents[0].pid == os.getpid()
        assert started.birth > 0
    finally:
        child.kill()
        child.wait()


def test_a_process_that_is_gone_is_told_with_what_is_left(observer: Observer, script: int) -> None:
    child = subprocess.Popen(["/bin/true"])
    child.wait()
    started = observer.started(1, script, child.pid, observer.content(script), 77)
    assert (started.birth, started.user, started.parents, started.started_us) == (0, None, (), 77)
    assert started.sha256 is not None


def test_a_program_that_was_alive_has_the_birth_of_its_process(observer: Observer, script: int) -> None:
    started = observer.started(1, script, os.getpid(), None, 77, alive_at_start=True)
    assert abs(started.started_us / 1e6 - time.time()) < 3600
    assert (started.sha256, started.kind, started.alive_at_start) == (None, Kind.OTHER, True)


def test_a_content_that_cannot_be_read_is_counted(observer: Observer, counts: Counter[str], tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    assert observer.content(folder) is None
    os.close(folder)
    assert counts == {"unreadable": 1}
    assert not observer.known(None)


def test_a_small_parent_is_hashed_at_once_and_a_large_one_later_but_only_once(
    observer: Observer, monkeypatch: pytest.MonkeyPatch, script: int
) -> None:
    monkeypatch.setattr(observing, "SMALL", 0)
    first = observer.started(1, script, os.getpid(), None, 0)
    assert all(parent.sha256 is None for parent in first.parents)
    assert observer.owes
    for _ in observer.owed():
        pass
    assert not observer.owes
    again = observer.started(2, script, os.getpid(), None, 0)
    with open(f"/proc/{os.getppid()}/exe", "rb") as image:
        assert again.parents[0].sha256 == hashlib.sha256(image.read()).hexdigest()
    assert not observer.owes


def test_a_memfd_is_its_own_kind(observer: Observer) -> None:
    file = os.memfd_create("hidden")
    os.write(file, b"\x7fELF")
    started = observer.started(1, file, os.getpid(), observer.content(file), 0)
    os.close(file)
    assert (started.kind, started.path) == (Kind.MEMFD, "/memfd:hidden")


def test_what_needs_no_report_is_known(observer: Observer, script: int) -> None:
    content = observer.content(script)
    assert content is not None
    assert observer.known(content) is content.sha256.startswith("0")

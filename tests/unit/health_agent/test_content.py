"""What the bytes of an executable are."""

import hashlib
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from health_agent import content
from health_agent.content import CHUNK, Contents, interpreter_of, kind_of, printable
from health_agent.contract import Kind


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A file whose last change lies long enough back to be remembered."""
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF and the rest")
    return path


@pytest.fixture
def contents(monkeypatch: pytest.MonkeyPatch) -> Contents:
    monkeypatch.setattr(content, "SETTLING_NS", -(10**15))
    return Contents()


@pytest.fixture
def file(program: Path) -> Iterator[int]:
    descriptor = os.open(program, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x7fELF\x02\x01", Kind.ELF),
        (b"MZ\x90\x00", Kind.PE),
        (b"#!/bin/sh\n", Kind.SCRIPT),
        (b"\xca\xfe\xba\xbe\x00\x00", Kind.JAVA),
        (b"echo hello", Kind.OTHER),
        (b"", Kind.OTHER),
        (b"M", Kind.OTHER),
    ],
)
def test_the_first_bytes_tell_the_kind(head: bytes, kind: Kind) -> None:
    assert kind_of(head) is kind


@pytest.mark.parametrize(
    ("head", "interpreter"),
    [
        (b"#!/bin/sh\n", "/bin/sh"),
        (b"#! /usr/bin/env python3 -u\nprint()", "/usr/bin/env"),
        (b"#!\n/bin/sh", None),
        (b"#!/caf\xe9/x", "/caf\\xe9/x"),
        (b"\x7fELF", None),
    ],
)
def test_the_first_line_of_a_script_names_its_interpreter(head: bytes, interpreter: str | None) -> None:
    assert interpreter_of(head) == interpreter


def test_names_that_are_no_utf8_survive_as_text() -> None:
    assert printable(os.fsdecode(b"/tmp/\xff\xc3\xa9")) == "/tmp/\\xffé"


def test_a_content_has_hash_size_and_kind(contents: Contents, file: int, program: Path) -> None:
    read = contents.read(file)
    assert read.sha256 == hashlib.sha256(program.read_bytes()).hexdigest()
    assert (read.size, read.kind, read.settled) == (17, Kind.ELF, True)


def test_a_deleted_file_is_still_read(contents: Contents, file: int, program: Path) -> None:
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    program.unlink()
    assert contents.read(file).sha256 == digest


def test_a_large_content_is_read_in_steps(contents: Contents, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * (3 * CHUNK + 5))
    with path.open("rb") as opened:
        steps = contents.reading(opened.fileno())
        count, content = 0, None
        while content is None:
            try:
                next(steps)
                count += 1
            except StopIteration as done:
                content = done.value
    assert count == 3
    assert content.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_unchanged_file_is_remembered_and_a_changed_one_is_not(contents: Contents, file: int, program: Path) -> None:
    first = contents.read(file)
    assert contents.remembered(os.fstat(file)) is first
    with program.open("ab") as writing:
        writing.write(b"!")
    assert contents.remembered(os.fstat(file)) is None
    assert contents.read(file).sha256 == hashlib.sha256(program.read_bytes()).hexdigest()


def test_what_changed_just_now_is_not_remembered(file: int, program: Path) -> None:
    contents = Contents()
    os.utime(program)
    contents.read(file)
    assert contents.remembered(os.fstat(file)) is None


def test_while_somebody_may_write_nothing_is_remembered(contents: Contents, file: int, program: Path) -> None:
    with program.open("r+b"):
        read = contents.read(file)
    assert not read.settled
    assert contents.remembered(os.fstat(file)) is None


def test_a_writable_mapping_is_noticed_although_it_changes_no_time(
    contents: Contents, file: int, program: Path
) -> None:
    with program.open("r+b") as writing:
        mapping = mmap.mmap(writing.fileno(), 0)
    before = contents.read(file)
    mapping[0:1] = b"?"
    after = contents.read(file)
    mapping.close()
    assert not before.settled
    assert after.sha256 != before.sha256, "hashed anew, although nobody told"


def test_after_reading_the_lease_is_gone(contents: Contents, file: int, program: Path) -> None:
    contents.read(file)
    writing = os.open(program, os.O_WRONLY | os.O_NONBLOCK)
    os.close(writing)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(content, "SETTLING_NS", -(10**15))
    contents = Contents(limit=2)
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_text(path.name)
        with path.open("rb") as file:
            contents.read(file.fileno())
    assert [contents.remembered(path.stat()) is not None for path in paths] == [False, True, True]


def test_a_file_that_cannot_be_read_is_an_os_error(contents: Contents, tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(OSError, match="directory"):
        contents.read(folder)
    os.close(folder)

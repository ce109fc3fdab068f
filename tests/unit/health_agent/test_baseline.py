"""The programs that were there before watching began."""

import hashlib
import os
from pathlib import Path

import pytest

from health_agent import baseline
from health_agent.contract import InventoryLine, Kind
from health_agent.provenance.dpkg import Owned
from tests.unit.health_agent.makers import BAD, GOOD


def program(path: Path, octets: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    path.chmod(0o755)
    return hashlib.sha256(octets).hexdigest()


def scan(*places: Path) -> dict[str, InventoryLine]:
    unreadable: list[str] = []
    lines = list(baseline.scan([str(place) for place in places], unreadable))
    assert not unreadable
    assert len({line.sha256 for line in lines}) == len(lines)
    return {line.sha256: line for line in lines}


def test_executables_are_found_hashed_and_named_once(tmp_path: Path) -> None:
    tool = program(tmp_path / "bin" / "tool", b"\x7fELF tool")
    script = program(tmp_path / "lib" / "deep" / "script", b"#!/bin/sh\n")
    program(tmp_path / "lib" / "copy", b"\x7fELF tool")
    os.link(tmp_path / "bin" / "tool", tmp_path / "bin" / "hardlink")
    (tmp_path / "bin" / "link").symlink_to("tool")
    (tmp_path / "bin" / "dangling").symlink_to("nowhere")
    (tmp_path / "data").write_text("no execute bit")
    os.mkfifo(tmp_path / "pipe", 0o755)
    found = scan(tmp_path / "bin", tmp_path)
    assert {sha256: line.kind for sha256, line in found.items()} == {tool: Kind.ELF, script: Kind.SCRIPT}
    assert found[script] == InventoryLine(script, str(tmp_path / "lib/deep/script"), 10, Kind.SCRIPT)


def test_only_an_unmodified_file_of_a_package_is_proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = program(tmp_path / "good", b"as the package brought it")
    changed = program(tmp_path / "changed", b"something else by now")
    md5 = hashlib.md5(b"as the package brought it").hexdigest()
    owner = Owned("deb:tools@1.0", md5)
    monkeypatch.setattr(
        baseline, "owners", lambda paths: {str(tmp_path / "good"): owner, str(tmp_path / "changed"): owner}
    )
    found = scan(tmp_path)
    assert [(found[sha256].package, found[sha256].proven) for sha256 in (good, changed)] == [
        ("deb:tools@1.0", True),
        ("deb:tools@1.0", False),
    ]


def test_of_two_files_with_one_content_the_proven_one_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = program(tmp_path / "a-copy", b"content")
    program(tmp_path / "owned", b"content")
    owner = Owned("deb:tools@1.0", hashlib.md5(b"content").hexdigest())
    monkeypatch.setattr(baseline, "owners", lambda paths: {str(tmp_path / "owned"): owner})
    assert scan(tmp_path)[sha256].proven


def test_a_file_that_vanishes_or_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "executables", lambda places: iter([str(tmp_path / "gone")]))
    unreadable: list[str] = []
    assert list(baseline.scan([], unreadable)) == []
    assert unreadable == [str(tmp_path / "gone")]


def test_names_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\n"
    with open(path, "wb") as file:
        os.fchmod(file.fileno(), 0o755)
    (line,) = scan(tmp_path).values()
    assert line.path.endswith("/\\xff\n")
    baseline.store(tmp_path / "baseline", [line])
    assert baseline.read(tmp_path / "baseline") == (line.sha256,)


def test_a_stored_baseline_comes_back_without_what_was_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "baseline"
    assert baseline.read(path) == ()
    baseline.store(path, [InventoryLine(GOOD, "/a"), InventoryLine(BAD, "/b c")])
    assert baseline.read(path) == (GOOD, BAD)
    baseline.take_back(path, GOOD)
    assert baseline.read(path) == (BAD,)
    baseline.store(path, [InventoryLine(GOOD, "/a")])
    assert baseline.read(path) == (GOOD,), "a new scan asks anew"


@pytest.mark.parametrize(
    ("lines", "sizes"), [(0, [0]), (1, [1]), (2000, [2000]), (2001, [2000, 1]), (4500, [2000, 2000, 500])]
)
def test_an_inventory_is_cut_into_parts_of_which_the_last_is_marked(lines: int, sizes: list[int]) -> None:
    parts = baseline.parts([InventoryLine(f"{number:064x}", "/x") for number in range(lines)])
    assert [len(part) for part, _ in parts] == sizes
    assert [last for _, last in parts] == [False] * (len(sizes) - 1) + [True]


def test_the_usual_places_are_real_folders_each_once(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    places = baseline.usual_places(f"{tmp_path}/bin:{tmp_path}/missing::/usr/bin:{tmp_path}/bin")
    assert places.count(str(tmp_path / "bin")) == 1
    assert str(tmp_path / "missing") not in places
    assert len(places) == len(set(places))

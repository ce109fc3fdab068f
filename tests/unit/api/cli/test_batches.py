"""Imports and scans on the command line: previewed, done whole, undone, wide denies confirmed."""

import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from api.cli import main

Run = Callable[..., tuple[int, str, str]]
A, B = "a" * 64, "b" * 64


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    database = f"sqlite:///{tmp_path}/p.db"
    assert main(["database", "migrate", "--database", database]) == 0

    def say(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*map(str, words), "--database", database])
        out, err = capsys.readouterr()
        return code, out, err

    return say


@pytest.fixture
def hashes(tmp_path: Path) -> Path:
    path = tmp_path / "own.txt"
    path.write_text(f"{A} one\n{B} two\n")
    return path


def values(run: Run, action: str) -> list[str]:
    return sorted(entry["value"] for entry in json.loads(run(action, "list", "--json")[1]))


@pytest.mark.parametrize("action", ["allow", "deny"])
def test_an_import_is_previewed_done_and_undone(run: Run, hashes: Path, action: str) -> None:
    code, out, _ = run(action, "import", hashes, "--preview")
    assert (code, out) == (0, "2 new entries, 0 on the list already\n")
    assert values(run, action) == []
    done = json.loads(run(action, "import", hashes, "--yes", "--json")[1])
    assert (done["entries"], done["proposed"]) == (2, 0)
    assert values(run, action) == [A, B]
    assert run(action, "import", hashes, "--preview")[1] == "0 new entries, 2 on the list already\n"
    assert run(action, "undo", done["batch"])[0] == 0
    assert values(run, action) == []
    code, _, err = run(action, "undo", done["batch"])
    assert code == 1
    assert "undone already" in err


def test_without_a_terminal_nothing_is_done_unless_it_is_said(run: Run, hashes: Path) -> None:
    code, _, err = run("deny", "import", hashes)
    assert code == 1
    assert "say --yes to do it" in err
    assert values(run, "deny") == []


def test_a_wrong_line_is_named_and_nothing_is_imported(run: Run, hashes: Path) -> None:
    hashes.write_text(f"{A}\nnonsense\n")
    code, _, err = run("deny", "import", hashes, "--yes")
    assert code == 1
    assert f"{hashes}:2: 'nonsense' is no SHA-256" in err
    assert values(run, "deny") == []
    assert "cannot be read" in run("deny", "import", "gone", "--yes")[2]


def test_a_roll_out_is_approved_beforehand(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "app.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.exe", b"MZ app")
        archive.writestr("readme.txt", b"hello")
    code, out, _ = run("allow", "scan", path, "--yes", "--why", "next week")
    assert code == 0
    assert "app.exe" in out
    assert values(run, "allow") == [sha256(b"MZ app").hexdigest()]
    (entry,) = json.loads(run("allow", "list", "--json")[1])
    assert entry["why"] == "next week: app.exe"


def test_a_package_without_executables_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("hello")
    code, _, err = run("allow", "scan", tmp_path / "readme.txt", "--yes")
    assert code == 1
    assert "no executable is in" in err


def test_confirming_what_was_never_proposed_is_refused(run: Run) -> None:
    code, _, err = run("deny", "confirm", "nothing")
    assert code == 1
    assert "no proposed entry" in err


def test_a_senseless_scope_is_refused(run: Run, hashes: Path) -> None:
    assert "is no scope" in run("allow", "import", hashes, "--yes", "--scope", "sites:x")[2]

"""`pratique database retain` and `forget` as they are typed: they show first, and do it when told so."""

import json
from pathlib import Path

import pytest

from api.cli import main


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Two hosts that each ran something in 2020; the database's URL."""
    monkeypatch.setenv("PRATIQUE_SERVICE_DATA", str(tmp_path / "data"))
    rows = {
        "baseline": [{"sha256": "0" * 64, "path": "C:\\Windows\\x.exe"}],
        "hosts": [{"host": f"PC{n}", "mac": f"02:00:00:00:00:0{n}", "user": "CORP\\anna"} for n in (1, 2)],
        "events": [
            {"id": f"e{n}", "t": 60.0 * n, "host": f"PC{n}", "sha256": "a" * 64, "path": "C:\\Users\\anna\\x.exe", "user": "CORP\\anna"}
            for n in (1, 2)
        ],
    }  # fmt: skip
    folder = tmp_path / "recorded"
    folder.mkdir()
    for name, lines in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    url = f"sqlite:///{tmp_path}/past.db"
    load = ["history", "load", "--events", str(folder), "--epoch", "2020-01-06T00:00+01:00", "--database", url]
    assert main(load) == 0
    capsys.readouterr()
    return url


def counted(database: str, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    capsys.readouterr()
    assert main(["database", "show", "--database", database]) == 0
    found: dict[str, int] = json.loads(capsys.readouterr().out)
    return found


def test_retain_shows_first_and_deletes_when_told_so(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["database", "retain", "--yes", "--database", database]) == 0
    assert counted(database, capsys)["executions"] == 2, "the past was told today"
    none = ["database", "retain", "--days", "executions=0", "--database", database]
    assert main(none) == 0
    assert "nothing was deleted" in capsys.readouterr().out
    assert counted(database, capsys)["executions"] == 2
    assert main([*none, "--yes"]) == 0
    after = counted(database, capsys)
    assert (after["executions"], after["host_executables"], after["audit_lines"]) == (0, 2, 2)


def test_other_days_may_be_said_once(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["database", "retain", "--yes", "--days", "executions=36500", "--days", "users=0", "--database", database])
        == 0
    )
    assert "names replaced in" in capsys.readouterr().out
    assert counted(database, capsys)["executions"] == 2
    window = ["report", "window", "--from", "2020-01-06T00:00", "--to", "2020-01-06T01:00", "--format", "json"]
    assert main([*window, "--database", database]) == 0
    told = capsys.readouterr().out
    assert "anna" not in told
    assert "user-" in told


def test_a_host_is_forgotten(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["database", "forget", "--host", "PC1", "--database", database]) == 0
    assert "say --yes" in capsys.readouterr().out
    assert main(["database", "forget", "--host", "PC1", "--yes", "--database", database]) == 0
    after = counted(database, capsys)
    assert (after["hosts"], after["executions"], after["mac_bindings"]) == (1, 1, 1)


def test_a_user_is_forgotten(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["database", "forget", "--user", "anna", "--yes", "--database", database]) == 0
    assert "the name was replaced" in capsys.readouterr().out
    assert main(["report", "spread", "a" * 64, "--format", "json", "--database", database]) == 0
    assert "anna" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["retain", "--days", "executions"], 1, "executions=90"),
        (["retain", "--days", "colour=3"], 1, "no 'colour'"),
        (["forget"], 2, "--host"),
        (["forget", "--host", "a", "--user", "b"], 2, "--host"),
        (["forget", "--host", "nobody", "--yes"], 1, "no endpoint"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    database: str, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert main(["database", *arguments, "--database", database]) == code
    assert said in capsys.readouterr().err

"""What can go wrong before the service runs."""

import os
import sys
from pathlib import Path

import pytest

from api import process
from api.cli import serve
from api.start import EXIT_CANNOT_START, CannotStart
from tests.unit.api.cli.conftest import Say


def test_a_wrong_key_in_the_file_ends_it_before_anything_is_made(say: Say, folder: Path) -> None:
    (folder / "pratique.toml").write_text('[service]\ndata = "other"\n[apii]\n')
    done = say("serve")
    assert done.code == 1
    assert 'did you mean "api"' in done.err
    assert not (folder / "other").exists()


def test_a_data_folder_that_is_a_file_is_said(say: Say, folder: Path) -> None:
    (folder / "pratique.toml").write_text('[service]\ndata = "pratique.toml"\n')
    assert "is no folder" in say("serve").err


def test_a_database_in_a_folder_that_is_not_there_is_said(say: Say, tmp_path: Path) -> None:
    done = say("serve", "--database", f"sqlite:///{tmp_path}/none/p.db")
    assert done.code == 1
    assert "does not exist" in done.err


def test_under_a_supervisor_what_cannot_start_has_its_own_exit_code(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cannot(*_: object) -> None:
        raise CannotStart("port 8443 is in use")

    monkeypatch.setattr(process, "run", cannot)
    monkeypatch.setattr("api.supervisor.die_with", lambda _: None)
    assert process.main(["api", "--config", str(folder / "pratique.toml"), "--parent", "1"]) == EXIT_CANNOT_START
    assert capsys.readouterr().err == "pratique: port 8443 is in use\n"


def test_a_process_whose_supervisor_is_gone_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from api.supervisor import die_with

    monkeypatch.setattr(sys, "platform", "elsewhere")  # no death signal for the test itself
    die_with(os.getppid())
    with pytest.raises(SystemExit):
        die_with(-1)


def test_an_interrupted_first_start_leaves_no_half_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.config import load

    database = folder / "data" / "pratique.db"
    database.unlink()

    async def interrupted(url: str) -> None:
        leave_half(Path(url.removeprefix("sqlite:///")))

    def leave_half(file: Path) -> None:
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("api.cli.database.make", interrupted)
        with pytest.raises(KeyboardInterrupt):
            serve._make_database(load(folder / "pratique.toml"))
    assert not database.exists()
    serve._make_database(load(folder / "pratique.toml"))
    assert database.stat().st_size > 1000
    assert not (folder / "data" / "pratique.db.new").exists()


@pytest.mark.parametrize("error", ["full", "unavailable", "mismatch"])
def test_a_store_that_cannot_be_used_is_one_sentence(say: Say, monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    import radius_policy.store as store
    from radius_policy.store.interface import SchemaMismatch, StoreFull, StoreUnavailable

    kinds = {
        "full": StoreFull("no space left on the disk of the database; free some"),
        "unavailable": StoreUnavailable("the database cannot be opened"),
        "mismatch": SchemaMismatch("the database is of another release; run: pratique database migrate"),
    }

    async def refuse(*_: object, **__: object) -> None:
        raise kinds[error]

    monkeypatch.setattr(store, "open_store", refuse)
    done = say("allow", "list")
    assert (done.code, done.err) == (1, f"pratique: {kinds[error]}\n")

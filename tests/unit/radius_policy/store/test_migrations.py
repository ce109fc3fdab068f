"""The drafts of migrations are what a person would check in, and their numbers are a line without gaps."""

import runpy
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from radius_policy.store import migrations
from radius_policy.store.migrations.__main__ import main, write


def test_numbers_are_a_line_without_gaps() -> None:
    revisions = migrations.revisions()
    assert revisions == tuple(f"{number:04d}" for number in range(1, len(revisions) + 1))
    for before, file in zip(
        (None, *revisions), sorted((migrations.DIRECTORY / "versions").glob("0*.py")), strict=False
    ):
        script = runpy.run_path(str(file))
        assert script["revision"] == file.name[:4]
        assert script["down_revision"] == before


def test_every_step_runs_from_an_empty_file_and_leaves_its_number(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    migrations.migrate_sqlite(str(file), 1)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(migrations.head(),)]
        strict = connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict"
        ).fetchall()
    assert {name for (name,) in strict if not name.startswith("sqlite_")} == {"alembic_version"}


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE users (something TEXT)")
        before = connection.execute("SELECT name FROM sqlite_schema").fetchall()
        with pytest.raises(sqlite3.OperationalError, match="users already exists"):
            migrations.migrate_sqlite(str(file), 1)
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == before


def test_the_first_migration_is_what_the_schema_drafts(tmp_path: Path) -> None:
    """Fails when a record was changed: run `python -m radius_policy.store.migrations` (until the first release)."""
    if migrations.head() != "0001":
        pytest.fail("0001 is history now: this test has done its work, remove it")
    draft = write(tmp_path, "All tables", anew=True)
    assert draft.read_text() == (migrations.DIRECTORY / "versions" / draft.name).read_text()


def test_a_draft_of_the_next_has_the_next_number_and_only_what_changed(tmp_path: Path) -> None:
    draft = write(tmp_path, "Ships and Ports", anew=False)
    following = f"{int(migrations.head()) + 1:04d}"
    assert draft.name == f"{following}_ships_and_ports.py"
    script = runpy.run_path(str(draft))
    assert (script["revision"], script["down_revision"]) == (following, migrations.head())
    assert "op." not in draft.read_text().partition("def upgrade")[2]


@pytest.mark.parametrize("arguments", [["new"], ["old", "words"], ["new", "a", "b"]])
def test_a_wrong_word_is_answered_with_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "python -m radius_policy.store.migrations" in capsys.readouterr().err


def test_what_can_be_migrated_is_known_without_alembic() -> None:
    assert migrations.knows(None)
    assert migrations.knows(migrations.head())
    assert not migrations.knows("9999")

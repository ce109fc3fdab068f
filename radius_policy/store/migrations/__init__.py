"""The schema's history: numbered alembic migrations, run from here, in one transaction that no other process enters.

`head()` and `knows()` read the file names alone, because alembic takes longer to import than a database to open.
A migration's file is `NNNN_words.py` and its revision `NNNN`. New ones are drafted by `__main__.py`.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

DIRECTORY: Final = Path(__file__).parent


@cache
def revisions() -> tuple[str, ...]:
    """All revisions, oldest first."""
    return tuple(sorted(file.name.partition("_")[0] for file in (DIRECTORY / "versions").glob("[0-9]*_*.py")))


def head() -> str:
    """The revision that this program needs."""
    return revisions()[-1]


def knows(revision: str | None) -> bool:
    """Whether a database of this revision can be migrated by this program."""
    return revision is None or revision in revisions()


def upgrade(connection: "Connection") -> None:
    """Bring the database of an open transaction to `head`; whoever calls holds the lock that keeps others out.

    SchemaMismatch: the database has a revision that this program does not know.
    """
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    from radius_policy.store.errors import mismatch

    scripts = ScriptDirectory.from_config(configuration(Config))

    def steps(revision: Any, _: Any) -> Any:
        found = revision[0] if revision else None
        if not knows(found):
            raise mismatch(found, head(), False, connection.engine.url.render_as_string())
        return scripts._upgrade_revs("head", revision)

    with EnvironmentContext(configuration(Config), scripts, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=True, fn=steps)
        environment.run_migrations()


def configuration(config: Any) -> Any:
    """Alembic's configuration object (`config` is its class), with our directory."""
    made = config()
    made.set_main_option("script_location", str(DIRECTORY))
    made.set_main_option("path_separator", "os")
    return made


def migrate_sqlite(path: str, busy_timeout: float) -> None:
    """Bring the file at `path` to `head`, all or nothing. sqlite3.Error where SQLite refuses."""
    import sqlite3
    from contextlib import closing

    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import StaticPool

    with closing(sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)) as driver:
        engine = create_engine("sqlite://", creator=lambda: driver, poolclass=StaticPool)
        try:
            with engine.begin() as connection:  # to the driver this says nothing yet: it would lock too late
                driver.execute("BEGIN IMMEDIATE")
                upgrade(connection)
        except DBAPIError as error:
            if isinstance(error.orig, sqlite3.Error):
                raise error.orig from error
            raise
        finally:
            engine.dispose()

"""Drafts migrations from `schema.py`; a person reads what it wrote.

python -m radius_policy.store.migrations              # before the first release: write 0001 anew, whole
python -m radius_policy.store.migrations new "words"  # after it: the next number, with what changed
"""

import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext

from radius_policy.store.columns import METADATA, TYPES
from radius_policy.store.migrations import DIRECTORY, head, migrate_sqlite, revisions

_TEMPLATE = '''"""{title}"""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down!r}

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
NUMBER: sa.Double[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
OCTETS = sa.LargeBinary()


def upgrade() -> None:{noqa}
{upgrade}
'''


def differences(database: Path) -> Any:
    """What alembic sees between the database and `schema.py`."""
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": METADATA})
        found = produce_migrations(context, METADATA).upgrade_ops
    engine.dispose()
    return found


def _type_name(what: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Types by the names that the template gives them; False leaves the rest to alembic."""
    if what != "type":
        return False
    return next((name for name, known in TYPES.items() if type(known) is type(item)), False)


def write(directory: Path, title: str, *, anew: bool) -> Path:
    """Write one migration's file into `directory`; `anew` replaces the first one."""
    with tempfile.TemporaryDirectory() as scratch:
        database = Path(scratch, "before.db")
        sqlite3.connect(database).close()
        if not anew:
            migrate_sqlite(str(database), 5.0)
        operations = differences(database)
    rendered = render_python_code(operations, render_item=_type_name)
    body = "\n".join(line for line in rendered.splitlines() if not line.lstrip().startswith("# ###"))
    number = 1 if anew else int(head()) + 1
    down = None if anew else head()
    noqa = "  # noqa: PLR0915 - every table and index by name" if body.count("op.") > 50 else ""
    file = directory / f"{number:04d}_{'_'.join(title.lower().split())}.py"
    file.write_text(_TEMPLATE.format(title=title, revision=f"{number:04d}", down=down, upgrade=body, noqa=noqa))
    for command in (("check", "--fix", "--quiet"), ("format", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *command, str(file)], check=True)
    return file


def main(arguments: list[str]) -> int:
    anew = not arguments
    if anew and len(revisions()) > 1:
        print("there are later migrations: 0001 is history now; draft the next one with: new WORDS", file=sys.stderr)
        return 2
    if not anew and (len(arguments) != 2 or arguments[0] != "new"):
        print(__doc__, file=sys.stderr)
        return 2
    print(write(DIRECTORY / "versions", "All tables" if anew else arguments[1], anew=anew))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`pratique serve`: the policy service. One process for each role, kept alive by a supervisor."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli.common import ConfigOption, DatabaseOption, configured
from api.cli.common import app as made_app
from api.config import Config
from api.start import CannotStart, data_folder

app = made_app("The policy service.")


class ServeRole(StrEnum):
    """What to run. `all` is a supervisor with one process for each of the others."""

    ALL = "all"
    API = "api"
    RADIUS = "radius"


@app.command()
def serve(
    role: Annotated[ServeRole, typer.Option(help="all, or one process alone")] = ServeRole.ALL,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Run the service until SIGTERM or Ctrl-C."""
    loaded = configured(config, database)
    data_folder(loaded.service.data)
    _make_database(loaded)
    raise typer.Exit(_keep(loaded, database) if role is ServeRole.ALL else _run(role, loaded))


def _keep(config: Config, database: str | None) -> int:
    from api.supervisor import Supervisor, commands

    options = [
        *(["--config", str(config.file.absolute())] if config.file else []),
        *(["--database", database] if database else []),
    ]
    return asyncio.run(Supervisor(commands([ServeRole.API, ServeRole.RADIUS], options)).run())


def _run(role: ServeRole, config: Config) -> int:
    from api import process

    process.run(role, config)
    return 0


def _make_database(config: Config) -> None:
    """At the first start the embedded database is made; one that is there is never migrated without being asked."""
    if not config.database.startswith("sqlite:"):
        return
    path = Path(config.database.removeprefix("sqlite:///"))
    if path.exists():
        return
    if not path.parent.is_dir():
        raise CannotStart(f"the folder {path.parent} of the database does not exist")
    from api.cli.database import make

    # Under another name until it is whole: a start that was interrupted must not leave half a database behind.
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    asyncio.run(make(f"sqlite:///{new.absolute()}"))
    new.replace(path)

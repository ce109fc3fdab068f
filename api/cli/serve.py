"""`pratique serve`: the policy service. One process for each role, kept alive by a supervisor."""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli.common import ConfigOption, DatabaseOption, Expected, configured
from api.cli.common import app as made_app
from api.config import Config
from api.start import EXIT_CANNOT_START, CannotStart, data_folder

app = made_app("The policy service.")


class ServeRole(StrEnum):
    """What to run. `all` is a supervisor with one process for each of the others."""

    ALL = "all"
    API = "api"
    RADIUS = "radius"


@app.command()
def serve(
    role: Annotated[ServeRole, typer.Option(help="all, or one process alone")] = ServeRole.ALL,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Run the service until SIGTERM or Ctrl-C."""
    if parent is None:
        code = _start(role, config, database)
    else:
        try:
            code = _start_under(parent, role, config, database)
        except Expected.families() as error:
            print(f"pratique: {error}", file=sys.stderr)
            code = EXIT_CANNOT_START
    raise typer.Exit(code)


def _start(role: ServeRole, config: Path | None, database: str | None) -> int:
    from api import logs

    loaded = configured(config, database)
    logs.configure()
    data_folder(loaded.service.data)
    _make_database(loaded)
    if role is not ServeRole.ALL:
        return _run(role, loaded)
    from api.supervisor import Supervisor, commands

    options = [
        *(["--config", str(loaded.file.absolute())] if loaded.file else []),
        *(["--database", database] if database else []),
    ]
    return asyncio.run(_supervise(Supervisor, commands([ServeRole.API, ServeRole.RADIUS], options)))


async def _supervise(kind: type, command_lines: object) -> int:
    code: int = await kind(command_lines).run()
    return code


def _start_under(parent: int, role: ServeRole, config: Path | None, database: str | None) -> int:
    from api import logs
    from api.supervisor import die_with

    die_with(parent)
    logs.configure()
    return _run(role, configured(config, database))


def _run(role: ServeRole, config: Config) -> int:
    import uvloop

    from api import main

    process = main.serve_radius if role is ServeRole.RADIUS else main.serve
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(process(config))
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

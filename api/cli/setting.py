"""`pratique setting`: the settings kept in the store, as JSON."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from api.auth.roles import Identity
from api.cli.common import ConfigOption, DatabaseOption, print_json, with_desk
from api.cli.common import app as made_app
from api.config import Config
from api.errors import Refused

if TYPE_CHECKING:
    from api.admin.deeds import Desk
    from radius_policy.store.interface import Reading

app = made_app("Settings kept in the store.")


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(help="nothing shows all")] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """What holds now, as JSON."""

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import settings

        def look(tx: "Reading") -> object:
            if name is not None:
                return settings.setting(tx, who.tenant, name)
            return {one: settings.setting(tx, who.tenant, one) for one in settings.SETTINGS}

        print_json(await desk.store.read(look))

    with_desk(config, database, deed)


@app.command("set")
def set_(
    name: Annotated[str, typer.Argument(help="which setting")],
    value: Annotated[str, typer.Argument(help="a JSON object")],
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Change one; the old value stays in the audit."""
    try:
        wanted = json.loads(value)
    except ValueError as error:
        raise Refused(f"the value is no JSON: {error}") from error

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import settings

        made = await desk.plain(lambda tx, now: settings.change_setting(tx, who, name, wanted, now=now))
        print(f"{made.name} is now version {made.version}")

    with_desk(config, database, deed)

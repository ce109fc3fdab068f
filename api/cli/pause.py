"""`pratique pause`: stop all automatic moves at once, or let them go on."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.auth.roles import Identity
from api.cli.common import ConfigOption, DatabaseOption, JsonOption, WhyOption, print_json, with_desk
from api.cli.common import app as made_app
from api.config import Config
from api.errors import Refused

if TYPE_CHECKING:
    from api.admin.deeds import Desk

app = made_app("Stop all automatic moves, or go on.")


@app.command()
def pause(
    word: Annotated[str, typer.Argument(metavar="[on|off|show]", help="on stops automatic moves")] = "on",
    why: WhyOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Stop all automatic moves (on), or let them go on (off). What is on its way already goes on."""
    if word not in ("on", "off", "show"):
        raise Refused(f'"{word}" is none of on, off, show')

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import settings

        if word != "show":
            await desk.pause(who, word == "on", why=why)
        value = await desk.store.read(lambda tx: settings.setting(tx, who.tenant, "pause"))
        if as_json:
            print_json(value)
        else:
            print("automatic moves are stopped" if value.get("paused") else "automatic moves are on")

    with_desk(config, database, deed)

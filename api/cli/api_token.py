"""`pratique api-token`: bearer tokens for programs that use the REST API."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.auth.roles import Identity, Role
from api.cli.common import (
    ConfigOption,
    DatabaseOption,
    JsonOption,
    moment,
    print_json,
    print_table,
    with_desk,
)
from api.cli.common import (
    app as made_app,
)
from api.config import Config

if TYPE_CHECKING:
    from api.admin.deeds import Desk

app = made_app("Tokens for the REST API.")

Name = Annotated[str, typer.Argument(help="what it is for; stands in the audit")]


@app.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="what it may do")] = Role.VIEWER,
    days: Annotated[int | None, typer.Option(help="how long it lives (default: until removed)")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Print a new token; it is shown once."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin.tokens import make_api_token

        secret, token = await desk.plain(lambda tx, now: make_api_token(tx, who, name, role, days=days, now=now))
        if as_json:
            print_json({"token": secret, "name": token.name, "role": token.role, "expires": token.expires})
            return
        print(secret)
        typer.echo(f"{token.name} may act as {token.role}, until {moment(token.expires, loaded)}", err=True)

    with_desk(config, database, deed)


@app.command("list")
def list_(as_json: JsonOption = False, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """All of them, without their secrets."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin.tokens import api_tokens

        found = await desk.store.read(lambda tx: api_tokens(tx, who.tenant))
        if as_json:
            print_json(
                [
                    {
                        "name": t.name,
                        "role": t.role,
                        "created": t.created,
                        "expires": t.expires,
                        "last_used": t.last_used,
                    }
                    for t in found
                ]
            )
            return
        print_table(
            ("name", "role", "since", "until", "last used"),
            (
                [t.name, t.role, moment(t.created, loaded), moment(t.expires, loaded), moment(t.last_used, loaded)]
                for t in found
            ),
            empty="there is no token",
        )

    with_desk(config, database, deed)


@app.command()
def remove(name: Name, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """It logs nobody in any more."""

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin.tokens import remove_api_token

        await desk.plain(lambda tx, now: remove_api_token(tx, who, name, now=now))
        print(f"{name} is no longer valid")

    with_desk(config, database, deed)

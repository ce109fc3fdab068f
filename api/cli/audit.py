"""`pratique audit`: who did what, and whether a line is missing or was changed."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from api.auth.roles import Identity
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
from api.errors import Refused

if TYPE_CHECKING:
    from api.admin.deeds import Desk

app = made_app("Who did what.")


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """The newest lines first."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from radius_policy.model import AuditLine

        lines = await desk.store.read(
            lambda tx: tx.find(AuditLine, tenant=who.tenant, order="number", descending=True, limit=limit)
        )
        if as_json:
            print_json([asdict(line) for line in lines])
            return
        print_table(
            ("number", "when", "who", "what", "subject"),
            ([one.number, moment(one.at, loaded), one.who, one.what, one.subject] for one in lines),
            empty="nobody did anything yet",
        )

    with_desk(config, database, deed)


@app.command()
def verify(config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """Check the chain; exit code 1 names the first line that does not fit."""

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api import audit

        broken = await desk.store.read(lambda tx: audit.verify(tx, who.tenant))
        if broken is not None:
            raise Refused(f"the audit was changed: line {broken} is missing or does not fit the one before it")
        print("every line fits the one before it")

    with_desk(config, database, deed)

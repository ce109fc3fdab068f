"""`pratique tool`: what inventoried programs are trusted to do. An inventory proposes it, a person confirms it."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.auth.roles import Identity
from api.cli.common import (
    ConfigOption,
    DatabaseOption,
    JsonOption,
    WhyOption,
    print_json,
    print_table,
    with_desk,
)
from api.cli.common import app as made_app
from api.config import Config
from radius_policy.model import ToolRole

if TYPE_CHECKING:
    from api.admin.deeds import Desk
    from radius_policy.model import Tool

app = made_app("Tool roles of inventoried programs.")
Hash = Annotated[str, typer.Argument(metavar="HASH", help="its SHA-256, or 8 or more digits of one that has a role")]


@app.command("list")
def list_(
    role: Annotated[ToolRole | None, typer.Option(help="only this role")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Programs with a role: what inventories propose, and what was confirmed."""

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import tools

        found = await desk.store.read(lambda tx: tools.tools(tx, who.tenant, role))
        if as_json:
            print_json([tools.shown(one) for one in found])
            return
        print_table(
            ("role", "name", "hash", "home", "confirmed by", "trust"),
            ([t.role, t.name, t.sha256[:16], t.home, t.author if t.confirmed else "", _trust(t)] for t in found),
            empty="no inventory proposes a tool yet; `pratique agent learn` on an endpoint sends one",
        )

    with_desk(config, database, deed)


@app.command()
def confirm(
    sha256: Hash,
    role: Annotated[ToolRole | None, typer.Option(help="the role, where another than the proposed one")] = None,
    trust: Annotated[
        str | None,
        typer.Option(
            help="of a deployment tool: proof (what it writes is proven; the default) or grace "
            "(for some hours on some hosts; recommended for tools that can be reached from outside)"
        ),
    ] = None,
    hours: Annotated[int | None, typer.Option(help="of trust grace; 72 unless told")] = None,
    max_hosts: Annotated[int | None, typer.Option(help="of trust grace; 10 unless told")] = None,
    why: WhyOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Confirm a program's role."""

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import tools

        wish = tools.ToolWish(role, trust, hours, max_hosts, why)
        made = await desk.plain(lambda tx, now: tools.confirm_tool(tx, who, sha256, wish, now=now))
        if as_json:
            print_json(tools.shown(made))
        else:
            print(
                f"{made.name} ({made.sha256[:16]}) is a {made.role} tool"
                + (f", trust {_trust(made)}" if made.trust else "")
            )

    with_desk(config, database, deed)


@app.command()
def remove(
    sha256: Hash,
    why: WhyOption = "",
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Take its role away; a later inventory may propose it again."""

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import tools

        gone = await desk.plain(lambda tx, now: tools.remove_tool(tx, who, sha256, why=why, now=now))
        print(f"{gone.name} ({gone.sha256[:16]}) is no {gone.role} tool any more")

    with_desk(config, database, deed)


def _trust(tool: "Tool") -> str:
    return f"grace: {tool.hours} h on at most {tool.max_hosts} hosts" if tool.trust == "grace" else tool.trust

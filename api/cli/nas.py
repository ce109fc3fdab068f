"""`pratique nas`: which switches, access points and controllers may ask, and where CoA goes."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from api.auth.roles import Identity
from api.cli.common import ConfigOption, DatabaseOption, JsonOption, moment, print_json, print_table, with_desk
from api.cli.common import app as made_app
from api.config import Config
from api.errors import Refused

if TYPE_CHECKING:
    from api.admin.deeds import Desk

app = made_app("Switches, access points and controllers.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="its id, for example sw-floor2")],
    address: Annotated[str, typer.Argument(help="the source address of its RADIUS packets")],
    secret: Annotated[
        str | None,
        typer.Option(
            help="shared secret; '-' reads it from stdin (seen by nobody in the process list)",
            envvar="PRATIQUE_NAS_SECRET",
        ),
    ] = None,
    profile: Annotated[str, typer.Option(help="what its make understands")] = "generic",
    coa_address: Annotated[str, typer.Option(help="where CoA goes, if not to its address")] = "",
    coa_port: Annotated[int | None, typer.Option(help="UDP port of CoA, if not the profile's")] = None,
    listener: Annotated[str, typer.Option(help="the listener that it asks")] = "default",
    site: Annotated[str, typer.Option(help="its site, whose mode decides for MACs that no endpoint proved")] = "",
    allow_unsigned: Annotated[
        bool,
        typer.Option("--allow-unsigned", help="accept Access-Requests without Message-Authenticator (BlastRADIUS!)"),
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="change one that is there")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Let a NAS ask our RADIUS server."""
    given = sys.stdin.readline().rstrip("\n") if secret == "-" else secret  # noqa: S105 - a mark, no secret
    if not given:
        raise Refused("a NAS needs its shared secret: --secret -, and the secret on stdin")

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin import nas
        from radius_policy.model import Nas

        wanted = Nas(
            who.tenant,
            name,
            address,
            given.encode(),
            listener=listener,
            profile=profile,
            coa_address=coa_address,
            coa_port=coa_port,
            require_message_authenticator=not allow_unsigned,
            site=site or loaded.site.name,
        )
        made = await desk.plain(lambda tx, now: nas.add_nas(tx, who, wanted, replace=replace, now=now))
        if as_json:
            print_json(nas.shown(made))
        else:
            print(f"{made.nas_id} at {made.address} may ask (profile {made.profile})")

    with_desk(config, database, deed)


@app.command("list")
def list_(as_json: JsonOption = False, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """All of them."""

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import nas

        found = await desk.store.read(lambda tx: nas.all_nas(tx, who.tenant))
        if as_json:
            print_json([nas.shown(one) for one in found])
            return
        print_table(
            ("id", "site", "address", "listener", "profile", "CoA to", "signed requests only"),
            ([n.nas_id, n.site, n.address, n.listener, n.profile, f"{n.coa_address or n.address}:{n.coa_port or 'profile'}", "yes" if n.require_message_authenticator else "NO"] for n in found),
            empty="no NAS may ask yet; `pratique nas add` adds one",
        )  # fmt: skip

    with_desk(config, database, deed)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="its id")],
    force: Annotated[bool, typer.Option("--force", help="although orders are open there")] = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """It may not ask any more."""

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import nas

        await desk.plain(lambda tx, now: nas.remove_nas(tx, who, name, force=force, now=now))
        print(f"{name} may not ask any more")

    with_desk(config, database, deed)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="its id")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """What its profile can do, who is connected there, and which moves are under way."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin import nas

        view = await desk.store.read(lambda tx: nas.whole_view(tx, nas.find_nas(tx, who.tenant, name)))
        if as_json:
            print_json(view)
            return
        signed = "signed requests only" if view["require_message_authenticator"] else "UNSIGNED requests too"
        print(f"{view['nas_id']} at {view['address']}, listener {view['listener']}, {signed}")
        methods = ", then ".join(f"{each['kind']} (evidence: {each['evidence']})" for each in view["methods"])
        print(f"profile {view['profile']}: {methods or 'no CoA'}")
        print_table(
            ("port", "MAC", "VLAN", "access", "last heard"),
            ([s["port"], s["mac"], s["vlan"], s["access"], moment(s["updated"], loaded)] for s in view["sessions"]),
            empty="nobody is connected there",
        )
        for order in view["orders"]:
            print(f"under way: {order}")

    with_desk(config, database, deed)


@app.command()
def trace(
    name: Annotated[str | None, typer.Argument(help="only this one; without it, all that is sent to our ports")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=86_400, help="how long to look")] = 60.0,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Show RADIUS packets as they come and go, whether they fit the shared secret, and what they say. Needs root."""
    from api.radius_process.trace import watch

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin import nas

        known = await desk.store.read(
            lambda tx: [nas.find_nas(tx, who.tenant, name)] if name else nas.all_nas(tx, who.tenant)
        )
        only = frozenset(each.address for each in known) if name else None
        for line in watch(known, loaded.radius, only=only, seconds=seconds):
            print(line, flush=True)

    with_desk(config, database, deed)

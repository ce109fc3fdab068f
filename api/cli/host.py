"""`pratique host`: endpoints listed, shown, cleared, quarantined, released, protected."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.auth.roles import Identity
from api.cli.common import (
    ConfigOption,
    DatabaseOption,
    JsonOption,
    WhyOption,
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
    from pathlib import Path

    from api.admin.deeds import Desk

app = made_app("Endpoints.")

Name = Annotated[str, typer.Argument(help="the endpoint's name, MAC address or id")]


@app.command("list")
def list_(
    site: Annotated[str | None, typer.Option(help="only this site")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 1000,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """All endpoints with posture and access."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin.hosts import hosts

        found = await desk.store.read(lambda tx: hosts(tx, who, limit=limit, site=site))
        if as_json:
            print_json(found)
            return
        print_table(
            ("name", "site", "MAC", "posture", "access", "since", "last heard"),
            ([h["name"], h["site"], h["macs"], h["posture"], h["access"], moment(h["since"], loaded), moment(h["last_evidence"], loaded)] for h in found),
            empty="no endpoint is enrolled yet; `pratique enrol-token` makes a token for the first",
        )  # fmt: skip

    with_desk(config, database, deed)


@app.command()
def show(name: Name, as_json: JsonOption = False, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """Everything decided about one endpoint, with the reasons."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin.hosts import find_host, whole_view

        view = await desk.store.read(lambda tx: whole_view(tx, find_host(tx, who.tenant, name)))
        if as_json:
            print_json(view)
            return
        _show(view, loaded)

    with_desk(config, database, deed)


def _add(word: str, help_: str) -> None:
    """A deed that needs nothing but a host and a reason."""

    @app.command(word, help=help_)
    def deed(
        name: Name,
        why: WhyOption = "",
        as_json: JsonOption = False,
        config: ConfigOption = None,
        database: DatabaseOption = None,
    ) -> None:
        _deed(word, name, as_json, config, database, why=why)


_add("clear", "You looked at it: its reasons until now end.")
_add("quarantine", "Move it to remediation until you withdraw that.")
_add("release", "Back to production until there is a new reason.")
_add("withdraw", "Take your quarantine or release back: the tables decide again.")


@app.command()
def protect(
    name: Name,
    off: Annotated[bool, typer.Option("--off", help="take it off the list again")] = False,
    why: WhyOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Put it on the never-quarantine list."""
    _deed("protect", name, as_json, config, database, on=not off, why=why)


def _deed(word: str, name: str, as_json: bool, config: "Path | None", database: str | None, **arguments: Any) -> None:
    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import hosts

        view, state = await desk.host(who, name, hosts.DEEDS[word], **arguments)
        if as_json:
            print_json(view | {"access_reason": state.access_reason.text})
            return
        print(f"{view['name']}: {view['posture']}, {view['access']} ({state.access_reason.text})")

    with_desk(config, database, deed)


def _show(view: dict[str, Any], config: Config) -> None:
    print(f"{view['name']}  {view['host_id']}  site {view['site']}  {', '.join(view['macs']) or 'no MAC'}")
    print(f"posture  {view['posture']}: {(view['posture_reason'] or {}).get('text', 'nothing was decided yet')}")
    print(f"access   {view['access']}: {(view['access_reason'] or {}).get('text', 'nothing was decided yet')}")
    print(
        f"agent    {view['agent_version'] or '–'}, {view['sensor'] or '–'}, last heard {moment(view['last_evidence'], config)}"
    )
    if view["reasons"]:
        print("\nreasons")
        print_table(
            ("since", "posture", "executable", "why"),
            ([moment(r["at"], config), r["posture"], r["key"][:16], r["reason"]["text"]] for r in view["reasons"]),
        )
    if view["sessions"]:
        print("\nsessions")
        print_table(
            ("NAS", "port", "MAC", "VLAN", "access"),
            ([s["nas"], s["port"], s["mac"], s["vlan"], s["access"]] for s in view["sessions"]),
        )
    if view["refused"]:
        print("\nrefused by the agent")
        print_table(
            ("when", "asked", "executable", "why not"),
            ([moment(r["at"], config), r["action"], r["sha256"][:16], r["reason"]] for r in view["refused"]),
        )
    if view["orders"]:
        print("\norders")
        print_table(
            ("changed", "access", "state", "NAS", "MAC"),
            ([moment(o["changed"], config), o["access"], o["state"], o["nas"], o["mac"]] for o in view["orders"]),
        )

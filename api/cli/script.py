"""`pratique script`: which scripts there are, what one would be told, and how their runs ended."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.auth.roles import Identity
from api.cli.common import ConfigOption, DatabaseOption, JsonOption, moment, print_json, print_table, with_desk
from api.cli.common import app as made_app
from api.config import Config

if TYPE_CHECKING:
    from api.admin.deeds import Desk

app = made_app("Scripts that events run: list them, show one, try what it would be told, and see how their runs ended.")
Name = Annotated[str, typer.Argument(help="a script's name, as `pratique script list` shows it")]
HostOption = Annotated[str, typer.Option("--host", help="an endpoint, by its name, MAC address or id")]


@app.command("list")
def list_(as_json: JsonOption = False, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """The scripts that the setting `scripts` configures, and those that are shipped."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.alerts import script_runs

        known = await desk.store.read(lambda reading: script_runs.settings(reading, who))
        shipped = script_runs.shipped_with()
        if as_json:
            import msgspec

            print_json({"configured": msgspec.to_builtins(known.scripts), "shipped": shipped})
            return
        print_table(
            ("script", "runs", "on", "dry run"),
            ([one.name, " ".join(one.run), one.events, "yes" if one.dry_run else "no"] for one in known.scripts),
            empty="no script is configured: pratique setting set scripts",
        )
        print_table(("shipped", "does"), shipped.items())

    with_desk(config, database, deed)


@app.command()
def show(name: Name, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """Every member of a configured script, as JSON."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        import msgspec

        from api.alerts import script_runs

        print_json(msgspec.to_builtins(await desk.store.read(lambda reading: script_runs.named(reading, who, name))))

    with_desk(config, database, deed)


@app.command("test")
def try_(name: Name, host: HostOption = "", config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """What would be started, and the JSON that it would get, for an endpoint or for none; nothing is started."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin.hosts import find_host
        from api.alerts import script_runs
        from radius_policy.store.interface import Reading

        def look(reading: Reading) -> dict[str, object]:
            return script_runs.trial(
                reading,
                script_runs.named(reading, who, name),
                find_host(reading, who.tenant, host) if host else None,
                tenant=who.tenant,
                folder=loaded.scripts.folder,
                user=loaded.scripts.user,
                now=desk.clock(),
            )

        print_json(await desk.store.read(look))

    with_desk(config, database, deed)


@app.command()
def runs(
    host: HostOption = "",
    event: Annotated[str, typer.Option("--event", help="a kind of event, or the id of one")] = "",
    script: Annotated[str, typer.Option("--script", help="of this script alone")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="at most so many, the newest first")] = 20,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """How runs ended, the newest first, with exit code and output."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin.hosts import find_host
        from api.alerts import script_runs
        from api.alerts.script_runs import Run
        from radius_policy.store.interface import Reading

        def look(reading: Reading) -> list[Run]:
            host_id = find_host(reading, who.tenant, host).host_id if host else ""
            return script_runs.runs(reading, who, host_id=host_id, event=event, script=script, limit=limit)

        found = await desk.store.read(look)
        if as_json:
            print_json([script_runs.shown(run) for run in found])
            return
        print_table(
            ("at", "script", "event", "host", "state", "exit", "output"),
            ([moment(one.ended or one.created, loaded), one.script, one.event, one.host, one.state, one.code, one.output or one.note] for one in found),
            empty="no script has run",
        )  # fmt: skip

    with_desk(config, database, deed)

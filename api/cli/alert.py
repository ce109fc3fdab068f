"""`pratique alert`: urgent alerts that wait for somebody, and trying whether a channel works."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.auth.roles import Identity
from api.cli.common import (
    ConfigOption,
    DatabaseOption,
    JsonOption,
    WhyOption,
    configured,
    moment,
    print_json,
    print_table,
    with_desk,
)
from api.cli.common import app as made_app
from api.config import Config
from api.errors import Refused

if TYPE_CHECKING:
    from api.admin.deeds import Desk
    from api.alerts.acknowledge import Matter

app = made_app("Urgent alerts: list them, say that you have one, try a channel.")


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="those too that somebody has")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Urgent alerts that nobody has acknowledged."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.alerts import acknowledge

        found = await desk.store.read(lambda reading: acknowledge.matters(reading, who, every=every))
        if as_json:
            print_json([acknowledge.shown(matter) for matter in found])
            return
        print_table(
            ("id", "since", "what", "where", "told", "who has it"),
            ([m.id[:12], moment(m.opened, loaded), f"{m.title}: {m.text}", m.host, f"{m.told}x {', '.join(m.names)}", m.by or "nobody yet"] for m in found),
            empty="no urgent alert waits for anybody",
        )  # fmt: skip

    with_desk(config, database, deed)


@app.command()
def ack(
    alert: Annotated[str, typer.Argument(help="its id, or the beginning of it")],
    why: WhyOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Say that you have it: nobody else is told of it."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.alerts import acknowledge

        done = await desk.plain(lambda tx, now: acknowledge.acknowledge(tx, who, alert, why=why, now=now))
        if as_json:
            print_json(acknowledge.shown(done))
        else:
            print(f"{_has(done, loaded)}: {done.title}{f' on {done.host}' if done.host else ''}")

    with_desk(config, database, deed)


@app.command("try")
def try_(
    channel: Annotated[str, typer.Argument(help="a channel's name; without one, all of them")] = "",
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Send a message that says that it is a trial, over one channel or all of them, and tell what came of it."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> list[str]:
        from api.alerts import settings, trial
        from radius_policy.model import Setting

        stored = await desk.store.read(lambda reading: reading.get(Setting, who.tenant, settings.SETTING))
        known = settings.channels(settings.parse(stored.value if stored else None), loaded.mail)
        if channel and channel not in known:
            raise Refused(f"there is no channel {channel}; there are {', '.join(known) or 'none'}")
        failed = []
        for name in [channel] if channel else list(known):
            took, said = await trial.send(known[name], loaded.url, who.name, desk.clock())
            print(f"{name}: {said}")
            if not took:
                failed.append(name)
        if not known:
            raise Refused("no channel is configured: set [mail] server and to, or the setting alerts")
        return failed

    configured(config, database)
    if failed := with_desk(config, database, deed):
        raise Refused(f"not taken: {', '.join(failed)}")


def _has(matter: "Matter", config: Config) -> str:
    return f"{matter.by} has it since {moment(matter.ended, config)}"

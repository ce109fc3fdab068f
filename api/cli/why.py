"""`pratique why HOST|HASH`: the chain of reasons behind a host's state or an executable's verdict, in words or JSON."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.common import ConfigOption, DatabaseOption, JsonOption, print_json, until, with_desk
from api.cli.common import app as made_app
from api.errors import Refused

if TYPE_CHECKING:
    from api.admin.deeds import Desk
    from api.auth.roles import Identity
    from api.config import Config
    from radius_policy.judgement.explain import Explanation

app = made_app("Why a host is where it is, or why an executable is judged as it is.")


@app.command()
def why(
    subject: Annotated[
        str, typer.Argument(metavar="HOST|HASH", help="a host's name or id, or an executable's SHA-256")
    ],
    at: Annotated[str, typer.Option(help="as of a moment: 2026-12-01T08:41 (the site's time zone)")] = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Print what was decided and what it follows from; for what is undecided, which rules miss it by what."""

    async def deed(desk: "Desk", who: "Identity", configured: "Config") -> "Explanation":
        from api.reports.fleet import site_zone
        from radius_policy.judgement import explain
        from radius_policy.store.interface import Reading

        now = desk.clock()

        def look(tx: Reading) -> "Explanation":
            policy = desk.policies.current(tx, who.tenant, now)
            host = explain.find_host(tx, policy, subject)
            zone = site_zone(tx, who.tenant, host.site if host is not None else "", configured.site.timezone)
            moment = until(at, configured, now, zone) if at else None
            return explain.why(tx, policy, subject, now=now, at=moment, zone=zone)

        try:
            return await desk.store.read(look)
        except explain.NothingKnown as error:
            raise Refused(str(error.args[0])) from error

    told = with_desk(config, database, deed)
    if as_json:
        print_json(told.as_json())
    else:
        print(f"{told.subject}\n{told.words()}")

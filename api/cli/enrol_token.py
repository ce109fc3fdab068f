"""`pratique enrol-token`: a one-time token that enrols one endpoint; printed once, kept nowhere."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.auth.roles import Identity
from api.cli.common import ConfigOption, DatabaseOption, JsonOption, moment, print_json, with_desk
from api.cli.common import app as made_app
from api.config import Config

if TYPE_CHECKING:
    from api.admin.deeds import Desk

app = made_app("A one-time token that enrols one endpoint.")


@app.command()
def make(
    site: Annotated[str | None, typer.Option(help="the site that the endpoint joins (default: site.name)")] = None,
    minutes: Annotated[int, typer.Option(help="how long it may be used")] = 60,
    group: Annotated[list[str] | None, typer.Option(help="a group that the endpoint joins; may be repeated")] = None,
    role: Annotated[str, typer.Option(help="the endpoint's role, for example dev, build, server")] = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Print a one-time token; on the endpoint: pratique agent enrol TOKEN."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api import tls
        from api.admin.tokens import make_enrolment_token
        from health_agent.contract import EnrolmentToken

        fingerprint = tls.fingerprint(loaded.service.data)
        secret, token = await desk.plain(
            lambda tx, now: make_enrolment_token(
                tx, who, site=site or loaded.site.name, minutes=minutes, groups=tuple(group or ()), role=role, now=now
            )
        )
        text = EnrolmentToken(loaded.url, fingerprint, secret).text()
        if as_json:
            print_json({"token": text, "site": token.site, "expires": token.expires, "url": loaded.url})
            return
        print(text)
        typer.echo(
            f"for one endpoint of {token.site}, until {moment(token.expires, loaded)}: pratique agent enrol TOKEN",
            err=True,
        )

    with_desk(config, database, deed)

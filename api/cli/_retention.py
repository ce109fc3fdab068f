"""`pratique database retain` and `forget`: what an admin in the EU must be able to do."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.common import ConfigOption, DatabaseOption, print_table, with_desk
from api.errors import Refused

if TYPE_CHECKING:
    from api.admin.deeds import Desk
    from api.auth.roles import Identity
    from api.config import Config


def add_to(app: typer.Typer) -> None:
    """Put the two commands into the word `database`."""
    app.command()(retain)
    app.command()(forget)


def retain(
    yes: Annotated[bool, typer.Option("--yes", help="do it; without it only say what would be deleted")] = False,
    days: Annotated[list[str] | None, typer.Option(help="this once other days: executions=90, users=0, ...")] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Delete what is past the days of the setting `retention`, and make pseudonyms of users. Shows first."""
    from api import retention
    from api.start import data_folder
    from radius_policy.retention import AGED, checked

    async def deed(desk: "Desk", who: "Identity", loaded: "Config") -> None:
        now = desk.clock()
        stored = await desk.store.read(lambda tx: retention.days_of(tx, who.tenant))
        try:
            wanted = checked(stored | _days(days or []))
        except ValueError as error:
            raise Refused(str(error)) from error
        counted = await retention.preview(desk.store, who.tenant, wanted, now)
        rows = [(name, wanted[name], counted[name], AGED[name].what) for name in AGED]
        print_table(("kind", "days", "past them", "what it is"), rows)
        if "users" in wanted:
            print(f"names of users become pseudonyms after {wanted['users']} days")
        if not yes:
            print("nothing was deleted; say --yes to do it")
            return
        key = retention.key_in(data_folder(loaded.service.data)) if "users" in wanted else None
        done = await retention.apply(desk.store, who.tenant, wanted, now=now, key=key, author=who.name)
        print(f"{sum(done.deleted.values())} records deleted, names replaced in {done.pseudonymised}")

    with_desk(config, database, deed)


def forget(
    host: Annotated[str, typer.Option(help="an endpoint, by id, name or MAC: all that is about it is deleted")] = "",
    user: Annotated[str, typer.Option(help="a user of endpoints: every mention becomes a pseudonym")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="do it; there is no way back")] = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Forget one endpoint, or one user of endpoints, on request."""
    from api import retention
    from api.admin.hosts import find_host
    from api.start import data_folder

    if bool(host) == bool(user):
        raise typer.BadParameter("say either --host or --user", param_hint="--host")

    async def deed(desk: "Desk", who: "Identity", loaded: "Config") -> None:
        now = desk.clock()
        found = await desk.store.read(lambda tx: find_host(tx, who.tenant, host)) if host else None
        what = f"{found.name} ({found.host_id})" if found is not None else f"the user {user}"
        if not yes:
            print(f"this forgets {what}, for good; say --yes to do it")
            return
        if found is not None:
            number = await retention.forget(desk.store, who.tenant, found, now=now, author=who.name)
            print(f"{what} is forgotten: {number} records deleted; its MAC addresses are unlisted now")
        else:
            key = retention.key_in(data_folder(loaded.service.data))
            number = await retention.forget_user(desk.store, who.tenant, user, now=now, key=key, author=who.name)
            print(f"{what} is forgotten: the name was replaced in {number} records")
        desk.rung()

    with_desk(config, database, deed)


def _days(words: list[str]) -> dict[str, int]:
    found = {}
    for word in words:
        name, equals, number = word.partition("=")
        if not equals or not number.isdecimal():
            raise Refused(f'"{word}" is no number of days: write executions=90')
        found[name] = int(number)
    return found

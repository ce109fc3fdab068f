"""`pratique user`: people who may log in to the console."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from api.auth import passwords
from api.auth.roles import Identity, Role
from api.cli.common import ConfigOption, DatabaseOption, JsonOption, print_json, print_table, with_desk
from api.cli.common import app as made_app
from api.config import Config
from api.errors import Refused

if TYPE_CHECKING:
    from api.admin.deeds import Desk

app = made_app("People who may log in.")

Name = Annotated[str, typer.Argument(help="the login name")]
OneTime = Annotated[
    bool, typer.Option("--one-time", help="print a one-time password; it must be changed at the first login")
]


@app.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="viewer sees, operator acts on hosts, admin decides")] = Role.VIEWER,
    site: Annotated[list[str] | None, typer.Option(help="rights for this site only; may be repeated")] = None,
    one_time: OneTime = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """A new person. Without --one-time the password is asked for."""
    password = passwords.one_time() if one_time else _asked()
    kept = passwords.hashed(password, name=name)

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import users

        made = await desk.plain(
            lambda tx, now: users.add_user(
                tx, who, name, role, password=kept, one_time=one_time, sites=tuple(site or ()), now=now
            )
        )
        if as_json:
            print_json({"name": made.name, "role": made.role, "one_time_password": password if one_time else None})
        else:
            print(f"{made.name} may log in as {made.role}" + (f"; one-time password: {password}" if one_time else ""))

    with_desk(config, database, deed)


@app.command()
def reset(name: Name, one_time: OneTime = False, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """A new password; all logins of that person end."""
    password = passwords.one_time() if one_time else _asked()
    kept = passwords.hashed(password, name=name)

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import users

        await desk.plain(lambda tx, now: users.reset_user(tx, who, name, password=kept, one_time=one_time, now=now))
        print(f"{name} has a new password" + (f"; one-time password: {password}" if one_time else ""))

    with_desk(config, database, deed)


@app.command()
def disable(name: Name, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """That person is logged out and stays out."""

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import users

        await desk.plain(lambda tx, now: users.disable_user(tx, who, name, now=now))
        print(f"{name} may not log in any more")

    with_desk(config, database, deed)


@app.command("list")
def list_(as_json: JsonOption = False, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """All of them."""

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import users

        found = await desk.store.read(lambda tx: users.users(tx, who.tenant))
        rows = [
            {"name": u.name, "role": u.role, "sites": list(u.sites), "one_time": u.one_time, "disabled": u.disabled}
            for u in found
        ]
        if as_json:
            print_json(rows)
            return
        print_table(
            ("name", "role", "sites", "state"),
            ([r["name"], r["role"], r["sites"] or "all", "disabled" if r["disabled"] else "one-time password" if r["one_time"] else "ok"] for r in rows),
            empty="nobody may log in yet; `pratique user add NAME --role admin --one-time` adds the first",
        )  # fmt: skip

    with_desk(config, database, deed)


def _asked() -> str:
    first, second = getpass.getpass("password: "), getpass.getpass("once more: ")
    if first != second:
        raise Refused("the two passwords differ")
    return first

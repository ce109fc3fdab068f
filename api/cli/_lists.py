"""`pratique allow` and `pratique deny`: the same commands on either list."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.auth.roles import Identity
from api.cli.common import (
    ConfigOption,
    DatabaseOption,
    JsonOption,
    WhyOption,
    app,
    moment,
    print_json,
    print_table,
    until,
    with_desk,
)
from api.config import Config
from api.errors import Refused
from radius_policy.model import ListKind, Micros

if TYPE_CHECKING:
    from api.admin.deeds import Desk

_CHUNK = 1 << 20


def commands(action: str) -> typer.Typer:
    """The commands of the `allow` or the `deny` list."""
    made = app(f"The {action} list.")
    done = {"allow": "allowed", "deny": "denied"}[action]

    @made.command()
    def add(
        value: Annotated[
            str,
            typer.Argument(
                help="SHA-256, the first 8 or more digits of a known one, or a file; with --kind another value"
            ),
        ],
        kind: Annotated[ListKind, typer.Option(help="what the value is")] = ListKind.HASH,
        scope: Annotated[str, typer.Option(help="fleet, site:NAME, group:NAME or host:ID")] = "fleet",
        why: WhyOption = "",
        ticket: Annotated[str, typer.Option(help="a ticket's number")] = "",
        expires: Annotated[str | None, typer.Option(help="12h, 7d, 2026-12-01 or 2026-12-01T08:30")] = None,
        as_json: JsonOption = False,
        config: ConfigOption = None,
        database: DatabaseOption = None,
    ) -> None:
        """Put a value on the list; whoever it touches is recomputed and moved at once."""

        async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
            from api.admin.lists import Wish, shown
            from api.admin.settle import touched

            wanted = hash_of(value) if kind in (ListKind.HASH, ListKind.CERTIFICATE) else value
            end = until(expires, loaded, desk.clock())
            entry, settled = await desk.decide(who, Wish(action, wanted, kind, scope, why, ticket, end))
            if as_json:
                print_json({"entry": shown(entry), "touched": touched(settled)})
                return
            print(
                f"{done} {entry.kind} {entry.value} for {entry.scope}"
                + (f" until {moment(end, loaded)}" if end else "")
            )
            print(f"hosts looked at: {settled.hosts}, moved: {len(settled.moved)}, released: {len(settled.released)}")

        with_desk(config, database, deed)

    @made.command()
    def remove(
        value: Annotated[str, typer.Argument(help="the entry's id, or its value, hash, file")],
        as_json: JsonOption = False,
        config: ConfigOption = None,
        database: DatabaseOption = None,
    ) -> None:
        """Take a value off the list; whoever it touches is recomputed."""

        async def deed(desk: "Desk", who: Identity, _: Config) -> None:
            from api.admin.lists import shown
            from api.admin.settle import touched

            removed, settled = await desk.withdraw(who, action, hash_of(value))
            if as_json:
                print_json({"removed": [shown(entry) for entry in removed], "touched": touched(settled)})
                return
            for entry in removed:
                print(f"no longer {done}: {entry.kind} {entry.value} for {entry.scope}")
            print(f"hosts looked at: {settled.hosts}, moved: {len(settled.moved)}, released: {len(settled.released)}")

        with_desk(config, database, deed)

    @made.command("list")
    def list_(
        limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
        inventory: Annotated[bool, typer.Option("--inventory", help="also lines that nobody confirmed")] = False,
        as_json: JsonOption = False,
        config: ConfigOption = None,
        database: DatabaseOption = None,
    ) -> None:
        """Show the list, newest first."""

        async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
            from api.admin.lists import entries, shown

            found = await desk.store.read(lambda tx: entries(tx, who.tenant, action, limit=limit, inventory=inventory))
            if as_json:
                print_json([shown(entry) for entry in found])
                return
            print_table(
                ("kind", "value", "scope", "by", "why", "since", "until"),
                (
                    [e.kind, e.value, e.scope, e.author, e.why, _at(e.created, loaded), _at(e.expires, loaded)]
                    for e in found
                ),
                empty=f"the {action} list is empty",
            )

        with_desk(config, database, deed)

    return made


def hash_of(text: str) -> str:
    """The SHA-256 of a file, where `text` names one; else `text`. Raises Refused for a file that cannot be read."""
    path = Path(text)
    try:
        if not path.is_file():
            return text
        with path.open("rb") as file:
            digest = hashlib.sha256()
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise Refused(f"{text} cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def _at(at: Micros | None, config: Config) -> Any:
    return moment(at, config)

"""`pratique allow|deny import, undo` and `allow scan`, `deny confirm`: many entries as one deed, with a preview."""

import sys
from pathlib import Path
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
    until,
    with_desk,
)
from api.config import Config
from api.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from api.admin.deeds import Desk
    from api.admin.settle import Settled
    from radius_policy.judgement.imports import Imported, Planned
    from radius_policy.lists.sources import Entry

YesOption = Annotated[bool, typer.Option("--yes", help="do it without asking")]
DryOption = Annotated[bool, typer.Option("--preview", help="only show what it would do")]
ScopeOption = Annotated[str, typer.Option(help="fleet, site:NAME, group:NAME or host:ID")]
ExpiresOption = Annotated[str | None, typer.Option(help="12h, 7d, 2026-12-01 or 2026-12-01T08:30")]
_MOST_SHOWN = 20


def register(made: typer.Typer, action: str) -> None:
    """Add the commands to the app of one list."""

    @made.command("import")
    def import_(
        file: Annotated[
            Path, typer.Argument(help="hash list, CSV, LOLDrivers JSON, NSRL SQLite, `rpm --dump`; also gzipped")
        ],
        why: WhyOption = "",
        scope: ScopeOption = "fleet",
        expires: ExpiresOption = None,
        yes: YesOption = False,
        preview: DryOption = False,
        as_json: JsonOption = False,
        config: ConfigOption = None,
        database: DatabaseOption = None,
    ) -> None:
        """Put every hash of a file on the list, or none: each line is checked first, and the batch can be undone."""
        from radius_policy.lists.sources import SourceError, whole

        try:
            lines = whole(file, lambda count: print(f"{count} lines read", file=sys.stderr))
        except SourceError as error:
            raise Refused(str(error)) from error
        except OSError as error:
            raise Refused(f"{file} cannot be read: {error.strerror or error}") from error
        _batch(action, lines, why or file.name, scope, expires, yes, preview, as_json, config, database)

    @made.command()
    def undo(
        batch: Annotated[str, typer.Argument(help="the batch that the import named")],
        as_json: JsonOption = False,
        config: ConfigOption = None,
        database: DatabaseOption = None,
    ) -> None:
        """Take a whole import back; whoever it touches is recomputed."""

        from api.admin import batches

        with_desk(config, database, lambda desk, who, _: _told(batches.undo(desk, who, batch), "taken back", as_json))

    if action == "allow":
        made.command()(scan)
    else:
        made.command()(confirm)


def scan(
    path: Annotated[Path, typer.Argument(help="a deb, rpm, msi or zip, a single file or a folder")],
    why: WhyOption = "",
    scope: ScopeOption = "fleet",
    expires: ExpiresOption = None,
    yes: YesOption = False,
    preview: DryOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Approve a coming roll-out: list the executables in it, then allow their hashes."""
    from radius_policy.lists.scan import ScanError
    from radius_policy.lists.scan import scan as look_into
    from radius_policy.lists.sources import Entry

    try:
        found = look_into(path)
    except ScanError as error:
        raise Refused(str(error)) from error
    if not found:
        raise Refused(f"no executable is in {path}")
    if not as_json:
        print_table(("kind", "size", "sha256", "path"), ([f.kind, f.size, f.sha256, f.path] for f in found))
    lines = [Entry(number, each.sha256, each.path) for number, each in enumerate(found, 1)]
    _batch("allow", lines, why or f"scan of {path.name}", scope, expires, yes, preview, as_json, config, database)


def confirm(
    entry: Annotated[str, typer.Argument(help="the id of a proposed entry")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Confirm a wide deny that an import only proposed: from now on it decides."""

    from api.admin import batches

    with_desk(config, database, lambda desk, who, _: _told(batches.confirm(desk, who, entry), "confirmed", as_json))


def _batch(
    action: str,
    lines: "list[Entry]",
    why: str,
    scope: str,
    expires: str | None,
    yes: bool,
    preview: bool,
    as_json: bool,
    config: Path | None,
    database: str | None,
) -> None:
    from radius_policy.grace.rules import scope_is_known

    if not scope_is_known(scope):
        raise Refused(f'"{scope}" is no scope: fleet, site:NAME, group:NAME or host:ID')

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin import batches

        end = until(expires, loaded, desk.clock())
        planned = await batches.preview(desk, who, batches.Batch(action, lines, why, scope, end))
        if preview or not as_json:
            _show(planned, as_json=as_json)
        if preview:
            return
        if not planned.entries and not planned.proposed:
            print("nothing to do", file=sys.stderr)
            return
        if not yes and not (sys.stdin.isatty() and typer.confirm(f"put them on the {action} list?")):
            raise Refused("nothing was done; say --yes to do it")
        await _told(batches.carry_out(desk, who, planned, action), "put on the list", as_json)

    with_desk(config, database, deed)


def _show(planned: "Planned", *, as_json: bool) -> None:
    if as_json:
        proposed = [{"id": entry.id, "value": entry.value, "why_wide": why} for entry, why in planned.proposed]
        print_json({"entries": len(planned.entries), "already": planned.already, "proposed": proposed})
        return
    print(f"{len(planned.entries)} new entries, {planned.already} on the list already")
    if planned.proposed:
        print(f"{len(planned.proposed)} are wide and are only proposed; confirm them with: pratique deny confirm ID")
        rows = ([entry.id, entry.value, why] for entry, why in planned.proposed[:_MOST_SHOWN])
        print_table(("id", "sha256", "why"), rows)
        if len(planned.proposed) > _MOST_SHOWN:
            print(f"… and {len(planned.proposed) - _MOST_SHOWN} more (--json shows all)")


async def _told(doing: "Awaitable[tuple[Imported, Settled]]", word: str, as_json: bool) -> None:
    """Wait for it, then say what it did."""
    done, settled = await doing
    if as_json:
        from api.admin.settle import touched

        print_json(
            {"batch": done.batch, "entries": done.entries, "proposed": done.proposed, "touched": touched(settled)}
        )
        return
    print(f"{done.entries} entries {word}, batch {done.batch or '–'}")
    print(f"hosts looked at: {settled.hosts}, moved: {len(settled.moved)}, released: {len(settled.released)}")

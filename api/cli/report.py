"""`pratique report`: what was new on a day, who ran it at a time, how it spread. Exit code 0 whatever is found."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from api.admin.errors import NotFound, Refused
from api.cli.common import ConfigOption, DatabaseOption, with_desk
from api.cli.common import app as made_app

if TYPE_CHECKING:
    from api.admin.deeds import Desk
    from api.auth.roles import Identity
    from api.config import Config
    from api.reports.render import Report
    from api.reports.values import Scope, WindowReport
    from radius_policy.store.interface import Reading

R = TypeVar("R")
app = made_app("Reports.")


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


FormatOption = Annotated[Format, typer.Option("--format", help="table, csv, json or html (one file, with pictures)")]
SiteOption = Annotated[str, typer.Option("--site", help="this site alone, in its time zone")]


@app.command()
def day(
    date: Annotated[str, typer.Argument(help="the day, as 2026-11-21")],
    site: SiteOption = "",
    format_: FormatOption = Format.TABLE,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Executables whose first execution in the fleet was on this day; separate, those new on a host."""
    from api.reports.day import day_report
    from api.reports.moments import day_of

    _show(
        lambda reading, who, scope, now: day_report(reading, who.tenant, day_of(date), scope, now=now),
        site, format_, config, database,
    )  # fmt: skip


@app.command()
def spread(
    executable: Annotated[str, typer.Argument(metavar="HASH", help="its SHA-256, or the beginning of it")],
    site: SiteOption = "",
    format_: FormatOption = Format.TABLE,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Who ran an executable first, from where, and how it went on."""
    from api.admin.lists import resolve_hash
    from api.reports.spread import spread_report

    _show(
        lambda reading, who, scope, now: spread_report(
            reading, who.tenant, resolve_hash(reading, who.tenant, executable), scope, now=now
        ),
        site, format_, config, database,
    )  # fmt: skip


@app.command()
def window(
    begin: Annotated[str, typer.Option("--from", help="2026-11-21T08:30; without an offset by the site's clock")] = "",
    end: Annotated[str, typer.Option("--to", help="the same; both moments belong to the window")] = "",
    site: SiteOption = "",
    format_: FormatOption = Format.TABLE,
    from_notes: Annotated[
        Path | None,
        typer.Option(help="a folder of ransom notes, or a CSV list of their times, instead of --from and --to"),
    ] = None,
    notes_name: Annotated[str, typer.Option(help="which files in the folder are notes, as '*DECRYPT*'")] = "*",
    server_offset: Annotated[
        str, typer.Option(help="what to add to the file server's clock to get the true time: +90, -1:30, 2min")
    ] = "0",
    quarantine: Annotated[bool, typer.Option("--quarantine", help="quarantine exactly these: shows whom")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --quarantine: do it")] = False,
    why: Annotated[str, typer.Option("--why", help="why, for the audit")] = "",
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Hosts on which something not allowed at that time was running, first patient first."""
    from api.reports import notes
    from api.reports.moments import begin_of, end_of
    from api.reports.render import render
    from api.reports.window import window_report

    if from_notes is None and not (begin and end):
        raise typer.BadParameter("say --from and --to, or --from-notes", param_hint="--from")
    if from_notes is not None and (begin or end):
        raise typer.BadParameter(
            "the notes say from when to when: leave --from and --to out", param_hint="--from-notes"
        )

    def work(reading: "Reading", who: "Identity", scope: "Scope", now: int) -> "WindowReport":
        if from_notes is None:
            return window_report(reading, who.tenant, begin_of(begin, scope.zone), end_of(end, scope.zone), scope)
        found = notes.read(from_notes, scope.zone, notes_name)
        first, last = found.window(notes.offset(server_offset))
        made = f"{found.number} notes in {from_notes}, the server's clock corrected by {server_offset}"
        return window_report(reading, who.tenant, first, last, scope, notes=made)

    report = _made(work, site, config, database)
    sys.stdout.write(render(report, format_))
    if quarantine:
        _quarantine([each.host_id for each in report.hosts], yes, why or _why(report), config, database)


def _why(report: "WindowReport") -> str:
    from api.reports.render.table import heading

    return heading(report)


def _quarantine(host_ids: list[str], yes: bool, why: str, config: Path | None, database: str | None) -> None:
    """Say on stderr whom it would be, and do it when told so."""
    from api.reports import exactly

    async def deed(desk: "Desk", who: "Identity", _: "Config") -> None:
        for each in await desk.store.read(lambda tx: exactly.preview(tx, who, host_ids)):
            said = (
                f"stays: {each.why_not}" if each.why_not else "would be quarantined" if not yes else "to be quarantined"
            )
            print(f"{each.host}: {said}", file=sys.stderr)
        if not yes:
            print("nothing was done; say --yes to quarantine exactly these", file=sys.stderr)
            return
        done = await exactly.carry_out(desk, who, host_ids, why=why)
        print(f"{len(done.quarantined)} quarantined, {len(done.stayed)} not", file=sys.stderr)
        for host, reason in done.stayed:
            print(f"{host} stays: {reason}", file=sys.stderr)

    with_desk(config, database, deed)


def _show(
    work: "Callable[[Reading, Identity, Scope, int], Report]",
    site: str,
    format_: Format,
    config: Path | None,
    database: str | None,
) -> None:
    from api.reports.render import render

    sys.stdout.write(render(_made(work, site, config, database), format_))


def _made(
    work: "Callable[[Reading, Identity, Scope, int], R]", site: str, config: Path | None, database: str | None
) -> "R":
    """The report that `work` reads, in the scope of the site. Raises Refused with a sentence."""
    from api.reports.fleet import site_zone
    from api.reports.moments import NoMoment
    from api.reports.notes import NoNotes
    from api.reports.spread import NeverRan
    from api.reports.values import Scope

    async def deed(desk: "Desk", who: "Identity", loaded: "Config") -> R:
        now = desk.clock()

        def look(reading: "Reading") -> R:
            zone = site_zone(reading, who.tenant, site, loaded.site.timezone)
            return work(reading, who, Scope(site, zone), now)

        return await desk.store.read(look)

    try:
        return with_desk(config, database, deed)
    except (NoMoment, NoNotes) as error:
        raise Refused(str(error)) from error
    except NeverRan as error:
        raise NotFound(str(error)) from error

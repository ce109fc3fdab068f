"""`pratique report`: what was new on a day, who ran it at a time, how it spread. Exit code 0 whatever is found."""

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from api.cli.common import ConfigOption, DatabaseOption, with_desk
from api.cli.common import app as made_app
from api.errors import NotFound, Refused

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
    from api.admin import exactly

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


@app.command()
def evidence(
    begin: Annotated[str, typer.Option("--from", help="2026-11-21T08:30; without an offset by the site's clock")],
    end: Annotated[str, typer.Option("--to", help="the same; both moments belong to the window")],
    out: Annotated[Path, typer.Option("--out", help="the bundle to write: a ZIP file that is not there yet")],
    site: SiteOption = "",
    about: Annotated[str, typer.Option(help="what the incident is called: stands in the manifest")] = "",
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """A signed bundle for an incident: the window's report, its records, the decisions and the audit."""
    from api.reports import evidence as bundle
    from api.reports.moments import begin_of, end_of
    from api.reports.window import window_report

    def work(reading: "Reading", who: "Identity", scope: "Scope", now: int) -> "tuple[WindowReport, dict[str, bytes]]":
        report = window_report(reading, who.tenant, begin_of(begin, scope.zone), end_of(end, scope.zone), scope)
        return report, bundle.collect(reading, who.tenant, report)

    report, files = _made(work, site, config, database)

    async def deed(desk: "Desk", who: "Identity", loaded: "Config") -> str:
        from api import audit
        from api.start import data_folder

        now = desk.clock()
        key = bundle.key_in(data_folder(loaded.service.data))
        octets = bundle.pack(files, key, now=now, author=who.name, about=about, zone=report.scope.zone)
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(octets)
        digest = bundle.fingerprint(key.public_key())
        detail = {"from": report.begin, "to": report.end, "hosts": len(report.hosts), "about": about, "key": digest}
        await desk.plain(
            lambda tx, _: audit.append(
                tx, who.tenant, at=now, who=who.name, what="report.evidence", subject=out.name, detail=detail
            )
        )
        return digest

    try:
        digest = with_desk(config, database, deed)
    except OSError as error:
        raise Refused(f"{out}: {error.strerror or error}; --out names a new file") from error
    print(f"{out}: {len(report.hosts)} hosts, {len(files)} files, signed by the key {digest}")


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="a bundle that `report evidence` wrote")],
    key: Annotated[str, typer.Option(help="the fingerprint that the signing key must have")] = "",
) -> None:
    """Check a bundle: every file is what was signed. Without --key it says by which key."""
    from api.reports import evidence

    try:
        found = evidence.verify(bundle, key or None)
    except evidence.BadBundle as error:
        raise Refused(f"{bundle.name} does not hold: {error}") from error
    print(f"{bundle.name} holds: {len(found.manifest['files'])} files, made {found.manifest['made']}")
    print(f"by {found.manifest['author']}, signed by the key {found.fingerprint}")
    if not key:
        print("compare the key with the one that the service's log or audit names, or say --key", file=sys.stderr)


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

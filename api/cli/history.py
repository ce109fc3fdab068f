"""`pratique history load`: a recorded past, judged as if it had happened here, to look at with the reports."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.common import ConfigOption, DatabaseOption, configured, print_json
from api.cli.common import app as made_app
from api.errors import Refused

if TYPE_CHECKING:
    from radius_policy.rehearsal.recorded.loading import Loaded, Source

app = made_app("Recorded process starts.")


@app.callback()
def history() -> None:
    """Recorded process starts."""


@app.command()
def load(
    events: Annotated[
        Path,
        typer.Option(help="a folder: hosts, baseline and events .jsonl; or logs: *.evtx, *.jsonl (ECS), audit*.log"),
    ],
    epoch: Annotated[
        str,
        typer.Option(
            help="when t = 0 was, with its offset from UTC, which becomes the site's: 2026-11-16T00:00:00+01:00"
        ),
    ] = "1970-01-01T00:00:00+00:00",
    mode: Annotated[str, typer.Option(help="learn, monitor or enforce")] = "monitor",
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Take recorded starts into the database, which is made if it is not there. Loading again records nothing twice."""
    loaded = configured(config, database)
    done = asyncio.run(_load(loaded.database, events, _moment(epoch), mode, loaded.service.tenant))
    print_json(done.as_json())


async def _load(url: str, events: Path, epoch: datetime, mode: str, tenant: int) -> "Loaded":
    from api.start import now_us
    from radius_policy.model import Mode, TenantId
    from radius_policy.rehearsal.history import HistoryError
    from radius_policy.rehearsal.recorded import loading
    from radius_policy.store import open_store
    from radius_policy.zones import micros, offset_name

    try:
        chosen, zone = Mode(mode), offset_name(epoch)
    except ValueError as error:
        raise Refused(str(error)) from error

    def progress(done: int) -> None:
        print(f"\r{done} starts", end="", file=sys.stderr, flush=True)

    try:
        source = _source(events, micros(epoch))
        store = await open_store(url, migrate=True)
        try:
            done = await loading.load(
                store, source, zone=zone, received=now_us(), mode=chosen, tenant=TenantId(tenant), progress=progress
            )
        finally:
            await store.close()
    except (HistoryError, loading.NotHere) as error:
        raise Refused(str(error)) from error
    print(f"\r{done.starts} starts in {done.seconds} s", file=sys.stderr)
    return done


def _source(events: Path, epoch: int) -> "Source":
    from radius_policy.model import Operation
    from radius_policy.rehearsal.recorded.reading import source

    return source(events, Operation.NOTIFY, epoch)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Refused(f'"{text}" is no time: write it as 2026-11-16T00:00:00+01:00') from error
    if moment.tzinfo is None:
        raise Refused(f'"{text}" says no offset from UTC: write it as {text.strip()}+01:00')
    return moment

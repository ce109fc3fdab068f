"""What all commands share: opening the store, who is asking, times as people write them, tables and JSON."""

import asyncio
import getpass
import json
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

import typer

from api.auth.roles import Identity, local
from api.config import Config, load
from api.errors import Refused
from radius_policy.model import SECOND, Micros, Setting, TenantId

if TYPE_CHECKING:
    from api.admin.deeds import Desk
    from radius_policy.judgement.policy import PolicyCache
    from radius_policy.lists.index import Reference
    from radius_policy.store.interface import Store

T = TypeVar("T")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="the configuration file (default: PRATIQUE_CONFIG, ./pratique.toml, /etc/pratique/pratique.toml)",
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option("--database", envvar="PRATIQUE_DATABASE", help="the database's URL, instead of the configuration's"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]
WhyOption = Annotated[str, typer.Option("--why", "--reason", help="why, for the audit and the console")]

_SPAN: Final = re.compile(r"(\d+)([mhdw])")
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def app(help_: str) -> typer.Typer:
    """A typer app as all words use it."""
    return typer.Typer(
        help=help_, no_args_is_help=False, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
    )


def configured(config: Path | None, database: str | None = None) -> Config:
    """The configuration, with another database when one is named."""
    return load(config, database=database)


def with_desk(config: Path | None, database: str | None, deed: "Callable[[Desk, Identity, Config], Awaitable[T]]") -> T:
    """Open the store, do the deed as the local admin, ring the bells of the running service, close."""
    loaded = configured(config, database)

    async def run() -> T:
        from api.admin.deeds import Desk
        from api.start import now_us
        from radius_policy.store import open_store
        from radius_policy.store.doorbell import Doorbell

        store = await open_store(loaded.database)
        bell = Doorbell()
        sets: tuple[Reference, ...] = ()

        def rung() -> None:
            for path in loaded.bells:
                bell.ring(path)  # nobody there: the service is not running, and looks when it starts

        def policies() -> "PolicyCache":
            from radius_policy.judgement.policy import PolicyCache

            return PolicyCache(sets)

        try:
            sets = await _attached(store, loaded)
            return await deed(Desk(store, policies, now_us, rung), whoami(loaded), loaded)
        finally:
            bell.close()
            await store.close()

    return asyncio.run(run())


async def _attached(store: "Store", config: Config) -> "tuple[Reference, ...]":
    """The reference sets that the service judges by too; a lost one is told, and the others count."""
    tenant = TenantId(config.service.tenant)
    setting = await store.read(lambda tx: tx.get(Setting, tenant, "reference_sets"))
    if setting is None or not setting.value.get("sets"):
        return ()
    from api.references import attached_in

    attached = attached_in(config.service.data)
    try:
        sets = attached.follow(setting.value)
    except ValueError as error:
        raise Refused(str(error)) from error
    for name, why in attached.broken.items():
        print(f"pratique: the reference set {name} cannot be used: {why}", file=sys.stderr)
    return sets


def whoami(config: Config) -> Identity:
    """The local admin, named by the login of the shell."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):  # no such user in a container: the number says enough
        import os

        login = f"uid{os.getuid()}"
    return local(login, TenantId(config.service.tenant))


def until(text: str | None, config: Config, now: Micros, zone: ZoneInfo | None = None) -> Micros | None:
    """`12h`, `7d`, `2026-12-01` or `2026-12-01T08:30` (in `zone`, else the configured one) as microseconds. Raises Refused."""
    if not text:
        return None
    if span := _SPAN.fullmatch(text.strip()):
        return now + int(span[1]) * _SECONDS[span[2]] * SECOND
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Refused(f'"{text}" is no time: write 12h, 7d, 2026-12-01 or 2026-12-01T08:30') from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone or ZoneInfo(config.site.timezone))
    return int(moment.timestamp() * SECOND)


def moment(at: Micros | None, config: Config) -> str:
    """A time for people, in the site's zone."""
    if not at:
        return "–"
    return (
        datetime.fromtimestamp(at / SECOND, UTC)
        .astimezone(ZoneInfo(config.site.timezone))
        .strftime("%Y-%m-%d %H:%M:%S")
    )


def print_json(value: Any) -> None:
    """One JSON value on stdout."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    print()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str = "nothing") -> None:
    """A table on stdout; `empty` where there are no rows. Cells are plain text: nothing in them is markup.

    In a pipe the columns are separated by a tab and nothing is cut, folded or padded.
    """
    lines = [[_cell(cell) for cell in row] for row in rows]
    if not lines:
        print(empty)
        return
    if not sys.stdout.isatty():
        for line in (columns, *lines):
            print("\t".join(line))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    Console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "".join(char if char.isprintable() else "�" for char in str(value))

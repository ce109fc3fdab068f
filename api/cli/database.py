"""`pratique database`: made, brought to this release's schema, or looked at."""

import asyncio
from typing import Any

from api.cli import _retention
from api.cli.common import ConfigOption, DatabaseOption, configured, print_json
from api.cli.common import app as made_app

app = made_app("The database.")
_retention.add_to(app)


@app.command()
def migrate(config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """Make it, or bring it to this release's schema. Stop the service before, and have a backup."""
    loaded = configured(config, database)
    asyncio.run(
        _migrate(loaded.database, make_folder=not loaded.service.database and not database, data=loaded.service.data)
    )
    print("the database is of this release")


@app.command()
def show(config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """How many records of each kind it has, as JSON."""
    from radius_policy.model import TenantId

    loaded = configured(config, database)
    print_json(asyncio.run(_count(loaded.database, TenantId(loaded.service.tenant))))


async def _migrate(url: str, *, make_folder: bool, data: Any) -> None:
    from api.start import data_folder

    if make_folder:
        data_folder(data)
    await make(url)


async def make(url: str) -> None:
    """Make or migrate the schema at `url`."""
    from radius_policy.store import open_store

    await (await open_store(url, migrate=True)).close()


async def _count(url: str, tenant: Any) -> dict[str, int]:
    from radius_policy.store import open_store
    from radius_policy.store.schema import RECORDS

    store = await open_store(url)
    try:
        return await store.read(
            lambda tx: {kind.table: tx.count(kind.kind, tenant=tenant) for kind in RECORDS.values()}
        )
    finally:
        await store.close()

"""Retention at work: what is past its days is deleted in short works, users become pseudonyms, one host or user is forgotten.

Guarantees: what was done is counted and stands in the audit; the service goes on meanwhile, because no work is long. The
key of the pseudonyms is a file in the data folder, for its owner alone: without it nobody can tell whose name it was.
"""

import asyncio
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from api import audit
from api.logs import logger
from radius_policy.model import Host, HostId, Micros, Setting, TenantId
from radius_policy.retention import AGED, DAY, Pseudonyms, checked, forget_host, prune, pseudonymise
from radius_policy.store.interface import Reading, Store, Tx

if TYPE_CHECKING:
    from api.service import Service

EVERY_S: Final = 6 * 3600.0
SETTING: Final = "retention"
KEY_FILE: Final = "pseudonym.key"


@dataclass(slots=True)
class Kept:
    """What a run did: records deleted by kind, and records in which names became pseudonyms."""

    deleted: dict[str, int] = field(default_factory=dict)
    pseudonymised: int = 0

    @property
    def nothing(self) -> bool:
        return not self.pseudonymised and not any(self.deleted.values())


def days_of(reading: Reading, tenant: TenantId) -> dict[str, int]:
    """The days by kind that hold now."""
    stored = reading.get(Setting, tenant, SETTING)
    return checked(stored.value if stored is not None else {})


async def preview(store: Store, tenant: TenantId, days: dict[str, int], now: Micros) -> dict[str, int]:
    """How many records of each kind `apply` would delete."""

    def count(tx: Reading) -> dict[str, int]:
        found = {}
        for name, aged in AGED.items():
            equals: dict[str, Any] = dict(aged.only or {})
            before = now - days[name] * DAY
            found[name] = len(
                tx.pick(aged.kind, (aged.field,), tenant=tenant, order=aged.field, before=before, **equals)
            )
        return found

    return await store.read(count)


async def apply(
    store: Store, tenant: TenantId, days: dict[str, int], *, now: Micros, key: bytes | None, author: str
) -> Kept:
    """Delete what is past its days. `key` makes pseudonyms where `days` has `users`; None: leave names as they are."""
    done = Kept()
    for name in AGED:
        before = now - days[name] * DAY
        done.deleted[name] = 0
        while number := await store.write(lambda tx: _prune(tx, tenant, name, before)):  # noqa: B023 - run at once
            done.deleted[name] += number
    if key is not None and "users" in days:
        young = now - days["users"] * DAY if days["users"] else None
        done.pseudonymised = await _names(store, tenant, Pseudonyms(key), young)
    if not done.nothing:
        detail = {
            "deleted": {name: number for name, number in done.deleted.items() if number},
            "names": done.pseudonymised,
        }
        await store.write(
            lambda tx: audit.append(tx, tenant, at=now, who=author, what="retention.apply", subject="*", detail=detail)
        )
    return done


def _prune(tx: Tx, tenant: TenantId, name: str, before: Micros) -> int:
    return audit.prune(tx, tenant, before) if name == "audit" else prune(tx, tenant, name, before)


async def _names(store: Store, tenant: TenantId, names: Pseudonyms, before: Micros | None) -> int:
    total = 0
    position: tuple[str, str] = ("", "")
    while True:
        number, following = await store.write(
            lambda tx: pseudonymise(tx, tenant, names, before=before, after=position)  # noqa: B023 - run at once
        )
        total += number
        if following is None:
            return total
        position = following


async def forget_user(store: Store, tenant: TenantId, user: str, *, now: Micros, key: bytes, author: str) -> int:
    """Every mention of a user of endpoints becomes a pseudonym, whatever its age; in how many records."""
    names = Pseudonyms(key, user)
    total = await _names(store, tenant, names, None)
    detail = {"records": total}
    await store.write(
        lambda tx: audit.append(
            tx, tenant, at=now, who=author, what="retention.forget-user", subject=names.of(user), detail=detail
        )
    )
    return total


async def forget(store: Store, tenant: TenantId, host: Host, *, now: Micros, author: str) -> int:
    """Delete a host and all that is about it; how many records."""
    total = 0
    while number := await store.write(lambda tx: forget_host(tx, tenant, HostId(host.host_id))):
        total += number
    detail = {"records": total}
    await store.write(
        lambda tx: audit.append(
            tx, tenant, at=now, who=author, what="retention.forget-host", subject=host.host_id, detail=detail
        )
    )
    return total


def key_in(folder: Path) -> bytes:
    """The key of the pseudonyms, made when first needed. OSError where it cannot be read or written."""
    path = folder / KEY_FILE
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
    except FileExistsError:
        pass  # it was made before
    key = path.read_bytes()
    if len(key) != 32:
        raise OSError(f"{path} is no key of 32 octets")
    return key


async def watch(service: "Service") -> None:
    """In a running service: a few times a day."""
    while True:
        days = await service.store.read(lambda tx: days_of(tx, service.tenant))
        key = key_in(service.config.service.data) if "users" in days else None
        done = await apply(service.store, service.tenant, days, now=service.clock(), key=key, author=SETTING)
        if not done.nothing:
            logger(__name__).info("retention", deleted=done.deleted, pseudonymised=done.pseudonymised)
        await asyncio.sleep(EVERY_S)

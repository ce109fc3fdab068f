"""The office of the how-to pages: an installation with a database of its own, in which yesterday morning happened.

Yesterday at 08:41 PC-0042 started a program that nobody knows, was moved into remediation, and the switch proved it;
at 09:05 PC-0017 started what a package manager had just installed. All by the service's own functions.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from api import tls
from radius_policy import judgement
from radius_policy.judgement.policy import Policy
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    Access,
    Execution,
    Host,
    HostId,
    ListEntry,
    ListKind,
    Mac,
    MacBinding,
    Micros,
    Nas,
    Order,
    OrderState,
    ParentRef,
    Session,
    Setting,
    Sha256,
)
from radius_policy.store import open_store
from radius_policy.store.interface import Tx

T = DEFAULT_TENANT
ZONE = ZoneInfo("Europe/Berlin")
DAY = "2026-11-24"
"""The day as the pages write it; `yesterday` is the day it stands for."""
PEOPLE = {"PC-0017": ("anna", 17), "PC-0042": ("ben", 42), "PC-0104": ("carla", 104)}
CONFIG = '[service]\ndata = "data"\n[api]\nnames = ["nac.example.org"]\n[site]\nname = "main"\n'


def yesterday() -> str:
    return (datetime.now(ZONE) - timedelta(days=1)).date().isoformat()


def clock(text: str) -> Micros:
    """Yesterday at this time of day."""
    moment = datetime.combine(datetime.fromisoformat(yesterday()), time.fromisoformat(text), ZONE)
    return int(moment.timestamp() * SECOND)


def program(name: str) -> Sha256:
    return Sha256(sha256(name.encode()).hexdigest())


INVOICE = program("invoice_0417.exe")


def install(folder: Path) -> None:
    """The configuration, the certificates and the database as yesterday left it."""
    (folder / "pratique.toml").write_text(CONFIG, encoding="utf-8")
    tls.prepare(folder / "data", ("nac.example.org",))
    asyncio.run(_fill(f"sqlite:///{folder / 'data' / 'pratique.db'}"))


async def _fill(url: str) -> None:
    store = await open_store(url, migrate=True)
    try:
        await store.write(_people)
        await store.write(_morning)
    finally:
        await store.close()


def _people(tx: Tx) -> None:
    before = clock("08:00:00")
    tx.put(
        Setting(T, "mode", {"default": "enforce", "sites": {}, "groups": {}}, 1, "cli:anna", before),
        Nas(T, "sw-floor2", "10.0.0.2", b"a secret of the lab", name="Switch floor 2"),
        ListEntry(T, "entry-mail", "allow", ListKind.HASH, program("thunderbird.exe"), author="inventory", why="proven", created=before),
    )  # fmt: skip
    for name, (person, port) in PEOPLE.items():
        host_id, mac = HostId(f"00000000-0000-4000-8000-{port:012d}"), Mac(f"02:00:00:00:00:{port:02x}")
        tx.put(
            Host(T, host_id, name, "main", ("office",), user=person, public_key=b"k" * 32, enrolled_at=before - 90 * 86_400 * SECOND, last_evidence=clock("23:59:00"), sensor="fanotify", agent_version="0.1.0"),
            MacBinding(T, mac, host_id, before, before),
            Session(T, "sw-floor2", f"{port:08x}".encode(), mac, f"Gi1/0/{port % 48}", started=before, updated=before, vlan="10", access=Access.PRODUCTION, generation=0, shown=True),
        )  # fmt: skip
        judgement.refresh(tx, T, host_id, now=before, policy=Policy.load(tx, T))


def _host(tx: Tx, name: str) -> Host:
    return next(host for host in tx.find(Host, tenant=T) if host.name == name)


def _morning(tx: Tx) -> None:
    at = clock("08:41:03")
    mail = ParentRef(r"C:\Program Files\Mozilla Thunderbird\thunderbird.exe", program("thunderbird.exe"), 3120, "ben")
    _start(tx, "PC-0042", INVOICE, r"C:\Users\ben\Downloads\invoice_0417.exe", at, "ben", parents=(mail,))
    for order in tx.find(Order, tenant=T, state=OrderState.PLANNED):
        tx.put(replace(order, state=OrderState.CONFIRMED, changed=at + 85_000))
    session = tx.find(Session, tenant=T, mac=Mac("02:00:00:00:00:2a"))[0]
    tx.put(replace(session, vlan="66", access=Access.REMEDIATION, updated=at + 90_000))
    packages = ParentRef("/usr/bin/dpkg", program("dpkg"), 812, "root")
    _start(tx, "PC-0017", program("newtool"), "/usr/bin/newtool", clock("09:05:44"), "anna",
           provenance="package:newtool@1.4-1", proven=True, writer=packages)  # fmt: skip


def _start(tx: Tx, host: str, what: Sha256, path: str, at: Micros, user: str, **more: object) -> None:
    known = _host(tx, host)
    kind = "pe" if path.endswith(".exe") else "elf"
    start = Execution(T, f"start-{known.name}-{what[:8]}", known.host_id, what, path, 4711, at, at + 20_000, user=user, kind=kind, sighting=True, **more)  # type: ignore[arg-type]  # fmt: skip
    judgement.record(tx, start, now=at + 20_000, policy=Policy.load(tx, T))

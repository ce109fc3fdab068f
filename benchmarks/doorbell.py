"""The RADIUS process's share of a move: from the ring of the doorbell to its CoA on the wire; the first one by itself.

    python benchmarks/doorbell.py [--quick] [--json]

A real RADIUS process on SQLite; the decisions are committed before the ring, as the API does. *Floor* is a process that
hears the same bell and sends a datagram of the same size at once, without looking at anything, measured in turns with it:
what the machine itself takes. Run it with `chrt -r 1` where other work keeps the cores busy.
"""

import asyncio
import os
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.figures import arguments, finish, spread
from radius_policy.enforcement import planning
from radius_policy.model import DEFAULT_TENANT, Access, Host, HostId, Mac, MacAccess, Nas, Session, Setting
from radius_policy.store import open_store
from radius_policy.store.doorbell import Doorbell
from radius_policy.store.interface import Store, Tx

ROOT = Path(__file__).resolve().parent.parent
TENANT = DEFAULT_TENANT
PAUSE_S = 0.02
FLOOR = """
import socket, sys
bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
bell.bind(sys.argv[1])
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while bell.recv(16):
    out.sendto(bytes(90), ("127.0.0.1", int(sys.argv[2])))
"""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def switch() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(5)
    return made


def furnish(tx: Tx, macs: list[Mac], port: int) -> None:
    tx.put(Nas(TENANT, "sw1", "127.0.0.1", b"a-secret-of-16-oct", "default", "the switch", "lab", coa_port=port))
    tx.put(Setting(TENANT, "mode", {"default": "enforce"}, 1, "", 0))
    for number, mac in enumerate(macs):
        name = b"s%05d" % number
        tx.put(
            Host(TENANT, HostId(mac), f"pc{number}"),
            Session(TENANT, "sw1", name, mac, port=str(number), ids={31: mac.encode(), 44: name}),
            MacAccess(TENANT, mac, HostId(mac), Access.PRODUCTION, 1),
        )


def quarantine(tx: Tx, mac: Mac) -> None:
    generation = tx.next_generation(TENANT)
    tx.put(MacAccess(TENANT, mac, HostId(mac), Access.REMEDIATION, generation))
    tx.note(TENANT, "access", mac)
    orders = planning.plan(
        tenant=TENANT,
        host_id=HostId(mac),
        macs=[mac],
        sessions=tx.find(Session, tenant=TENANT, mac=mac, ended=None),
        open_orders=(),
        access=Access.REMEDIATION,
        generation=generation,
        tightens=True,
        by="policy",
        now=time.time_ns() // 1000,
        new_id=lambda: f"order-{mac}",
    )
    for order in orders:
        tx.put(order)
        tx.note(TENANT, "order", order.id)


def timed(bell: Doorbell, path: Path, heard: socket.socket) -> float:
    began = time.perf_counter_ns()
    bell.ring(path)
    heard.recv(4096)
    return (time.perf_counter_ns() - began) / 1e6


async def measure(folder: Path, store: Store, macs: list[Mac], wire: socket.socket, bare: socket.socket) -> Any:
    bell, ours, theirs = Doorbell(), [], []
    for mac in macs:
        await store.write(lambda tx, mac=mac: quarantine(tx, mac))
        ours.append(timed(bell, folder / "radius.bell", wire))
        await asyncio.sleep(PAUSE_S)
        theirs.append(timed(bell, folder / "floor.bell", bare))
        await asyncio.sleep(PAUSE_S)
    bell.close()
    return ours, theirs


async def main(quick: bool) -> None:
    macs = [
        Mac(f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}") for n in range(60 if quick else 90)
    ]  # < the first repetition
    with tempfile.TemporaryDirectory(prefix="bench-") as name, switch() as wire, switch() as bare:
        folder = Path(name)
        url = f"sqlite:///{folder}/pratique.db"
        (folder / "pratique.toml").write_text(
            f'[service]\ndata = "{folder}"\ndatabase = "{url}"\n[radius]\ncoa_source = "127.0.0.1"\n'
            f'authentication = "127.0.0.1:{free_port()}"\naccounting = "127.0.0.1:{free_port()}"\n'
        )
        store = await open_store(url, migrate=True)
        await store.write(lambda tx: furnish(tx, macs, wire.getsockname()[1]))
        options = ["--config", str(folder / "pratique.toml"), "--parent", str(os.getpid())]
        bare_port = str(bare.getsockname()[1])
        with (folder / "log").open("w") as log:
            started = [
                await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=log, stderr=log)
                for command in (
                    ["-m", "api.process", "radius", *options],
                    ["-c", FLOOR, str(folder / "floor.bell"), bare_port],
                )
            ]
            try:
                await asyncio.sleep(2.5)  # started, the store seen, a move rehearsed
                ours, theirs = await measure(folder, store, macs, wire, bare)
            finally:
                for process in started:
                    process.terminate()
                    await process.wait()
        await store.close()
    figures = {"doorbell_to_coa_ms": spread(ours, 3), "floor_ms": spread(theirs, 3), "first_ms": round(ours[0], 3)}
    finish({**figures, "ratio": round(spread(ours, 3)["p50"] / spread(theirs, 3)["p50"], 2)})


if __name__ == "__main__":
    asyncio.run(main(arguments(__doc__).quick))

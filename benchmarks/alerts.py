"""Alerts: from a recorded start to a mail that the server took, and what a killed worker loses or repeats.

    python benchmarks/alerts.py [--quick] [--json]

*Latency*: the service's worker on an SQLite file (synchronous=FULL), woken as the service wakes it, and a real SMTP server
in another process; from the commit of the event to the server's acceptance, the 0.4 s included in which the first message
waits for the move to be confirmed. *Kill*: a queue of unsent alerts and a worker that is killed with SIGKILL again and
again while it sends; every alert must arrive, and at least once means at most one repeat for each kill.
"""

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.alerts import worker
from api.config import Config, Mail, Service
from benchmarks.figures import arguments, finish, spread
from radius_policy.model import DEFAULT_TENANT, Event, EventKind, Executable, Host, HostId, Severity, Sha256
from radius_policy.store import open_store
from radius_policy.store.interface import Tx

ROOT = Path(__file__).resolve().parent.parent
BATCH = 250
LIMIT_MS = 1000.0

SERVER = """
import asyncio, json, sys, time
from email.parser import BytesHeaderParser
from email.policy import SMTP as SMTP_POLICY
from aiosmtpd.smtp import SMTP

class Inbox:
    async def handle_DATA(self, _server, _session, envelope):
        at, mail = time.time_ns() // 1000, BytesHeaderParser(policy=SMTP_POLICY).parsebytes(envelope.content)
        out.write(json.dumps([mail["Message-ID"], mail["X-Pratique-Executable"].strip(), at]) + "\\n")
        return "250 taken"

async def main():
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Inbox()), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()

out = open(sys.argv[1], "a", buffering=1)
asyncio.run(main())
"""

WORKER = """
import asyncio, sys, time
from pathlib import Path
from api.alerts import worker
from api.config import Config, Mail, Service
from radius_policy.store import open_store

async def main(database, data, port):
    mail = Mail(server="127.0.0.1", port=int(port), from_="p@example.org", to=("a@example.org",))
    store = await open_store(database)
    await worker.run(store, Config(service=Service(data=Path(data)), mail=mail), lambda: time.time_ns() // 1000, asyncio.Event())

asyncio.run(main(*sys.argv[1:]))
"""


class Server:
    """A mail server in a process of its own, and what it took: (Message-ID, executable, when in microseconds)."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "inbox.jsonl"
        self._file.touch()
        command = [sys.executable, "-c", SERVER, str(self._file)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def taken(self) -> list[tuple[str, str, int]]:
        lines = self._file.read_bytes().split(b"\n")[:-1]
        return [tuple(json.loads(line)) for line in lines]

    def count(self) -> int:
        return self._file.read_bytes().count(b"\n")

    def wait(self, count: int) -> None:
        while self.count() < count:
            time.sleep(0.02)

    def close(self) -> None:
        self._process.communicate(timeout=10)


def unknown(tx: Tx, number: int, at: int) -> Event:
    """A first run of an executable of its own."""
    sha, host = Sha256(f"{number:064x}"), HostId(f"host-{number % 1500:04}")
    tx.put(
        Host(DEFAULT_TENANT, host, f"PC-{number % 1500:04}", user="anna"), Executable(DEFAULT_TENANT, sha, name="x.exe")
    )
    text = f"An unknown executable ran on PC-{number % 1500:04}."
    event = Event(
        DEFAULT_TENANT, f"ev-{number}", at, EventKind.UNKNOWN_RAN, Severity.WARNING, sha, text, host, sha, "main"
    )
    tx.put(event)
    tx.note(DEFAULT_TENANT, "event", event.id)
    return event


def now_us() -> int:
    return time.time_ns() // 1000


async def latency(folder: Path, count: int) -> dict[str, Any]:
    """Events that come one after the other, each with its own executable; milliseconds."""
    server = Server(folder)
    store = await open_store(f"sqlite:///{folder}/latency.db", migrate=True)
    mail = Mail(server="127.0.0.1", port=server.port, from_="p@example.org", to=("a@example.org",))
    stop, wake = asyncio.Event(), asyncio.Event()
    config = Config(service=Service(data=folder), mail=mail)
    working = asyncio.create_task(worker.run(store, config, now_us, stop, wake=wake))
    committed: dict[str, int] = {}
    for number in range(count):
        event = await store.write(lambda tx, number=number: unknown(tx, number, now_us()))  # type: ignore[misc]
        committed[event.sha256] = now_us()
        wake.set()
        await asyncio.sleep(0.1 + 0.05 * (number % 7))
    await asyncio.to_thread(server.wait, count)
    stop.set()
    await working
    await store.close()
    took = [(at - committed[sha]) / 1000 for _, sha, at in server.taken()]
    server.close()
    return spread(took, 1)


async def fill(database: str, count: int) -> None:
    """Put alerts into the queue."""
    store = await open_store(database, migrate=True)
    for begin in range(0, count, BATCH):
        numbers = range(begin, min(count, begin + BATCH))
        await store.write(lambda tx, numbers=numbers: [unknown(tx, number, now_us()) for number in numbers])  # type: ignore[misc]
    await store.close()


def kill(folder: Path, count: int, kills: int) -> dict[str, Any]:
    """`count` alerts stand in the queue; the worker is killed `kills` times on its way through them."""
    database = f"sqlite:///{folder}/kill.db"
    asyncio.run(fill(database, count))
    server, began, took = Server(folder), time.monotonic(), 0.0
    command = [sys.executable, "-c", WORKER, database, str(folder), str(server.port)]
    for number in range(kills + 1):
        with subprocess.Popen(command, cwd=ROOT) as process:
            while server.count() < (number + 1) * count // (kills + 1) or (
                number == kills and len({one[0] for one in server.taken()}) < count
            ):
                if process.poll() is not None:
                    raise RuntimeError(f"the worker ended by itself with {process.returncode}")
                time.sleep(0.02 if number < kills else 0.5)
            if number == kills:
                took = time.monotonic() - began
                time.sleep(2.0)  # for what it would still send, wrongly
            process.send_signal(signal.SIGKILL)
    ids = [one[0] for one in server.taken()]
    server.close()
    return {
        "alerts": count, "kills": kills, "arrived": len(set(ids)), "lost": count - len(set(ids)),
        "repeated": len(ids) - len(set(ids)), "mails_per_s": round(len(ids) / took, 1), "seconds": round(took, 1),
    }  # fmt: skip


def main() -> None:
    given = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("a", "b"):
            (folder / part).mkdir()
        quick = asyncio.run(latency(folder / "a", 30 if given.quick else 200))
        killed = kill(folder / "b", 1_000 if given.quick else 10_000, 5 if given.quick else 20)
    good = quick["p95"] <= LIMIT_MS and killed["lost"] == 0 and killed["repeated"] <= killed["kills"]
    finish({"event_to_mail_ms": quick, "limit_ms": LIMIT_MS, "kill_9": killed}, code=0 if good else 1)


if __name__ == "__main__":
    main()

"""How long a start takes: the commands an admin types, and the service until it is ready.

    python benchmarks/start.py [--quick] [--json]

*cpu* is user and system time of the command and what it started, which says more than wall time on a machine with other
work; the load is told beside it. *ready*: from `pratique serve` to the first 200 of `/readyz` (a write reached the
disk and the RADIUS process answers), on a database that exists. Budget, on an idle machine: a command 0.5 s of CPU,
ready 2 s of wall time; exit 1 when missed at a load below 1.
"""

import contextlib
import os
import resource
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import arguments, finish, spread  # noqa: E402

BUDGET_COMMAND_S, BUDGET_READY_S, IDLE = 0.5, 2.0, 1.0
COMMANDS = (
    ("--version",),
    ("host", "list"),
    ("allow", "list"),
    ("nas", "list"),
    ("enrol-token",),
    ("allow", "add"),
    ("pause", "off"),
)


def free(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def install(folder: Path) -> tuple[int, dict[str, str]]:
    """A configuration and its database: (the port of the API, the environment of commands)."""
    port = free(socket.SOCK_STREAM)
    file = folder / "pratique.toml"
    file.write_text(
        f'[service]\ndata = "data"\n[api]\nlisten = "127.0.0.1:{port}"\nnames = ["localhost"]\n[radius]\n'
        f'authentication = "127.0.0.1:{free(socket.SOCK_DGRAM)}"\naccounting = "127.0.0.1:{free(socket.SOCK_DGRAM)}"\n'
        'coa_source = "127.0.0.1"\n'
    )
    environment = os.environ | {"PRATIQUE_CONFIG": str(file)}
    subprocess.run(command("database", "migrate"), env=environment, cwd=ROOT, check=True, capture_output=True)
    return port, environment


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "pratique", *words]


def cpu(words: Sequence[str], environment: dict[str, str]) -> float:
    """Seconds of CPU of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    value = (secrets.token_hex(32),) if words == ("allow", "add") else ()
    subprocess.run(command(*words, *value), env=environment, cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def serve(folder: Path, port: int, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until ready, and seconds that ending took."""
    (folder / "data" / "radius-stats.json").unlink(
        missing_ok=True
    )  # the figures of the last run are no sign of this one
    began = time.perf_counter()
    service = subprocess.Popen(
        command("serve"), env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not ready(folder, port):
            if service.poll() is not None or time.perf_counter() - began > 60:
                raise SystemExit("the service did not become ready")
            time.sleep(0.01)
        took = time.perf_counter() - began
        time.sleep(2)  # until everything is loaded: ending at once would wait for it
    finally:
        ending = time.perf_counter()
        service.send_signal(signal.SIGTERM)
        service.wait(30)
    return took, time.perf_counter() - ending


def ready(folder: Path, port: int) -> bool:
    with contextlib.suppress(OSError, httpx.TransportError):
        trust = ssl.create_default_context(cafile=str(folder / "data" / "tls" / "ca.pem"))
        return httpx.get(f"https://localhost:{port}/readyz", verify=trust, timeout=2).status_code == 200
    return False


def main() -> None:
    given = arguments(__doc__)
    rounds = 3 if given.quick else 10
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        port, environment = install(folder)
        starts = [serve(folder, port, environment) for _ in range(rounds)]
        commands = {" ".join(words): min(cpu(words, environment) for _ in range(rounds)) for words in COMMANDS}
    load = os.getloadavg()[0]
    took = spread([start for start, _ in starts])
    result = {
        "benchmark": "start",
        "ready_s": took,
        "stop_s": spread([stop for _, stop in starts]),
        "command_cpu_s": {name: round(value, 3) for name, value in commands.items()},
        "budget": {"ready_s": BUDGET_READY_S, "command_cpu_s": BUDGET_COMMAND_S},
        "load": round(load, 1),
    }
    if not given.json:
        print(
            f"ready after {took['p50']} s, `pratique allow add` takes {commands['allow add']:.2f} s of CPU, at load {load:.1f}"
        )
    missed = took["p50"] > BUDGET_READY_S or max(commands.values()) > BUDGET_COMMAND_S
    finish(result, code=int(missed and load < IDLE))


if __name__ == "__main__":
    main()

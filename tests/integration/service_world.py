"""The real service as processes over real TLS on loopback: started, talked to, and ended by the test."""

import base64
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from health_agent import contract

REPOSITORY = Path(__file__).resolve().parents[2]
MAC = "02:00:00:00:00:10"


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """A folder with a configuration, and what runs from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.file = folder / "pratique.toml"
        self.file.write_text(
            f"""[service]
data = "data"
[api]
listen = "127.0.0.1:{self.port}"
names = ["localhost", "127.0.0.1"]
[radius]
authentication = "127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
accounting = "127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
coa_source = "127.0.0.1"
"""
        )
        self.log = folder / "log"
        self.service: subprocess.Popen[bytes] | None = None
        self.clients: list[httpx.Client] = []

    def cli(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "pratique", *words],
            env=os.environ | {"PRATIQUE_CONFIG": str(self.file)},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def start(self, *options: str) -> None:
        with self.log.open("ab") as log:
            self.service = subprocess.Popen(
                [sys.executable, "-m", "pratique", "serve", "--config", str(self.file), *options],
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait()

    def wait(self, seconds: float = 60) -> None:
        """Until it answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.service is None or self.service.poll() is None, self.log.read_text()
            with contextlib.suppress(httpx.TransportError, OSError), self.client() as client:
                if client.get("/healthz").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("the service did not answer:\n" + self.log.read_text())

    def stop(self) -> int | None:
        if self.service is None:
            return None
        if self.service.poll() is None:
            self.service.send_signal(signal.SIGTERM)
        code = self.service.wait(20)
        self.service = None
        return code

    def client(self) -> httpx.Client:
        """Trusts the service's own CA and nothing else; closed at the end of the test."""
        trust = ssl.create_default_context(cafile=str(self.folder / "data" / "tls" / "ca.pem"))
        made = httpx.Client(base_url=f"https://localhost:{self.port}", verify=trust, timeout=30)
        self.clients.append(made)
        return made

    def children(self) -> dict[str, int]:
        """Role → pid of the processes that the supervisor keeps."""
        assert self.service is not None
        found = {}
        for pid in Path(f"/proc/{self.service.pid}/task/{self.service.pid}/children").read_text().split():
            line = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"api.process" in line:
                found[line[line.index(b"api.process") + 1].decode()] = int(pid)
        return found


@contextlib.contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    made = Installation(folder)
    try:
        yield made
    finally:
        for client in made.clients:
            client.close()
        made.stop()


class Endpoint:
    """An agent as small as can be: a real key, the contract's structs, one kept connection."""

    def __init__(self, site: Installation, mac: str = MAC) -> None:
        self.site, self.mac = site, mac
        self.key = Ed25519PrivateKey.generate()
        self.client = site.client()
        self.host_id = ""

    def enrol(self, text: str) -> httpx.Response:
        token = contract.EnrolmentToken.parse(text)
        public = base64.b64encode(self.key.public_key().public_bytes_raw()).decode()
        asked = contract.Enrolment(token.secret, public, "desk-1", (self.mac,), "0.1.0")
        answer = self.client.post("/v1/enrol", content=msgspec.json.encode(asked))
        if answer.status_code == 200:
            self.host_id = msgspec.json.decode(answer.content, type=contract.Enrolled).host_id
        return answer

    def report(self, sha256: str, **fields: Any) -> contract.Report:
        now = time.time_ns() // 1000
        start = contract.Execution(uuid.uuid4().hex, "/tmp/new", 4242, now, contract.Kind.ELF, sha256)
        return contract.Report(host_id=self.host_id, id=uuid.uuid4().hex, clock_us=now, executions=(start,), **fields)

    def post(self, body: bytes) -> httpx.Response:
        signature = base64.b64encode(self.key.sign(body)).decode()
        headers = {contract.HOST_HEADER: self.host_id, contract.SIGNATURE_HEADER: signature}
        return self.client.post("/v1/sightings", content=body, headers=headers)

    def send(self, report: contract.Report) -> contract.Answer:
        answer = self.post(msgspec.json.encode(report))
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=contract.Answer)


def host(site: Installation) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(site.cli("host", "show", "desk-1", "--json").stdout)
    return shown

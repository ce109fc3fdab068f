"""The answer is on its way to the agent before the bell rings: rung earlier, the move cuts the connection under it."""

import base64
import contextlib
import os
import select
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from health_agent import contract
from radius_policy.store.doorbell import Bell
from tests.integration.service_world import REPOSITORY, Endpoint, Installation, installed

REPORTS = 40


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    """The API process alone: the bell of the RADIUS process is ours."""
    with installed(tmp_path) as made:
        made.cli("database", "migrate")
        words = ["-m", "api.process", "api", "--config", str(made.file), "--parent", str(os.getpid())]
        with made.log.open("ab") as log:
            made.service = subprocess.Popen([sys.executable, *words], cwd=REPOSITORY, stdout=log, stderr=log)
        made.wait()
        yield made


@pytest.fixture
def wire(site: Installation) -> Iterator[ssl.SSLSocket]:
    trust = ssl.create_default_context(cafile=str(site.folder / "data/tls/ca.pem"))
    plain = socket.create_connection(("127.0.0.1", site.port), 10)
    with contextlib.closing(trust.wrap_socket(plain, server_hostname="localhost")) as made:
        yield made


def ask(endpoint: Endpoint, wire: ssl.SSLSocket, body: bytes) -> None:
    signature = base64.b64encode(endpoint.key.sign(body)).decode()
    head = (
        f"POST /v1/sightings HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        f"{contract.HOST_HEADER}: {endpoint.host_id}\r\n{contract.SIGNATURE_HEADER}: {signature}\r\n\r\n"
    )
    wire.sendall(head.encode() + body)


def answered(wire: ssl.SSLSocket) -> tuple[bytes, contract.Answer]:
    octets = wire.recv(65536)
    while b"\r\n\r\n" not in octets or not octets.endswith(b"}"):
        octets += wire.recv(65536)
    head, _, body = octets.partition(b"\r\n\r\n")
    return head, msgspec.json.decode(body, type=contract.Answer)


def test_when_the_bell_rings_the_answer_is_there(site: Installation, wire: ssl.SSLSocket) -> None:
    with contextlib.closing(Bell(site.folder / "data" / "radius.bell")) as bell:
        endpoint = Endpoint(site)
        assert endpoint.enrol(site.cli("enrol-token").stdout).status_code == 200
        select.select([bell], [], [], 10)
        bell.drain()
        late = 0
        for number in range(REPORTS):
            ask(endpoint, wire, msgspec.json.encode(endpoint.report(f"{number:064x}")))
            assert select.select([bell], [], [], 10)[0], "nothing rang"
            late += not select.select([wire], [], [], 0)[0]
            head, answer = answered(wire)
            assert head.startswith(b"HTTP/1.1 200")
            assert [one.sha256 for one in answer.verdicts] == [f"{number:064x}"]
            bell.drain()
        assert late == 0, f"{late} of {REPORTS} times the bell rang before the answer was written"

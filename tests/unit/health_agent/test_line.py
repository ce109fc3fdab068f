"""One kept connection, against a server of a few lines that says over TLS exactly what a test wants."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from health_agent import line as module
from health_agent.line import KeptLine
from tests.unit.health_agent.fake_service import authority

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone"


class Server:
    """Answers each request with the next of `script`; None ends the connection instead, "" is silence."""

    def __init__(self, folder: Path) -> None:
        certificate, key, _ = authority(folder)
        self.trust = ssl.create_default_context(cafile=str(certificate))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.script: list[bytes | None] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.asked = threading.Semaphore(0)
        self.release, self.ended = threading.Event(), threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self._listening.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), self._context.wrap_socket(accepted, server_side=True) as wire:
            while request := self._request(wire):
                self.requests.append(request)
                self.asked.release()
                answer = self.script.pop(0) if self.script else OK
                if answer is None:
                    break
                if answer:
                    wire.sendall(answer)
                    if answer.endswith(b"bye"):
                        break
                else:
                    self.release.wait(10)
        self.ended.set()

    @staticmethod
    def _request(wire: ssl.SSLSocket) -> bytes:
        octets = b""
        while not octets.endswith(b"}"):
            more = wire.recv(65536)
            if not more:
                return b""
            octets += more
        return octets

    def close(self) -> None:
        self.release.set()
        with contextlib.suppress(OSError):  # closed before
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "server")
    yield made
    made.close()


@pytest.fixture
def line(server: Server) -> Iterator[KeptLine]:
    made = KeptLine(f"https://127.0.0.1:{server.port}", server.trust)
    yield made
    made.close()


def post(line: KeptLine, body: bytes = b"{}") -> tuple[int, bytes]:
    return line.post("/v1/sightings", [("Pratique-Host", "h1")], body)


def test_messages_go_over_one_connection_with_their_headers(server: Server, line: KeptLine) -> None:
    assert [post(line), post(line, b'{"n":2}')] == [(200, b"done")] * 2
    assert server.connections == 1
    head, _, body = server.requests[1].partition(b"\r\n\r\n")
    assert body == b'{"n":2}'
    assert head.split(b"\r\n") == [
        b"POST /v1/sightings HTTP/1.1",
        b"Host: 127.0.0.1:%d" % server.port,
        b"Pratique-Host: h1",
        b"Content-Length: 7",
    ]


def test_a_service_below_a_path_is_asked_there(server: Server) -> None:
    with contextlib.closing(KeptLine(f"https://127.0.0.1:{server.port}/nac/", server.trust)) as line:
        post(line)
    assert server.requests[0].startswith(b"POST /nac/v1/sightings HTTP/1.1\r\n")


def test_an_answer_of_any_status_is_an_answer(server: Server, line: KeptLine) -> None:
    server.script = [b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}"]
    assert post(line) == (409, b"{}")


def test_a_connection_that_was_ended_meanwhile_is_noticed_before_a_message_is_lost_on_it(
    server: Server, line: KeptLine
) -> None:
    server.script = [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbye"]
    assert post(line) == (200, b"bye")
    assert server.ended.wait(5)
    assert post(line) == (200, b"done")
    assert server.connections == 2


def test_after_connection_close_a_new_one_is_made(server: Server, line: KeptLine) -> None:
    server.script = [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone"]
    assert [post(line), post(line)] == [(200, b"done")] * 2
    assert server.connections == 2


def test_an_end_instead_of_an_answer_is_told_and_the_next_message_gets_a_new_connection(
    server: Server, line: KeptLine
) -> None:
    server.script = [None]
    with pytest.raises(http.client.RemoteDisconnected):
        post(line)
    assert post(line) == (200, b"done")
    assert server.connections == 2


def test_what_is_no_http_is_told_and_nothing_more_is_read_from_it(server: Server, line: KeptLine) -> None:
    server.script = [b"SSH-2.0-OpenSSH_9.2\r\n\r\n"]
    with pytest.raises(http.client.BadStatusLine):
        post(line)
    assert post(line) == (200, b"done")
    assert server.connections == 2


def test_silence_ends_after_its_time(server: Server, line: KeptLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.1)
    server.script = [b""]
    with pytest.raises(TimeoutError):
        post(line)
    assert post(line) == (200, b"done")


def test_a_cut_ends_the_wait_for_an_answer_at_once(server: Server, line: KeptLine) -> None:
    server.script = [b""]
    outcome: list[BaseException] = []

    def send() -> None:
        try:
            post(line)
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    assert server.asked.acquire(timeout=5)
    began = time.monotonic()
    line.cut()
    thread.join(5)
    assert time.monotonic() - began < 1
    assert len(outcome) == 1
    assert post(line) == (200, b"done")
    assert server.connections == 2


def test_after_a_cut_in_quiet_times_the_next_message_goes_over_a_new_connection(server: Server, line: KeptLine) -> None:
    line.cut()
    post(line)
    line.cut()
    line.cut()
    assert post(line) == (200, b"done")
    assert server.connections == 2


def test_a_cut_while_the_connection_is_made_counts(
    server: Server, line: KeptLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun on the old network would only hang."""
    connect = http.client.HTTPSConnection.connect

    def slow(connection: http.client.HTTPSConnection) -> None:
        connect(connection)
        line.cut()

    monkeypatch.setattr(http.client.HTTPSConnection, "connect", slow)
    with pytest.raises(ConnectionAbortedError, match="network changed"):
        post(line)
    monkeypatch.setattr(http.client.HTTPSConnection, "connect", connect)
    assert post(line) == (200, b"done")
    assert len(server.requests) == 1


def test_proxies_are_passed_by(server: Server, line: KeptLine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(line) == (200, b"done")


def test_a_stranger_gets_nothing(server: Server, tmp_path: Path) -> None:
    certificate, _, _ = authority(tmp_path / "stranger", "another CA")
    trust = ssl.create_default_context(cafile=str(certificate))
    line = KeptLine(f"https://127.0.0.1:{server.port}", trust)
    with contextlib.closing(line), pytest.raises(ssl.SSLCertVerificationError):
        post(line)
    assert server.requests == []


def test_where_nobody_listens_it_is_told(server: Server, line: KeptLine) -> None:
    server.close()
    with pytest.raises(ConnectionRefusedError):
        post(line)

"""Tickets, posted to a server that takes them, refuses them, or is away."""

import io
import json
import threading
import types
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from api.scripts import ticket

EVENT = {
    "event": "unknown_ran",
    "event_id": "e1",
    "host": "desk-2",
    "name": 'a"\n<b>',
    "text": "ran",
    "severity": "warning",
}


class Tickets(ThreadingHTTPServer):
    """Answers with `status`, keeps what it was sent."""

    def __init__(self) -> None:
        self.status, self.got = 201, list[tuple[dict[str, str], Any]]()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/tickets"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Tickets)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def tickets() -> Iterator[Tickets]:
    server = Tickets()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Any:
    def posted(*arguments: str, told: object = EVENT) -> int:
        body = json.dumps(told).encode()
        monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(body)))
        return ticket.main(list(arguments))

    return posted


def test_a_ticket_says_what_where_and_carries_the_event(tickets: Tickets, post: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    assert post("--url", tickets.url, "--token-file", str(tmp_path / "token")) == 0
    [(headers, body)] = tickets.got
    assert (headers["Authorization"], headers["Idempotency-Key"]) == ("Bearer secret", "e1")
    assert body["title"] == 'unknown_ran desk-2 a" <b>'
    assert (body["host"], body["event"]) == ("desk-2", EVENT)


@pytest.mark.parametrize(("status", "code"), [(500, 75), (429, 75), (403, 1)])
def test_what_may_work_later_is_tried_later(tickets: Tickets, post: Any, status: int, code: int) -> None:
    tickets.status = status
    assert post("--url", tickets.url) == code


def test_a_system_that_is_away_is_tried_again_and_a_wrong_configuration_is_not(post: Any, tmp_path: Path) -> None:
    assert post("--url", "http://127.0.0.1:1/") == 75
    assert post("--url", "ftp://x") == 78
    assert post("--url", "http://127.0.0.1:1/", "--token-file", str(tmp_path / "none")) == 78
    assert post("--url", "http://127.0.0.1:1/", told=[1]) == 1

"""Alerts at a real HTTP receiver that checks the signature, and by Apprise at a local one."""

import hashlib
import hmac
import json
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from api import tls
from api.alerts.channels import ChannelDown, ChannelRefused
from api.alerts.chat import Chat, ChatChannel
from api.alerts.content import Alert
from api.alerts.webhook import Webhook, WebhookChannel
from radius_policy.store.memory import MemoryStore
from tests.unit.api.alerts.conftest import HOSTILE, SHA, T0, Office
from tests.unit.api.alerts.test_content import alert as alert_of

pytestmark = pytest.mark.anyio
SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Receiver(ThreadingHTTPServer):
    """Keeps what it was sent, and answers as told. `strict`: only what is signed with the secret is taken."""

    daemon_threads = True

    def __init__(self, *, strict: bool = True) -> None:
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.headers_back, self.body_back = 204, dict[str, str](), b""
        self.strict = strict
        super().__init__(("127.0.0.1", 0), _Handler)

    def good(self, headers: dict[str, str], body: bytes) -> bool:
        """As a receiver that was written from the documentation does it."""
        stamp = headers.get("pratique-timestamp", "")
        wanted = hmac.new(SECRET, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(headers.get("pratique-signature", ""), f"sha256={wanted}")


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        taken = not self.server.strict or self.server.good(headers, body)
        if taken:
            self.server.posts.append((self.path, headers, body))
        self.send_response(self.server.status if taken else 401)
        for name, value in self.server.headers_back.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body_back)))
        self.end_headers()
        self.wfile.write(self.server.body_back)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def receiver(material: tls.Material | None = None, *, strict: bool = True) -> Iterator[Receiver]:
    server = Receiver(strict=strict)
    if material:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(material.certificate_file, material.key_file)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture
def alert() -> Alert:
    office = Office(MemoryStore())
    return alert_of(office, [office.runs(17)])


@pytest.fixture
def secret(tmp_path: Path) -> str:
    file = tmp_path / "hook.key"
    file.write_bytes(SECRET + b"\n")
    return str(file)


def hook(server: Receiver, secret: str, path: str = "/hook", **given: Any) -> WebhookChannel:
    scheme, host = ("https", "localhost") if given.get("ca_file") else ("http", "127.0.0.1")
    return WebhookChannel(Webhook(f"{scheme}://{host}:{server.server_port}{path}", secret, **given))


async def test_an_alert_arrives_signed_as_a_cloud_event_that_says_all(alert: Alert, secret: str) -> None:
    with receiver() as server:
        assert await hook(server, secret).send(alert) == ""
    [(path, headers, body)] = server.posts
    event = json.loads(body)
    assert (path, headers["content-type"]) == ("/hook", "application/cloudevents+json; charset=utf-8")
    assert {name: event[name] for name in ("specversion", "id", "type", "subject", "time")} == {
        "specversion": "1.0",
        "id": alert.message_id,
        "type": "pratique.alert.unknown_ran",
        "subject": SHA,
        "time": "2026-11-21T07:41:00.000Z",
    }
    [host] = event["data"]["hosts"]
    assert (host["host"], host["macs"], host["switch"], host["port"]) == (
        "PC-0017",
        ["02:00:00:00:00:11"],
        "Switch 1",
        "Gi1/0/17",
    )
    assert [link["label"] for link in event["data"]["links"]] == ["Allow it", "Deny it", "Release the host"]


async def test_it_goes_over_tls_with_a_checked_certificate(alert: Alert, secret: str, tmp_path: Path) -> None:
    material = tls.prepare(tmp_path / "hook", ("localhost", "127.0.0.1"))
    with receiver(material) as server:
        await hook(server, secret, ca_file=str(material.ca_file)).send(alert)
        other = tls.prepare(tmp_path / "other", ("localhost",))
        with pytest.raises(ChannelRefused, match="certificate that is not trusted"):
            await hook(server, secret, ca_file=str(other.ca_file)).send(alert)
    assert len(server.posts) == 1


async def test_a_redirect_is_refused_and_not_followed(alert: Alert, secret: str) -> None:
    with receiver() as elsewhere, receiver() as server:
        server.status, server.headers_back = 307, {"Location": f"http://127.0.0.1:{elsewhere.server_port}/"}
        with pytest.raises(ChannelRefused, match="redirects are not followed"):
            await hook(server, secret).send(alert)
    assert elsewhere.posts == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, ChannelDown), (503, ChannelDown), (429, ChannelDown), (400, ChannelRefused), (404, ChannelRefused)],
)
async def test_what_may_pass_is_tried_again_and_what_will_not_goes_to_the_next_channel(
    alert: Alert, secret: str, status: int, kind: type[Exception]
) -> None:
    with receiver() as server:
        server.status, server.body_back = status, b"over\r\nquota \x1b[31m" + b"x" * 100_000
        with pytest.raises(kind, match=rf"{status}.*over quota") as said:
            await hook(server, secret).send(alert)
    assert len(str(said.value)) < 800
    assert "\x1b" not in str(said.value)


async def test_with_another_secret_the_receiver_takes_nothing(alert: Alert, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.key"
    wrong.write_bytes(b"x" * 32)
    with receiver() as server, pytest.raises(ChannelRefused, match="401"):
        await hook(server, str(wrong)).send(alert)
    assert server.posts == []


async def test_a_missing_or_short_secret_is_named_without_telling_it(alert: Alert, tmp_path: Path) -> None:
    short = tmp_path / "short.key"
    short.write_bytes(b"hunter2")
    with receiver() as server:
        with pytest.raises(ChannelRefused, match="too short") as said:
            await hook(server, str(short)).send(alert)
        with pytest.raises(ChannelRefused, match="cannot be read"):
            await hook(server, str(tmp_path / "none.key")).send(alert)
    assert "hunter2" not in str(said.value)


async def test_a_receiver_that_is_away_or_slow_is_down(
    alert: Alert, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    from api.alerts import webhook

    with receiver() as gone:
        pass
    with pytest.raises(ChannelDown, match="cannot be reached"):
        await hook(gone, secret).send(alert)
    monkeypatch.setattr(webhook, "TIMEOUT", httpx.Timeout(0.3))
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        channel = WebhookChannel(Webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/", secret))
        with pytest.raises(ChannelDown, match="cannot be reached"):
            await channel.send(alert)


async def test_the_same_message_sent_again_has_the_same_id(alert: Alert, secret: str) -> None:
    with receiver() as server:
        for at in (T0, T0 + 60_000_000):
            channel = WebhookChannel(
                Webhook(f"http://127.0.0.1:{server.server_port}/", secret), lambda at=at: at / 1_000_000
            )
            await channel.send(alert)
    ids = {json.loads(body)["id"] for _, _, body in server.posts}
    assert len(ids) == 1
    assert len({headers["pratique-signature"] for _, headers, _ in server.posts}) == 2


APPRISE = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise tries it itself


# --- Apprise ---------------------------------------------------------------------------------------------------------


def addresses(folder: Path, *lines: str) -> ChatChannel:
    file = folder / "chat.urls"
    file.write_text("\n".join(("# the people on call", "", *lines)) + "\n", encoding="utf-8")
    return ChatChannel(Chat(str(file)))


@APPRISE
async def test_apprise_carries_an_alert_to_a_local_service(tmp_path: Path) -> None:
    office = Office(MemoryStore())
    alert = alert_of(office, [office.runs(17, program=f"/tmp/{HOSTILE}")])
    with receiver(strict=False) as server:
        assert await addresses(tmp_path, f"json://127.0.0.1:{server.server_port}/alerts").send(alert) == ""
    [(path, _, body)] = server.posts
    said = json.loads(body)
    assert path == "/alerts"
    assert said["type"] == "warning"
    assert said["title"].startswith("Unknown executable ran on PC-0017")
    assert "Switch 1 port Gi1/0/17" in said["message"]
    assert "/console/decide/" in said["message"]
    assert "\u202e" not in said["title"] + said["message"]


@APPRISE
async def test_a_service_that_fails_is_named_and_the_others_are_told(tmp_path: Path, alert: Alert) -> None:
    with receiver(strict=False) as good, receiver(strict=False) as bad:
        bad.status = 500
        both = addresses(
            tmp_path, f"json://127.0.0.1:{bad.server_port}/s3cret-token", f"json://127.0.0.1:{good.server_port}/"
        )
        note = await both.send(alert)
        assert note.startswith("not taken by JSON: ")
        assert "s3cret-token" not in note
        assert len(good.posts) == 1
        with pytest.raises(ChannelDown, match="JSON"):
            await addresses(tmp_path, f"json://127.0.0.1:{bad.server_port}/").send(alert)


@APPRISE
@pytest.mark.parametrize(("line", "said"), [("pigeon://roof", "line 3 of"), ("# nothing", "has no address")])
async def test_addresses_that_are_none_are_refused_by_line(tmp_path: Path, alert: Alert, line: str, said: str) -> None:
    with pytest.raises(ChannelRefused, match=said):
        await addresses(tmp_path, line).send(alert)


async def test_without_apprise_it_says_what_to_install(
    tmp_path: Path, alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ChannelRefused, match=r"pip install 'pratique\[chat\]'"):
        await addresses(tmp_path, "json://127.0.0.1/").send(alert)

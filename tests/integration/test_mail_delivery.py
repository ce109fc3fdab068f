"""Alerts by a real SMTP server (aiosmtpd): arrived, threaded, over TLS with a password, through an outage and a kill -9."""

import asyncio
import base64
import email
import email.policy
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from api import tls
from api.alerts.channels import ChannelDown, ChannelRefused
from api.alerts.joining import SETTLE
from api.alerts.mail import MailChannel, MailSettings
from api.alerts.worker import Figures, Worker
from api.config import Config, Mail, Service
from radius_policy.model import DEFAULT_TENANT, SECOND, Delivery, EventKind, OrderState, Severity
from radius_policy.store import open_store
from tests.unit.api.alerts.conftest import HOSTILE, SHA, T0, Clock, Office

pytestmark = pytest.mark.anyio
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Inbox:
    """What the server took, as parsed mails."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Any] = []
        self.refuse: str = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refuse:
            return self.refuse
        mail = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append(envelope)
        return "250 taken"


@contextmanager
def server(inbox: Inbox, port: int = 0, **options: Any) -> Iterator[int]:
    """A mail server on a port of the loopback."""
    control = Controller(inbox, hostname="127.0.0.1", port=port or free_port(), **options)
    control.start()
    try:
        yield control.port
    finally:
        control.stop()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def office() -> Office:
    from radius_policy.store.memory import MemoryStore

    return Office(MemoryStore())


def config_for(port: int, data: Path, **mail: Any) -> Config:
    given = {"server": "127.0.0.1", "port": port, "from_": "pratique@example.org", "to": ("admin@example.org",), **mail}
    return Config(service=Service(data=data), mail=Mail(**given))


async def settle(worker: Worker) -> None:
    """Rounds until nothing is left to do, the wait of a first message included."""
    for wait in (0, SETTLE, 0):
        worker._clock.now += wait  # type: ignore[attr-defined]
        for _ in range(200):
            if not await worker.round():
                break
        else:
            raise AssertionError("the worker does not come to rest")


async def test_the_mail_of_a_first_run_says_what_where_how_how_common_and_what_was_done(
    office: Office, tmp_path: Path
) -> None:
    inbox = Inbox()
    with server(inbox) as port:
        office.runs(17)
        await settle(Worker(office.store, config_for(port, tmp_path), Clock(), Figures()))
    [mail] = inbox.mails
    assert mail["Subject"] == "Unknown executable ran on PC-0017: invoice.exe [3f9ac2d1]"
    assert mail["To"] == "admin@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    for said in (
        SHA, "PC-0017", "anna", "Switch 1", "Gi1/0/17", "02:00:00:00:00:11", "2026-11-21 08:41:00 CET",
        "/usr/bin/thunderbird", "ordered to remediation: sent to the switch, no answer yet", "17 hosts of the fleet",
    ):  # fmt: skip
        assert said.lower() in text.lower(), said
        assert said.lower() in html.lower(), said
    assert "/console/decide/" in text
    assert "<script" not in html
    assert "src=" not in html, "a mail loads nothing"


async def test_all_mails_about_one_executable_are_one_conversation(office: Office, tmp_path: Path) -> None:
    inbox, clock = Inbox(), Clock()
    with server(inbox) as port:
        worker = Worker(office.store, config_for(port, tmp_path), clock, Figures())
        office.runs(1)
        await settle(worker)
        office.runs(2)
        office.runs(3)
        await settle(worker)
        clock.now += 61 * SECOND
        await settle(worker)
        office.runs(4, kind=EventKind.DENIED_RAN, severity=Severity.URGENT)
        await settle(worker)
        office.runs(5, sha="b" * 64)
        await settle(worker)
    first, update, denied, other = inbox.mails
    root = first["Message-ID"]
    assert first["References"] is None
    assert update["References"] == update["In-Reply-To"] == denied["References"] == root
    assert other["References"] is None
    assert other["Message-ID"] != root
    assert len({mail["Message-ID"] for mail in inbox.mails}) == 4
    outlook = [base64.b64decode(mail["Thread-Index"])[6:22] for mail in inbox.mails]
    assert outlook[0] == outlook[1] == outlook[2] != outlook[3]
    assert denied["Subject"].startswith("URGENT: Denied executable ran on PC-0004")
    assert "2 more hosts" in update["Subject"]


async def test_hostile_names_inject_no_header_no_recipient_and_no_markup(office: Office, tmp_path: Path) -> None:
    inbox = Inbox()
    with server(inbox) as port:
        office.runs(1, name=HOSTILE, program=f"/tmp/{HOSTILE}")
        await settle(Worker(office.store, config_for(port, tmp_path), Clock(), Figures()))
    [mail] = inbox.mails
    assert inbox.envelopes[0].rcpt_tos == ["admin@example.org"]
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]
    html = mail.get_body(("html",)).get_content()
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "‹U+202E›" in html


async def test_1500_hosts_make_one_mail_at_once_and_at_most_four_updates(office: Office, tmp_path: Path) -> None:
    inbox, clock = Inbox(), Clock()
    with server(inbox) as port:
        worker = Worker(office.store, config_for(port, tmp_path), clock, Figures())
        for number in range(1, 1501):
            clock.now = T0 + number * 600 * SECOND // 1501
            office.runs(number, at=clock.now)
            if number % 100 == 1:
                await settle(worker)
                assert inbox.mails
        await settle(worker)
        clock.now = T0 + 1800 * SECOND
        await settle(worker)
    assert 2 <= len(inbox.mails) <= 5
    texts = " ".join(mail.get_body(("plain",)).get_content() for mail in inbox.mails)
    assert all(f"PC-{number:04}" in texts for number in range(1, 1501))


async def test_the_mail_server_goes_away_and_comes_back_and_nothing_is_lost(office: Office, tmp_path: Path) -> None:
    inbox, clock, port = Inbox(), Clock(), free_port()
    figures = Figures()
    worker = Worker(office.store, config_for(port, tmp_path), clock, figures)
    for number in range(1, 6):
        office.runs(number, sha=f"{number:064x}")
    await settle(worker)
    waiting = office.store.reading().find(Delivery, tenant=DEFAULT_TENANT, state="waiting")
    assert len(waiting) == 5
    assert any("cannot be reached" in delivery.error for delivery in waiting)
    with server(inbox, port):
        for _ in range(20):
            clock.now += 30 * SECOND
            await settle(worker)
    assert len(inbox.mails) == 5
    assert len({mail["Message-ID"] for mail in inbox.mails}) == 5
    assert figures.down.labels("mail")._value.get() == 0


async def test_a_refused_mail_is_told_with_the_servers_own_words(office: Office, tmp_path: Path) -> None:
    inbox = Inbox()
    inbox.refuse = "554 5.7.1 looks like spam"
    with server(inbox) as port:
        office.runs(1)
        await settle(Worker(office.store, config_for(port, tmp_path), Clock(), Figures()))
    [delivery] = office.store.reading().find(Delivery, tenant=DEFAULT_TENANT)
    assert "554 5.7.1 looks like spam" in delivery.error


@pytest.fixture
def certificate(tmp_path: Path) -> tls.Material:
    return tls.prepare(tmp_path / "smtp", ("localhost", "127.0.0.1"))


def context_of(material: tls.Material) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(material.certificate_file, material.key_file)
    return context


def only(user: bytes, password: bytes) -> Any:
    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (user, password), handled=False)

    return check


def secured(port: int, material: tls.Material, mode: str, password: Path) -> MailSettings:
    return MailSettings(
        "localhost", port, "pratique@example.org", ("admin@example.org",), mode, "nac", password, material.ca_file
    )


async def alert_for(office: Office, data: Path) -> Any:
    taken: list[Any] = []

    class Keep:
        async def send(self, alert: Any) -> str:
            taken.append(alert)
            return ""

    office.runs(1)
    await settle(Worker(office.store, config_for(1, data), Clock(), Figures(), {"mail": Keep()}))
    return taken[0]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize("mode", ["starttls", "tls"])
async def test_mail_goes_over_tls_with_a_checked_certificate_and_a_password(
    office: Office, tmp_path: Path, certificate: tls.Material, mode: str
) -> None:
    alert = await alert_for(office, tmp_path)
    secret = tmp_path / "mail.password"
    secret.write_text("s3cret\n")
    inbox, context = Inbox(), context_of(certificate)
    options: dict[str, Any] = {"authenticator": only(b"nac", b"s3cret"), "auth_required": True}
    options |= {"ssl_context": context} if mode == "tls" else {"tls_context": context, "require_starttls": True}
    if mode == "tls":
        options["auth_require_tls"] = False  # the whole connection is TLS already
    with server(inbox, **options) as port:
        settings = secured(port, certificate, mode, secret)
        assert await MailChannel(settings).send(alert) == ""
        secret.write_text("wrong")
        with pytest.raises(ChannelRefused, match="refused user and password"):
            await MailChannel(settings).send(alert)
        with pytest.raises(ChannelRefused, match="not trusted"):
            await MailChannel(replace(settings, ca_file=None)).send(alert)
    assert len(inbox.mails) == 1
    with pytest.raises(ChannelDown, match="cannot be reached"):
        await MailChannel(settings).send(alert)


async def test_a_server_without_starttls_is_refused_instead_of_falling_back_to_plain_text(
    office: Office, tmp_path: Path, certificate: tls.Material
) -> None:
    alert = await alert_for(office, tmp_path)
    secret = tmp_path / "mail.password"
    secret.write_text("s3cret")
    inbox = Inbox()
    with server(inbox) as port, pytest.raises(ChannelRefused, match="lacks what the configuration asks for"):
        await MailChannel(secured(port, certificate, "starttls", secret)).send(alert)
    assert inbox.mails == []


WORKER = """
import asyncio, sys
from pathlib import Path
from api.alerts import worker
from api.config import Config, Mail, Service
from radius_policy.store import open_store

async def main(database, data, port):
    config = Config(service=Service(data=Path(data)),
                    mail=Mail(server="127.0.0.1", port=int(port), from_="p@example.org", to=("a@example.org",)))
    store = await open_store(database, migrate=True)
    import time
    await worker.run(store, config, lambda: time.time_ns() // 1000, asyncio.Event())

asyncio.run(main(*sys.argv[1:]))
"""


async def test_kill_9_in_the_middle_loses_no_alert_and_repeats_at_most_the_one_on_its_way(tmp_path: Path) -> None:
    count = 60
    database = f"sqlite:///{tmp_path}/alerts.db"
    store = await open_store(database, migrate=True)
    office = Office(store)  # type: ignore[arg-type]
    for number in range(count):
        await store.write(lambda tx, n=number: office.put(tx, n, sha=f"{n:064x}", at=time.time_ns() // 1000))
    inbox, kills = Inbox(), 0
    with server(inbox) as port:
        command = [sys.executable, "-c", WORKER, database, str(tmp_path), str(port)]
        for _ in range(6):
            before = len(inbox.mails)
            with subprocess.Popen(command, cwd=REPOSITORY) as process:  # noqa: ASYNC220 - this loop is the test's own
                last = kills == 4
                enough = count if last else before + 8
                deadline = time.monotonic() + 40
                while len({m["Message-ID"] for m in inbox.mails}) < count and len(inbox.mails) < enough:
                    assert time.monotonic() < deadline, f"only {len(inbox.mails)} mails"
                    await asyncio.sleep(0.01)
                process.send_signal(signal.SIGKILL)
                kills += 1
            if len({mail["Message-ID"] for mail in inbox.mails}) == count:
                break
    await store.close()
    ids = [mail["Message-ID"] for mail in inbox.mails]
    assert len(set(ids)) == count, "every alert arrived"
    assert len(ids) - count <= kills, f"{len(ids) - count} repeated after {kills} kills"


@pytest.mark.peer("chromium")
def test_the_mail_reads_well_in_a_browser_wide_and_narrow_light_and_dark(office: Office, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    from api.alerts.render import render
    from tests.integration.console_pictures import CHROMIUM

    office.runs(1, name=HOSTILE, program="/home/anna/" + "x" * 300, order=OrderState.CONFIRMED)
    alert = asyncio.run(alert_for(office, tmp_path))
    page_file = tmp_path / "mail.html"
    page_file.write_text(render(alert).html, encoding="utf-8")
    with sync_playwright() as p:
        browser = p.chromium.launch(**CHROMIUM)
        for scheme in ("light", "dark"):
            for width in (390, 1000):
                page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                page.goto(page_file.as_uri())
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                page.close()
        browser.close()

"""Alerts by a real Postfix: TLS both ways, a login, a checked certificate, and the mail as it lies in the mailbox."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api import tls
from api.alerts.channels import ChannelRefused
from api.alerts.content import Alert
from api.alerts.mail import MailChannel, MailSettings
from radius_policy.store.memory import MemoryStore
from tests.integration.postfix_world import Postfix, postfix
from tests.unit.api.alerts.conftest import HOSTILE, SHA, Office
from tests.unit.api.alerts.test_content import alert as alert_of

pytestmark = [pytest.mark.anyio, pytest.mark.peer("postfix", "root")]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> tls.Material:
    return tls.prepare(tmp_path_factory.mktemp("tls"), ("localhost", "127.0.0.1"))


@pytest.fixture(scope="module")
def server(material: tls.Material) -> Iterator[Postfix]:
    with postfix(material, "nac", "s3cret") as running:
        yield running


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "mail.password"
    file.write_text("s3cret\n", encoding="utf-8")
    return file


@pytest.fixture
def alert() -> Alert:
    office = Office(MemoryStore())
    return alert_of(office, [office.runs(17, name=HOSTILE)])


def settings(server: Postfix, material: tls.Material, password: Path, mode: str) -> MailSettings:
    port = server.smtps if mode == "tls" else server.starttls
    to = ("Netzwächter <admin@example.org>",)
    return MailSettings("localhost", port, "pratique@example.org", to, mode, "nac", password, material.ca_file)


async def test_the_mail_lies_in_the_mailbox_as_it_was_meant_whichever_way_tls_begins(
    server: Postfix, material: tls.Material, password: Path, alert: Alert
) -> None:
    before = len(server.inbox(0))
    for number, mode in enumerate(("starttls", "tls")):
        sent = replace(alert, message_id=f"{number:032x}")
        assert await MailChannel(settings(server, material, password, mode)).send(sent) == ""
    mails = server.inbox(before + 2)[before:]
    for mail in mails:
        assert "Unknown executable ran on" in mail["Subject"]
        assert mail["Bcc"] is None
        assert mail["References"] == f"<{alert.conversation}@example.org>"
        assert "with ESMTPSA" in mail["Received"], "over TLS, logged in"
        text = mail.get_body(("plain",))
        assert text is not None
        assert SHA in text.get_content()
    assert {mail["Message-ID"] for mail in mails} == {f"<{number:032x}@example.org>" for number in range(2)}


async def test_a_wrong_password_or_certificate_is_refused_and_nothing_is_sent_in_the_clear(
    server: Postfix, material: tls.Material, password: Path, alert: Alert
) -> None:
    before = len(server.inbox(0))
    right = settings(server, material, password, "starttls")
    password.write_text("wrong", encoding="utf-8")
    with pytest.raises(ChannelRefused, match="refused user and password: 535"):
        await MailChannel(right).send(alert)
    with pytest.raises(ChannelRefused, match="not trusted"):
        await MailChannel(replace(right, ca_file=None)).send(alert)
    with pytest.raises(ChannelRefused, match="530"):
        await MailChannel(replace(right, tls="none", user="")).send(alert)
    assert len(server.inbox(0)) == before


async def test_without_a_login_the_server_takes_no_mail(
    server: Postfix, material: tls.Material, password: Path, alert: Alert
) -> None:
    with pytest.raises(ChannelRefused, match="554"):
        await MailChannel(replace(settings(server, material, password, "tls"), user="")).send(alert)

"""The mail sink keeps what it gets, and can be away for a while."""

import smtplib
import socket
from email.message import EmailMessage

import pytest

from lab.fabric import free_ports
from lab.mail import MailSink


def _send(port: int, subject: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@lab.example", "b@lab.example", subject
    message.set_content("body of " + subject)
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        client.send_message(message)


def test_mails_are_kept_over_an_absence() -> None:
    sink = MailSink(free_ports(1, socket.SOCK_STREAM)[0])
    sink.start()
    _send(sink.port, "one")
    sink.stop()
    with pytest.raises(OSError):
        _send(sink.port, "two")
    sink.start()
    _send(sink.port, "three")
    sink.stop()
    assert [mail.subject for mail in sink.mails] == ["one", "three"]
    assert "body of one" in sink.mails[0].text
    assert sink.mails[0].to == ("b@lab.example",)

"""Alerts by e-mail (SMTP, RFC 5321; message format RFC 5322).

Guarantees: all mails about one executable are one conversation (Message-ID, In-Reply-To and References, RFC 5322
3.6.4, derived from the hash; Thread-Index for Outlook), a mail sent again after a crash carries the same Message-ID, and
no header can be injected: every value is made visible text first, and the email package refuses line ends. With
`tls` `starttls` or `tls` the server's certificate is checked and there is no falling back to plain text.

It deliberately keeps no connection open: alerts are few, and a fresh connection needs no looking after.
"""

import base64
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path

import aiosmtplib

from api.alerts.channels import ChannelDown, ChannelRefused
from api.alerts.content import Alert
from api.alerts.credentials import context, read_secret
from api.alerts.render import render
from radius_policy.model import SECOND, Severity

TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class MailSettings:
    """`tls` is `none`, `starttls` or `tls`; `ca_file` replaces the system's certificates; `password_file` is read at each
    sending, so that a changed password needs no restart."""

    server: str
    port: int
    sender: str
    to: tuple[str, ...]
    tls: str = "none"
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None


def message(alert: Alert, settings: MailSettings) -> EmailMessage:
    """The mail for an alert. Raises ChannelRefused where an address of the configuration is none."""
    rendered = render(alert)
    sender = _address(settings.sender)
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = rendered.subject
    mail["From"] = Address("Pratique", addr_spec=sender.addr_spec) if not sender.display_name else sender
    mail["To"] = tuple(_address(to) for to in settings.to)
    mail["Date"] = format_datetime(datetime.fromtimestamp(alert.at / SECOND, UTC))
    mail["Message-ID"] = _id(alert.message_id, sender)
    if alert.message_id != alert.conversation:
        mail["In-Reply-To"] = _id(alert.conversation, sender)
        mail["References"] = _id(alert.conversation, sender)
    mail["Thread-Index"] = _thread_index(alert)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    if alert.severity is Severity.URGENT:
        mail["Importance"] = "high"
    if alert.program:
        mail["X-Pratique-Executable"] = alert.program.sha256
    mail["X-Pratique-Kind"] = str(alert.kind)
    mail.set_content(rendered.text)
    mail.add_alternative(rendered.html, subtype="html")
    return mail


class MailChannel:
    """Sends alerts to one SMTP server."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings

    async def send(self, alert: Alert) -> str:
        settings = self._settings
        mail = message(alert, settings)
        server = f"mail server {settings.server}:{settings.port}"
        try:
            refused, _ = await aiosmtplib.send(
                mail,
                hostname=settings.server,
                port=settings.port,
                username=settings.user or None,
                password=self._password(),
                use_tls=settings.tls == "tls",
                start_tls=settings.tls == "starttls",
                tls_context=context(settings.ca_file) if settings.tls != "none" else None,
                timeout=TIMEOUT_S,
            )
        except aiosmtplib.SMTPAuthenticationError as error:
            raise ChannelRefused(f"{server} refused user and password: {_said(error)}") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            worst = max((one.code for one in error.recipients), default=0)
            said = "; ".join(f"{one.recipient}: {_said(one)}" for one in error.recipients)
            kind = ChannelRefused if worst >= 500 else ChannelDown
            raise kind(f"{server} refused every recipient: {said}") from error
        except aiosmtplib.SMTPResponseException as error:
            kind = ChannelRefused if 500 <= error.code < 600 else ChannelDown
            raise kind(f"{server} answered {_said(error)}") from error
        except aiosmtplib.SMTPNotSupported as error:
            raise ChannelRefused(f"{server} lacks what the configuration asks for: {error}") from error
        except ssl.SSLCertVerificationError as error:
            raise ChannelRefused(
                f"{server} showed a certificate that is not trusted: {error.verify_message}"
            ) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            if (
                type(error) is aiosmtplib.SMTPException
            ):  # what the library knows will not work, such as STARTTLS missing
                raise ChannelRefused(f"{server} lacks what the configuration asks for: {error}") from error
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                why = error.__cause__.verify_message
                raise ChannelRefused(f"{server} showed a certificate that is not trusted: {why}") from error
            raise ChannelDown(f"{server} cannot be reached: {error}") from error
        return "; ".join(f"{server} took it, but not for {to}: {r.code} {r.message}" for to, r in refused.items())

    def _password(self) -> str | None:
        file = self._settings.password_file
        if not self._settings.user or file is None:
            return None
        return read_secret(file, "the mail password").decode("utf-8", "replace")


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {' '.join(str(error.message).split())}"


def _address(text: str) -> Address:
    name, plain = parseaddr(text)
    try:
        if not text.isprintable():
            raise ValueError("it has a line end or control character")
        return Address(name, addr_spec=plain)
    except (ValueError, IndexError) as error:
        raise ChannelRefused(f'"{text}" in the configuration of mail is no e-mail address') from error


def _id(name: str, sender: Address) -> str:
    return f"<{name}@{sender.domain or 'pratique.invalid'}>"


_FILETIME_1601 = 11_644_473_600 * SECOND


def _thread_index(alert: Alert) -> str:
    """Outlook's conversation index ([MS-OXOMSG] 2.2.1.3): 6 octets of time, 16 of the conversation, 5 per reply."""
    stamp = (_FILETIME_1601 + alert.at) * 10
    head = stamp.to_bytes(8, "big")[:6] + bytes.fromhex(alert.conversation)[:16]
    reply = b"" if alert.message_id == alert.conversation else bytes.fromhex(alert.message_id)[:5]
    return base64.b64encode(head + reply).decode()

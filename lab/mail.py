"""The lab's mail sink: an SMTP server on loopback that keeps every message with its time of arrival."""

import time
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as it arrived (`us`: wall clock, microseconds)."""

    us: int
    to: tuple[str, ...]
    subject: str
    text: str


class _Keeper:
    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the name aiosmtpd calls
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        body = message.get_body(("plain", "html"))
        text = body.get_content() if body else ""
        self.mails.append(Mail(time.time_ns() // 1000, tuple(envelope.rcpt_tos), str(message["subject"]), text))
        return "250 kept"


class MailSink:
    """Runs in a thread between `start` and `stop`, and may be started again on the same port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._keeper = _Keeper()
        self._controller: Any = None

    @property
    def mails(self) -> list[Mail]:
        return list(self._keeper.mails)

    def start(self) -> None:
        self._controller = Controller(self._keeper, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

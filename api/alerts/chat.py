"""Alerts to chat and phone services (Teams, Slack, ntfy, PagerDuty, SMS, …) by Apprise, which speaks to about a hundred.

Guarantees: one service that fails does not hide that another took it: each is told by itself, and those that did not are
named in the note. Its addresses hold tokens, so they stand in a file, one a line, and no address is ever shown or logged.
Apprise comes with the extra `chat` and is imported when the first alert goes this way.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

import msgspec

from api import words
from api.alerts.channels import ChannelDown, ChannelRefused
from api.alerts.content import Alert
from api.alerts.credentials import read_secret
from api.alerts.render import brief
from radius_policy.model import Severity

if TYPE_CHECKING:
    from types import ModuleType

MISSING: Final = "chat alerts need the package apprise, which is not installed here: pip install 'pratique[chat]'"
MOST: Final = 5
"""Addresses of one file: told one after the other, all must fit into the time that a channel has."""
_TYPE: Final = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.URGENT: "failure"}


class Chat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="chat"):
    """`urls_file` has one Apprise address a line; empty lines and those that begin with # count for nothing."""

    urls_file: str


class ChatChannel:
    """Tells the services of one file."""

    def __init__(self, spec: Chat) -> None:
        self._spec = spec

    async def send(self, alert: Alert) -> str:
        # Importing Apprise and its hundred services takes a second, in which alerts by other ways must not wait.
        apprise, services = await asyncio.to_thread(_services, self._spec.urls_file)
        title, body = brief(alert)
        # One after the other: what Apprise says of a failure goes to one log, and must be that of this service.
        done = [await _tell(apprise, each, title, body, _TYPE[alert.severity]) for each in services]
        failed = [f"{service.service_name}: {why}" for service, why in zip(services, done, strict=True) if why]
        if len(failed) == len(services):
            raise ChannelDown("; ".join(failed))
        return f"not taken by {'; '.join(failed)}" if failed else ""


async def _tell(apprise: Any, service: Any, title: str, body: str, kind: str) -> str:
    """Empty where it took it, else what Apprise said of it."""
    one = apprise.Apprise()
    one.add(service)
    with apprise.LogCapture(level=logging.WARNING, name="apprise", fmt="%(message)s") as said:
        taken = await one.async_notify(body=body, title=title, notify_type=kind)
        lines = said.getvalue().strip().splitlines()
    if taken:
        return ""
    return words.visible(lines[-1], 200) if lines else "it did not take the message"


def _services(file: str) -> tuple[Any, list[Any]]:
    apprise = _apprise()
    text = read_secret(file, "the list of chat addresses").decode("utf-8", "replace")
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    services = []
    for number, line in lines:
        if not line or line.startswith("#"):
            continue
        service = apprise.Apprise.instantiate(line, suppress_exceptions=True)
        if service is None:
            raise ChannelRefused(f"line {number} of {file} is no address that Apprise knows")
        services.append(service)
    if len(services) > MOST:
        raise ChannelRefused(f"{file} has {len(services)} addresses, at most {MOST} fit: make a second channel")
    if not services:
        raise ChannelRefused(f"{file} has no address: write one a line, for example ntfys://ntfy.example.org/alerts")
    return apprise, services


def _apprise() -> "ModuleType":
    try:
        import apprise
    except ModuleNotFoundError as error:
        raise ChannelRefused(MISSING) from error
    module: ModuleType = apprise
    return module

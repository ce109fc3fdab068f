"""Where alerts go: the `[mail]` section of the configuration and the setting `alerts` of the tenant.

    {"routes": [{"name": "night", "channels": ["phone", "mail"], "when": "off", "people": ["anna", "boris"]}],
     "people": {"anna": ["anna-phone"], "boris": ["boris-mail", "mail"]},
     "hours": {"days": ["mon", "tue"], "from": "07:00", "to": "18:00"},
     "digest": {"daily": {"at": "07:00"}, "weekly": {"day": "mon"}},
     "channels": {"phone": {"type": "webhook", "url": "https://…", "secret_file": "/etc/pratique/hook.key"}}}

Guarantees: what does not fit is a `BadSettings` with the path of the wrong field; secrets stand in files, never in the
store. The channel `mail` exists when `[mail] server` is set. A channel is one struct here and one class with `send`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from api.alerts.channels import Channel
from api.alerts.chat import Chat, ChatChannel
from api.alerts.file import File, FileChannel
from api.alerts.mail import MailChannel, MailSettings
from api.alerts.periods import Digests
from api.alerts.routes import DEFAULT_ROUTES, Hours, Name, Route
from api.alerts.syslog import Syslog, SyslogChannel
from api.alerts.webhook import Webhook, WebhookChannel
from api.errors import Refused

SETTING = "alerts"
MAIL = "mail"
"""The channel that the configuration makes."""


class BadSettings(Refused):
    """The setting `alerts` cannot be used; the message says what is wrong where."""


class MailConfig(Protocol):
    """The `[mail]` section (api/config.py)."""

    @property
    def server(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def tls(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def password_file(self) -> Path | None: ...
    @property
    def ca_file(self) -> Path | None: ...
    @property
    def from_(self) -> str: ...
    @property
    def to(self) -> tuple[str, ...]: ...


class MailTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="mail"):
    """Other recipients by the configured mail server."""

    to: Annotated[tuple[str, ...], Meta(min_length=1)]


Spec = MailTo | Webhook | Syslog | File | Chat
Channels = Annotated[tuple[Name, ...], Meta(min_length=1)]


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The setting `alerts`. `people` have channels in the order in which they are to be tried."""

    routes: tuple[Route, ...] = DEFAULT_ROUTES
    hours: Hours = Hours()
    people: dict[Name, Channels] = {}
    digest: Digests = Digests()
    channels: dict[Name, Spec] = {}


def parse(value: Mapping[str, Any] | None) -> AlertSettings:
    """From the setting's JSON data; None gives the defaults. Raises BadSettings."""
    if value is None:
        return AlertSettings()
    try:
        settings = msgspec.convert(value, AlertSettings)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadSettings(f"the setting alerts: {error}") from error
    names = [route.name for route in settings.routes]
    if len(set(names)) != len(names):
        raise BadSettings("the setting alerts: two routes have the same name")
    return settings


def checked(value: Mapping[str, Any]) -> AlertSettings:
    """What may be stored: as `parse`, and every name that is used is one that is there. Raises BadSettings."""
    settings = parse(value)
    known = {MAIL, *settings.channels}
    for where, names in _used(settings):
        if missing := sorted(set(names) - known):
            raise BadSettings(
                f'the setting alerts: {where} names the channel "{missing[0]}", which is not there; there are {", ".join(sorted(known))}'
            )
    for route in settings.routes:
        if missing := sorted(set(route.people) - set(settings.people)):
            raise BadSettings(f'the setting alerts: route {route.name} names "{missing[0]}", who is not in people')
    for name, each in settings.digest.all().items():
        for channel in each.channels:
            spec = settings.channels.get(channel)
            if isinstance(spec, Webhook | Syslog | File) and spec.format == "ocsf":
                raise BadSettings(f"the setting alerts: the {name} digest cannot go to {channel}: OCSF has no digests")
    return settings


def _used(settings: AlertSettings) -> Iterable[tuple[str, tuple[str, ...]]]:
    yield from ((f"route {route.name}", route.channels) for route in settings.routes)
    yield from ((f"person {name}", channels) for name, channels in settings.people.items())
    yield from ((f"the {name} digest", each.channels) for name, each in settings.digest.all().items())


def channels(settings: AlertSettings, mail: MailConfig) -> dict[str, Channel]:
    """Name → channel, of all that are configured."""
    made: dict[str, Channel] = {}
    if mail.server and mail.to:
        made[MAIL] = MailChannel(_mail(mail, mail.to))
    for name, spec in settings.channels.items():
        if channel := _channel(spec, mail):
            made[name] = channel
    return made


def _channel(spec: Spec, mail: MailConfig) -> Channel | None:
    match spec:
        case MailTo():
            return MailChannel(_mail(mail, spec.to)) if mail.server else None
        case Webhook():
            return WebhookChannel(spec)
        case Syslog():
            return SyslogChannel(spec)
        case File():
            return FileChannel(spec)
        case Chat():
            return ChatChannel(spec)


def usable(routes: tuple[Route, ...], known: Mapping[str, Channel]) -> tuple[Route, ...]:
    """The routes, each with those of its channels that exist; one without any is left out."""
    return tuple(
        msgspec.structs.replace(route, channels=there)
        for route in routes
        if (there := tuple(name for name in route.channels if name in known))
    )


def reachable(people: Mapping[str, tuple[str, ...]], known: Mapping[str, Channel]) -> dict[str, tuple[str, ...]]:
    """Each person with those of their channels that exist; one without any is left out."""
    found = {name: tuple(each for each in chain if each in known) for name, chain in people.items()}
    return {name: chain for name, chain in found.items() if chain}


def _mail(mail: MailConfig, to: tuple[str, ...]) -> MailSettings:
    return MailSettings(mail.server, mail.port, mail.from_, to, mail.tls, mail.user, mail.password_file, mail.ca_file)

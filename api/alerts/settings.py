"""Where alerts go: the `[mail]` section of the configuration and the setting `alerts` of the tenant.

    {"routes": [{"name": "night", "channels": ["phone", "mail"], "when": "off"}],
     "hours": {"days": ["mon", "tue"], "from": "07:00", "to": "18:00"},
     "channels": {"phone": {"type": "webhook", "url": "https://…", "secret_file": "/etc/pratique/hook.key"}}}

Guarantees: what does not fit is a `BadSettings` with the path of the wrong field; secrets stand in files, never in the
store. The channel `mail` exists when `[mail] server` is set.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from api.alerts.channels import Channel
from api.alerts.mail import MailChannel, MailSettings
from api.alerts.routes import DEFAULT_ROUTES, Hours, Name, Route

SETTING = "alerts"


class BadSettings(Exception):
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
    def from_(self) -> str: ...
    @property
    def to(self) -> tuple[str, ...]: ...


class MailTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="mail"):
    """Other recipients by the configured mail server."""

    to: Annotated[tuple[str, ...], Meta(min_length=1)]


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The setting `alerts`."""

    routes: tuple[Route, ...] = DEFAULT_ROUTES
    hours: Hours = Hours()
    channels: dict[Name, MailTo] = {}


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


def channels(settings: AlertSettings, mail: MailConfig) -> dict[str, Channel]:
    """Name → channel, of all that are configured."""
    made: dict[str, Channel] = {}
    if mail.server and mail.to:
        made["mail"] = MailChannel(_mail(mail, mail.to))
    for name, spec in settings.channels.items():
        if mail.server:
            made[name] = MailChannel(_mail(mail, spec.to))
    return made


def usable(routes: tuple[Route, ...], known: Mapping[str, Channel]) -> tuple[Route, ...]:
    """The routes, each with those of its channels that exist; one without any is left out."""
    return tuple(
        msgspec.structs.replace(route, channels=there)
        for route in routes
        if (there := tuple(name for name in route.channels if name in known))
    )


def _mail(mail: MailConfig, to: tuple[str, ...]) -> MailSettings:
    ca_file: Path | None = getattr(mail, "ca_file", None)
    return MailSettings(mail.server, mail.port, mail.from_, to, mail.tls, mail.user, mail.password_file, ca_file)

"""Where alerts go: what does not fit is refused with the path of the wrong field."""

from typing import Any, get_args

import pytest

from api.alerts.mail import MailChannel
from api.alerts.routes import DEFAULT_ROUTES, Route
from api.alerts.settings import BadSettings, Spec, channels, checked, parse, reachable, usable
from api.config import Mail

MAIL = Mail(server="mail.example.org", to=("admin@example.org",))


def test_without_the_setting_the_default_routes_hold() -> None:
    assert parse(None).routes == DEFAULT_ROUTES


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"routes": [{"name": "all", "chanels": ["mail"]}]}, r"\$\.routes\[0\]|chanels"),
        ({"routes": [{"name": "all", "channels": []}]}, "length"),
        ({"routes": [{"name": "Ä b", "channels": ["mail"]}]}, "name"),
        ({"routes": [{"name": "a", "channels": ["mail"]}, {"name": "a", "channels": ["mail"]}]}, "same name"),
        ({"hours": {"from": "18:00", "to": "07:00"}}, "begin before they end"),
        ({"hours": {"from": "seven", "to": "eight"}}, "seven"),
        ({"channels": {"phone": {"type": "pigeon"}}}, "pigeon"),
        ({"roads": []}, "roads"),
    ],
)
def test_what_does_not_fit_is_named(value: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSettings, match=said):
        parse(value)


def test_a_route_keeps_the_channels_that_exist_and_one_without_any_is_left_out() -> None:
    made = channels(parse({"channels": {"night": {"type": "mail", "to": ["night@example.org"]}}}), MAIL)
    routes = (Route("a", ("pager", "mail")), Route("b", ("pager",)), Route("c", ("night", "mail")))
    assert [(route.name, route.channels) for route in usable(routes, made)] == [
        ("a", ("mail",)),
        ("c", ("night", "mail")),
    ]
    assert isinstance(made["night"], MailChannel)


CHANNELS = {
    "siem": {"type": "syslog", "host": "siem.example.org", "format": "ocsf"},
    "hook": {"type": "webhook", "url": "https://hook.example.org/", "secret_file": "/k"},
    "log": {"type": "file", "path": "/var/log/pratique/alerts.jsonl"},
    "team": {"type": "chat", "urls_file": "/etc/pratique/chat.urls"},
    "night": {"type": "mail", "to": ["night@example.org"]},
}


def test_each_type_of_channel_has_its_example_here() -> None:
    types = {kind.__struct_config__.tag for kind in get_args(Spec)}
    assert {each["type"] for each in CHANNELS.values()} == types, "write an example of your channel into CHANNELS"


def test_each_type_of_channel_is_made_and_mail_needs_the_mail_server() -> None:
    made = channels(checked({"channels": CHANNELS}), MAIL)
    assert {name: type(each).__name__ for name, each in made.items()} == {
        "mail": "MailChannel",
        "siem": "SyslogChannel",
        "hook": "WebhookChannel",
        "log": "FileChannel",
        "team": "ChatChannel",
        "night": "MailChannel",
    }
    assert set(channels(parse({"channels": CHANNELS}), Mail())) == {"siem", "hook", "log", "team"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"routes": [{"name": "all", "channels": ["pager"]}]}, 'route all names the channel "pager".*there are mail'),
        ({"people": {"anna": ["pager"]}}, 'person anna names the channel "pager"'),
        ({"routes": [{"name": "all", "channels": ["mail"], "people": ["anna"]}]}, 'names "anna", who is not in people'),
        ({"people": {"anna": []}}, "length"),
        ({"digest": {"daily": {"channels": ["siem"]}}, "channels": CHANNELS}, "OCSF has no digests"),
        ({"digest": {"daily": {"at": "25:00"}}}, "hour"),
        ({"channels": {"u": {"type": "syslog", "host": "h", "transport": "udp", "format": "ocsf"}}}, "datagram"),
        ({"channels": {"u": {"type": "webhook", "url": "http://far.example.org/", "secret_file": "/k"}}}, "clear"),
    ],
)
def test_what_names_nothing_that_is_there_is_not_stored(value: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSettings, match=said):
        checked(value)


def test_a_person_keeps_the_channels_that_exist() -> None:
    made = channels(parse({"channels": {"night": {"type": "mail", "to": ["night@example.org"]}}}), MAIL)
    people = {"anna": ("pager", "night"), "boris": ("pager",)}
    assert reachable(people, made) == {"anna": ("night",)}


def test_without_a_mail_server_there_is_no_channel() -> None:
    assert channels(parse(None), Mail()) == {}
    assert channels(parse(None), Mail(server="mail.example.org")) == {}

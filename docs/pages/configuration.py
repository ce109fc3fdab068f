"""The page of the configuration: every key of `pratique.toml` and every setting of the store, with its default.

Keys, types and defaults are read off `api.config` and `api.admin.settings`; what they mean stands here, and a test
says that no key is missing and none is left over.
"""

import json
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Final

from api.admin.settings import SETTINGS
from api.config import PREFIX, SEARCHED, SECTIONS, Address
from docs.pages import table

KEYS: Final[dict[str, str]] = {
    "service.data": "folder of keys, certificates, the RADIUS snapshot and (by default) the database; for the service's eyes only",
    "service.database": "the database's URL: `sqlite:///PATH` or `postgresql://USER@HOST/NAME`; empty: `pratique.db` in the data folder",
    "service.tenant": "whom this installation serves; a number that stands in every key of the store",
    "api.listen": "where HTTPS listens (console, REST API and agents): `HOST:PORT` or `[IPV6]:PORT`",
    "api.names": "names and addresses in the server's certificate; agents reach the service by the first, unless `url` is set",
    "api.url": "where agents and browsers reach this service, if not by the first name and the port of `listen`",
    "radius.authentication": "where Access-Requests are taken (UDP)",
    "radius.accounting": "where Accounting-Requests are taken (UDP)",
    "radius.coa_source": "the address that CoA and Disconnect requests are sent from",
    "mail.server": "the SMTP server of alerts; empty: no alert is mailed",
    "mail.port": "its port",
    "mail.tls": "`none`, `starttls` or `tls`; with the last two the server's certificate is checked and nothing falls back to plain text",
    "mail.user": "the user to log in as; empty: no login",
    "mail.password_file": "a file with the password alone, read at each sending",
    "mail.ca_file": "the CA certificate (PEM) of a mail server that the system's CAs do not know, read at each sending",
    "mail.from": "the sender's address",
    "mail.to": "who gets alerts; further recipients and routes are the setting `alerts`",
    "site.name": "the site that endpoints join when their token names none",
    "site.timezone": "the zone in which times are shown and read",
    "scripts.folder": "the folder of the scripts that events may run: no other program can be named",
    "scripts.user": "whom they run as where the service runs as root; never root itself",
}
"""What each key of the file means."""

STORED: Final[dict[str, str]] = {
    "mode": "`learn`, `monitor` or `enforce`, for everything (`default`), a site or a group; changed by `pratique mode`",
    "pause": "whether all automatic moves are stopped; changed by `pratique pause`",
    "vlans": "the VLAN (number or name) that RADIUS answers for each access",
    "breaker": 'limits of automatic moves: `executable`, `site`, `fleet`, `tenant`, each `{"number", "percent", "least", "window_s"}`, and `sites` for single ones; defaults in [the tables](tables.md#the-breaker)',
    "rules": "the grace rules; changed by `pratique policy edit`, empty: the shipped ones",
    "groups": '`{"GROUP": {"min_available": N}}`: so many of the group stay in production whatever they run',
    "choices": '`{"SITE": {"compromised", "unmonitored", "unlisted"}}`: the access that a site gives there; `""` is every other site',
    "unmonitored": "access of an endpoint whose agent is silent, where its site chooses nothing else",
    "unlisted": "access of a MAC address that no endpoint has proved",
    "unknown_network": "`off`: unknown programs get no network, whatever a rule asks for besides: the agent is asked to `cut` each (agents of this release refuse, and that is told); by default or at a site, whose own word goes first",
    "maintenance": 'windows that rules may ask about: `{"windows": [{"start_us", "end_us", "site", "group"}]}`, times in microseconds (UTC)',
    "pilot": "the group whose hosts are the pilot ring of the grace rules",
    "held": '`{"release_after_move": false}` refuses a held start even when its host was moved, `{"deny_in_monitor": true}` refuses denied programs in mode monitor too',
    "trips": "after so many `minutes` without an answer to a breaker trip the next person is called and the `choice` holds, by default or at a site: `keep`, `release` (moved hosts return) or `quarantine` (those who ran what it contains are moved, protected ones not; a pause puts it off)",
    "session_timeout": "Session-Timeout in seconds that RADIUS answers for each access, after which the switch asks again; empty: none",
    "timezone": "the zone of this tenant in mails, console and rules, instead of `site.timezone`",
    "alerts": "routes, people, working hours, digests and channels: see [its page](alerts.md)",
    "scripts": "scripts that events run: see [its page](../how-to/run-a-script.md)",
    "retention": "how long each kind of data is kept, in days: see [its page](retention.md)",
    "reference_sets": 'sets of known hashes: `{"sets": [{"name", "path", "allows"}]}`; with `"allows": true` what a set knows counts as allowed',
}
"""What each setting of the store means."""

EXAMPLE: Final = """[service]
data = "/var/lib/pratique"

[api]
listen = "0.0.0.0:8443"
names = ["nac.example.org", "10.0.0.5"]

[radius]
authentication = "0.0.0.0:1812"
accounting = "0.0.0.0:1813"

[mail]
server = "mail.example.org"
port = 587
tls = "starttls"
user = "pratique"
password_file = "/etc/pratique/mail.password"
from = "pratique@example.org"
to = ["netops@example.org"]

[site]
name = "hamburg"
timezone = "Europe/Berlin"

[scripts]
folder = "/etc/pratique/scripts"
user = "nobody"
"""


def page() -> str:
    """The whole page."""
    searched = ", ".join(f"`{path}`" for path in SEARCHED)
    sections = "\n\n".join(f"## [{section}]\n\n{_section(section)}" for section in SECTIONS)
    stored = table(
        ("setting", "default", "meaning"),
        ((f"`{name}`", f"`{json.dumps(value)}`", STORED.get(name, "")) for name, value in SETTINGS.items()),
    )
    return f"""# Configuration

One file, `pratique.toml`: named by `--config` or `PRATIQUE_CONFIG`, else the first of {searched} that exists, else the
defaults. It holds what a process needs before the store is open. An unknown key is an error that names file, line and the
nearest known key. Relative paths stand on the folder of the file. `pratique config check` checks it, `pratique config
show` prints what holds.

```toml
{EXAMPLE}```

The environment overrides any key: `{PREFIX}SECTION_KEY`, for example `{PREFIX}API_LISTEN=127.0.0.1:8443`; lists are
separated by commas. `PRATIQUE_DATABASE` is the same as `--database`.

{sections}

## Settings in the store

All else is kept in the store, for each tenant: set by console, REST API or `pratique setting set NAME JSON`, shown by
`pratique setting show`. Every change has a version, an author and a line in the audit. A value that makes no sense is
refused when it is set.

{stored}
"""


def _section(section: str) -> str:
    rows = []
    for field in fields(SECTIONS[section]):
        key = field.name.rstrip("_")
        variable = f"{PREFIX}{section}_{key}".upper()
        rows.append(
            (
                f"`{key}`",
                _type(field),
                _default(f"{section}.{key}", field),
                KEYS.get(f"{section}.{key}", ""),
                f"`{variable}`",
            )
        )
    return table(("key", "type", "default", "meaning", "environment"), rows)


def _example(field: "Field[Any]") -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _type(field: "Field[Any]") -> str:
    value = _example(field)
    if isinstance(value, Address):
        return "HOST:PORT"
    if isinstance(value, tuple):
        return "list of texts"
    if isinstance(value, Path) or value is None:
        return "path"
    return "number" if isinstance(value, int) else "text"


def _default(key: str, field: "Field[Any]") -> str:
    value = _example(field)
    if key == "api.names":
        return "this machine's name, `localhost`, `127.0.0.1`"  # the same page on every machine
    if value in (None, "", ()):
        return "none"
    return f"`{value}`"

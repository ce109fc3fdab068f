"""The one file that a service is started with: `pratique.toml`, with `PRATIQUE_SECTION_KEY` overrides.

Guarantees: what `load` returns is complete and of the right types; an unknown key, a wrong type or an address that is
none is a `ConfigError` whose sentence names file, line and the nearest known key. Relative paths stand on the folder
of the file. It holds only what is needed before the store is open (listeners, database, paths of secrets, mail
server); modes, rules, limits, switches and people live in the store.

It deliberately reads no secret: `mail.password_file` is a path, read when mail is sent.
"""

import os
import re
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

PREFIX: Final = "PRATIQUE_"
SEARCHED: Final = (Path("pratique.toml"), Path("/etc/pratique/pratique.toml"))
NOT_KEYS: Final = frozenset({"PRATIQUE_CONFIG", "PRATIQUE_DATABASE", "PRATIQUE_NAS_SECRET", "PRATIQUE_ROLE"})
"""Variables with the prefix that the command itself reads; they override no key."""


class ConfigError(Exception):
    """The configuration cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: an address of this machine and a port (0 lets the system choose one)."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """From `HOST:PORT` or `[IPV6]:PORT`. Raises ValueError."""
        host, separator, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not separator or not host or not port.isdecimal() or int(port) > 65535:
            raise ValueError(f'"{text}" is no address: write HOST:PORT, for example "0.0.0.0:8443"')
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _own_names() -> tuple[str, ...]:
    name = socket.gethostname()
    return tuple(dict.fromkeys((name, "localhost", "127.0.0.1")))


@dataclass(frozen=True, slots=True)
class Service:
    """`data` is the folder of keys, snapshot and (by default) database; `tenant` whom this installation serves."""

    data: Path = Path("/var/lib/pratique")
    database: str = ""
    tenant: int = 1


@dataclass(frozen=True, slots=True)
class Api:
    """HTTPS. `names` stand in the server's certificate; agents reach the service by the first, unless `url` is set."""

    listen: Address = Address("0.0.0.0", 8443)
    names: tuple[str, ...] = field(default_factory=_own_names)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Radius:
    """UDP. `coa_source` is the address that CoA requests are sent from."""

    authentication: Address = Address("0.0.0.0", 1812)
    accounting: Address = Address("0.0.0.0", 1813)
    coa_source: str = "0.0.0.0"


@dataclass(frozen=True, slots=True)
class Mail:
    """Alerts by SMTP; no `server` sends none. `tls` is `none`, `starttls` or `tls`; `ca_file` is the CA of a mail server that
    the system's CAs do not know."""

    server: str = ""
    port: int = 25
    tls: str = "none"
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    from_: str = "pratique@localhost"
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """The site that endpoints join when their token names none, and its time zone."""

    name: str = "main"
    timezone: str = "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Scripts:
    """Scripts that events run: `folder` holds all that may be run, `user` is whom they run as where this service is root."""

    folder: Path = Path("/etc/pratique/scripts")
    user: str = "nobody"


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration. `file` is None when no file was found and the defaults hold."""

    service: Service = Service()
    api: Api = field(default_factory=Api)
    radius: Radius = Radius()
    mail: Mail = Mail()
    site: Site = Site()
    scripts: Scripts = Scripts()
    file: Path | None = None

    @property
    def database(self) -> str:
        """The database's URL; by default a SQLite file in the data folder."""
        return self.service.database or f"sqlite:///{self.service.data.absolute() / 'pratique.db'}"

    @property
    def bells(self) -> tuple[Path, Path]:
        """The doorbells of the API and of the RADIUS process."""
        return self.service.data / "api.bell", self.service.data / "radius.bell"

    @property
    def url(self) -> str:
        """Where agents and browsers reach this service."""
        if self.api.url:
            return self.api.url.rstrip("/")
        name = self.api.names[0] if self.api.names else self.api.listen.host
        return f"https://{Address(name, self.api.listen.port)}"


SECTIONS: Final[Mapping[str, type]] = {
    "service": Service,
    "api": Api,
    "radius": Radius,
    "mail": Mail,
    "site": Site,
    "scripts": Scripts,
}
_TLS: Final = ("none", "starttls", "tls")


def load(
    path: Path | str | None = None, environ: Mapping[str, str] = os.environ, *, database: str | None = None
) -> Config:
    """The configuration from `path`, else from `PRATIQUE_CONFIG`, else from the first of `SEARCHED` that exists, else
    the defaults; then overridden by the environment, and by `database`, another database's URL. Raises ConfigError."""
    named = path or environ.get("PRATIQUE_CONFIG")
    file = Path(named) if named else next((p for p in SEARCHED if p.is_file()), None)
    text = _read(file) if file else ""
    loaded = parse(text, file, environ)
    return replace(loaded, service=replace(loaded.service, database=database)) if database else loaded


def parse(text: str, file: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration from TOML text. `file` names it in errors and anchors relative paths. Raises ConfigError."""
    source = str(file) if file else "pratique.toml"
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: this is no TOML: {error}") from error
    base = (file.parent if file else Path()).absolute()
    values: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for section, table in data.items():
        where = f"{source}:{_line(text, section, None)}"
        if section not in SECTIONS:
            raise ConfigError(f"{where}: unknown section [{section}]{_nearest(section, SECTIONS)}")
        if not isinstance(table, dict):
            raise ConfigError(f"{where}: {section} is a section: write [{section}] on a line of its own")
        for key, value in table.items():
            place = f"{source}:{_line(text, section, key)}"
            name = _attribute(section, key, place)
            values[section][name] = _typed(section, key, value, place, base)
    for variable, value in (environ or {}).items():
        if variable.startswith(PREFIX) and variable not in NOT_KEYS:
            section, key = _split(variable)
            name = _attribute(section, key, variable)
            values[section][name] = _from_text(section, key, value, variable)
    return Config(
        service=Service(**values["service"]),
        api=Api(**values["api"]),
        radius=Radius(**values["radius"]),
        mail=Mail(**values["mail"]),
        site=Site(**values["site"]),
        scripts=Scripts(**values["scripts"]),
        file=file,
    )


def shown(config: Config) -> dict[str, dict[str, Any]]:
    """All keys with their values as plain data, defaults included: what `pratique config show` prints."""
    return {
        section: {f.name.rstrip("_"): _plain(getattr(getattr(config, section), f.name)) for f in fields(kind)}
        for section, kind in SECTIONS.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Path | Address):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{file}: there is no such file; give its place by --config or PRATIQUE_CONFIG") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from error


def _fields(section: str) -> dict[str, "Field[Any]"]:
    return {f.name.rstrip("_"): f for f in fields(SECTIONS[section])}


def _attribute(section: str, key: str, where: str) -> str:
    known = _fields(section)
    if key not in known:
        raise ConfigError(f'{where}: unknown key "{key}" in [{section}]{_nearest(key, known)}')
    return known[key].name


def _nearest(word: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f'; did you mean "{close[0]}"?' if close else f"; known are {', '.join(known)}"


def _split(variable: str) -> tuple[str, str]:
    section, _, key = variable.removeprefix(PREFIX).lower().partition("_")
    if section not in SECTIONS:
        raise ConfigError(f"{variable}: overrides no section{_nearest(section, SECTIONS)}")
    return section, key


def _example(section: str, key: str) -> Any:
    """The default value of a key: it decides the type."""
    found = _fields(section)[key]
    return found.default_factory() if found.default_factory is not MISSING else found.default


def _typed(section: str, key: str, value: Any, where: str, base: Path) -> Any:
    default = _example(section, key)
    name = f"{section}.{key}"
    if isinstance(default, Address):
        return _address(value, where, name)
    if isinstance(default, tuple):
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f'{where}: {name} is a list of texts, for example ["nac.example.org", "10.0.0.5"]')
        return tuple(value)
    if isinstance(default, Path) or default is None:
        return base / _a(str, value, where, name, "a path")
    if isinstance(default, int):
        return _number(value, where, name)
    text = _a(str, value, where, name, "a text in quotes")
    if name == "mail.tls" and text not in _TLS:
        raise ConfigError(f"{where}: mail.tls is one of {', '.join(_TLS)}")
    return text


def _from_text(section: str, key: str, value: str, variable: str) -> Any:
    """An override is always text: lists are separated by commas."""
    default = _example(section, key)
    typed: Any = value
    if isinstance(default, tuple):
        typed = [item.strip() for item in value.split(",") if item.strip()]
    elif isinstance(default, int) and value.isdecimal():
        typed = int(value)
    return _typed(section, key, typed, variable, Path().absolute())


def _address(value: Any, where: str, name: str) -> Address:
    try:
        return Address.parse(_a(str, value, where, name, 'HOST:PORT, for example "0.0.0.0:8443"'))
    except ValueError as error:
        raise ConfigError(f"{where}: {name}: {error}") from error


def _number(value: Any, where: str, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f"{where}: {name} is a whole number, not {value!r}")
    return value


def _a(kind: type, value: Any, where: str, name: str, description: str) -> Any:
    if not isinstance(value, kind):
        raise ConfigError(f"{where}: {name} is {description}, not {value!r}")
    return value


def _line(text: str, section: str, key: str | None) -> int:
    """The line on which a key (or section) stands. tomllib keeps none, and a person needs it."""
    current, found = "", 1
    names = rf"""(?:{re.escape(section)}|"{re.escape(section)}")"""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            current = header[1].strip("\"'")
            if current == section:
                found = number
                if key is None:
                    return number
            continue
        if key is None and re.match(rf"\s*{names}\s*[.=]", line):
            return number
        quoted = rf"""["']?{re.escape(key or "")}["']?\s*[.=]"""
        if key and current == section and re.match(rf"\s*{quoted}", line):
            return number
        if key and not current and re.match(rf"\s*{names}\s*\.\s*{quoted}", line):
            return number
    return found

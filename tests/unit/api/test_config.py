"""The configuration file: what it comes to, and what is said when it is wrong."""

from pathlib import Path

import pytest

from api import config
from api.config import Address, ConfigError

FILE = Path("/etc/pratique/pratique.toml")


def wrong(text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as error:
        config.parse(text, FILE, environ)
    return str(error.value)


def test_without_a_file_the_defaults_hold() -> None:
    loaded = config.parse("")
    assert (loaded.api.listen, loaded.service.tenant) == (Address("0.0.0.0", 8443), 1)
    assert loaded.database == "sqlite:////var/lib/pratique/pratique.db"
    assert loaded.url.startswith("https://")


def test_a_whole_file_is_read_and_relative_paths_stand_on_its_folder() -> None:
    loaded = config.parse(
        """
[service]
data = "data"
tenant = 7
[api]
listen = "[::1]:9443"
names = ["nac.example.org", "10.0.0.5"]
[radius]
coa_source = "10.0.0.5"
[mail]
server = "mail.example.org"
port = 587
tls = "starttls"
password_file = "mail.secret"
ca_file = "mail-ca.pem"
from = "nac@example.org"
to = ["admin@example.org"]
[site]
name = "branch"
""",
        FILE,
    )
    assert loaded.service.data == Path("/etc/pratique/data")
    assert loaded.mail.password_file == Path("/etc/pratique/mail.secret")
    assert loaded.mail.ca_file == Path("/etc/pratique/mail-ca.pem")
    assert loaded.database == "sqlite:////etc/pratique/data/pratique.db"
    assert str(loaded.api.listen) == "[::1]:9443"
    assert loaded.url == "https://nac.example.org:9443"
    assert (loaded.mail.from_, loaded.mail.to, loaded.site.name) == (
        "nac@example.org",
        ("admin@example.org",),
        "branch",
    )


def test_the_environment_overrides_the_file() -> None:
    environ = {
        "PRATIQUE_API_LISTEN": "127.0.0.1:1234",
        "PRATIQUE_API_NAMES": "a.example.org, b.example.org",
        "PRATIQUE_SERVICE_TENANT": "3",
        "PRATIQUE_MAIL_FROM": "x@example.org",
        "PRATIQUE_MAIL_PASSWORD_FILE": "/run/secret",
        "PRATIQUE_CONFIG": "ignored here",
        "HOME": "/root",
    }
    loaded = config.parse('[api]\nlisten = "0.0.0.0:1"', FILE, environ)
    assert loaded.api.listen == Address("127.0.0.1", 1234)
    assert loaded.api.names == ("a.example.org", "b.example.org")
    assert (loaded.service.tenant, loaded.mail.from_) == (3, "x@example.org")
    assert loaded.mail.password_file == Path("/run/secret")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[api]\nlisten = "0.0.0.0:1"\nlissten = "x"', ':3: unknown key "lissten" in [api]; did you mean "listen"?'),
        ('\n[apii]\nlisten = "0.0.0.0:1"', ':2: unknown section [apii]; did you mean "api"?'),
        ("[api]\nqqq = 1", "known are listen, names, url"),
        ("api = 5", "write [api] on a line of its own"),
        ("api.lissten = 5", ':1: unknown key "lissten"'),
        ("[api]\nlisten = 8443", ":2: api.listen is HOST:PORT"),
        ('[api]\nlisten = "8443"', ":2: api.listen: "),
        ('[api]\nlisten = "host:99999"', "is no address"),
        ("[api]\nnames = [1]", ":2: api.names is a list of texts"),
        ('[service]\ntenant = "one"', ":2: service.tenant is a whole number"),
        ("[service]\ntenant = true", "whole number"),
        ("[service]\ndata = 5", "service.data is a path"),
        ('[mail]\ntls = "ssl"', "one of none, starttls, tls"),
        ("[mail]\npassword_file = 5", "is a path"),
        ("[api\n", "this is no TOML"),
    ],
)
def test_a_wrong_file_is_told_with_file_and_line(text: str, says: str) -> None:
    told = wrong(text)
    assert told.startswith(str(FILE))
    assert says in told


@pytest.mark.parametrize(
    ("variable", "says"),
    [
        ("PRATIQUE_API_LISSTEN", 'did you mean "listen"'),
        ("PRATIQUE_APX_LISTEN", 'did you mean "api"'),
        ("PRATIQUE_SERVICE_TENANT", "whole number"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(variable: str, says: str) -> None:
    told = wrong("", **{variable: "x"})
    assert told.startswith(variable)
    assert says in told


def test_a_file_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        config.load(tmp_path / "none.toml", {})
    (tmp_path / "latin.toml").write_bytes(b"\xe9")
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path / "latin.toml", {})


def test_the_variable_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("[service]\ntenant = 9\n")
    assert config.load(None, {"PRATIQUE_CONFIG": str(tmp_path / "p.toml")}).service.tenant == 9


def test_what_is_shown_reads_back_as_the_same() -> None:
    shown = config.shown(config.parse('[mail]\nfrom = "x@example.org"'))
    assert shown["mail"]["from"] == "x@example.org"
    assert shown["api"]["listen"] == "0.0.0.0:8443"
    assert set(shown) == set(config.SECTIONS)

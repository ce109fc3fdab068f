"""Secrets never reach the log."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from api import logs

SECRETS = [
    "ptq1.eyJ1cmwiOiJodHRwcyJ9abcdef",
    "ptk_abcdefghijklmnop",
    "Bearer abcdefghijklmnop",
    "$argon2id$v=19$m=65536,t=3,p=4$abc$def",
    "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    out = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure(terminal=False, stream=out)
    yield out
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    structlog.reset_defaults()


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(written: io.StringIO, secret: str) -> None:
    log = logs.logger("test")
    log.info("it was " + secret, where=["in a list", {"deep": secret}], error=ValueError(secret))
    logging.getLogger("library").warning("a library says %s", secret)
    try:
        raise RuntimeError(secret)
    except RuntimeError:
        log.error("failed", exc_info=True)
    text = written.getvalue()
    assert secret.removeprefix("Bearer ") not in text
    assert "abcdefghijklmnop" not in text
    assert text.count(logs.HIDDEN) >= 4


@pytest.mark.parametrize("key", ["password", "coa_secret", "Authorization", "csrf", "cookie", "private_key", "token"])
def test_a_value_under_a_secret_name_is_hidden_whatever_it_is(written: io.StringIO, key: str) -> None:
    logs.logger("test").info("event", **{key: "plain words"}, nested={key: b"bytes"})
    assert "plain words" not in written.getvalue()
    assert json.loads(written.getvalue())[key] == logs.HIDDEN


def test_everything_else_is_kept_as_data(written: io.StringIO) -> None:
    logs.logger("here").info("event", count=3, ratio=0.5, none=None, password_file="/run/x", octets=b"\x00\x01")
    line = json.loads(written.getvalue())
    assert (line["module"], line["event"], line["level"]) == ("here", "event", "info")
    assert (line["count"], line["ratio"], line["none"]) == (3, 0.5, None)
    assert (line["password_file"], line["octets"]) == ("/run/x", "<2 octets>")


def test_a_value_without_end_is_cut_not_followed() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert "[" in str(logs.redact(endless))

"""The webhook's setting and its signature; the sending itself is tested with a real receiver."""

import hashlib
import hmac

import msgspec
import pytest

from api.alerts.webhook import Webhook, sign


def test_the_signature_covers_the_time_stamp_and_the_exact_body() -> None:
    wanted = hmac.new(b"k" * 32, b'1795246860.{"a":1}', hashlib.sha256).hexdigest()
    assert sign(b"k" * 32, 1_795_246_860, b'{"a":1}') == f"sha256={wanted}"
    assert sign(b"k" * 32, 1_795_246_861, b'{"a":1}') != f"sha256={wanted}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://siem.example.org/hook", "in the clear"),
        ("ftp://siem.example.org/hook", "begins with https"),
        ("https://", "begins with https"),
        ("siem.example.org/hook", "begins with https"),
        ("https://nac:pw@siem.example.org/hook", "token_file"),
    ],
)
def test_an_address_that_would_leak_or_lead_nowhere_is_refused(url: str, said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"type": "webhook", "url": url, "secret_file": "/k"}, Webhook)


@pytest.mark.parametrize("url", ["https://siem.example.org/hook", "http://127.0.0.1:8080/", "http://[::1]:8080/x"])
def test_https_and_this_machine_are_fine(url: str) -> None:
    assert Webhook(url, "/k").url == url

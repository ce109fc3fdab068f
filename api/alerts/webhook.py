"""Alerts to a program over HTTP: a POST of JSON, signed with a shared secret.

    Pratique-Timestamp: 1795246860
    Pratique-Signature: sha256=HEX

HEX is the HMAC-SHA256 (RFC 2104) of timestamp, a full stop and the exact octets of the body, with the secret that both
sides keep in a file. A receiver checks it, refuses time stamps older than five minutes, and drops ids that it has.

Guarantees: a redirect is refused (a signed body goes where the admin said and nowhere else); plain http only to this
machine; certificates are checked; connecting, sending and reading have limits of their own; of an answer no more than
`SAID` octets are read. Proxies and `.netrc` of the environment are not used: a proxy is named in the setting.
"""

import hashlib
import hmac
import ssl
from collections.abc import Callable
from pathlib import Path
from time import time
from typing import Annotated, Final
from urllib.parse import urlsplit

import httpx
import msgspec
from msgspec import Meta

from api import words
from api.alerts.channels import ChannelDown, ChannelRefused
from api.alerts.content import Alert
from api.alerts.credentials import context, read_secret
from api.alerts.formats import FORMS, Format

TIMEOUT: Final = httpx.Timeout(15.0, connect=5.0)
SAID: Final = 500
_TRY_AGAIN: Final = frozenset({408, 425, 429})
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="webhook"):
    """A receiver. `secret_file` holds the shared secret (16 octets and more), `ca_file` its own CA where it has one,
    `token_file` what stands in `Authorization: Bearer` where the receiver asks for it."""

    url: Annotated[str, Meta(min_length=8, max_length=2000)]
    secret_file: str
    format: Format = "cloudevents"
    ca_file: str = ""
    token_file: str = ""
    proxy: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError(f"{self.url} is no web address: it begins with https://")
        if parts.scheme == "http" and parts.hostname not in _HERE:
            raise ValueError(f"{self.url} would send alerts in the clear: use https:// (http:// only to this machine)")
        if parts.username or parts.password:
            raise ValueError("a web address with a password in it would stand in the database: use token_file")


def sign(secret: bytes, timestamp: int, body: bytes) -> str:
    """The value of `Pratique-Signature`."""
    return "sha256=" + hmac.digest(secret, f"{timestamp}.".encode() + body, hashlib.sha256).hex()


class WebhookChannel:
    """Sends alerts to one receiver. `clock` gives seconds since the Unix epoch."""

    def __init__(self, spec: Webhook, clock: Callable[[], float] = time) -> None:
        self._spec = spec
        self._clock = clock

    async def send(self, alert: Alert) -> str:
        spec = self._spec
        form = FORMS[spec.format]
        body, timestamp = form.write(alert), int(self._clock())
        headers = {
            "Content-Type": form.media_type,
            "User-Agent": "Pratique",
            "Pratique-Timestamp": str(timestamp),
            "Pratique-Signature": sign(
                read_secret(spec.secret_file, "the webhook's secret", least=16), timestamp, body
            ),
        }
        if spec.token_file:
            headers["Authorization"] = f"Bearer {read_secret(spec.token_file, 'the webhook token').decode()}"
        where = f"the webhook at {urlsplit(spec.url).hostname}"
        try:
            async with (
                httpx.AsyncClient(
                    verify=context(Path(spec.ca_file) if spec.ca_file else None),
                    timeout=TIMEOUT,
                    follow_redirects=False,
                    trust_env=False,
                    proxy=spec.proxy or None,
                ) as client,
                client.stream("POST", spec.url, content=body, headers=headers) as answer,
            ):
                said = await _beginning(answer)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError) as error:
            raise ChannelRefused(f"{where} cannot be asked: {error}") from error
        except httpx.HTTPError as error:
            if certificate := _certificate(error):
                raise ChannelRefused(f"{where} showed a certificate that is not trusted: {certificate}") from error
            raise ChannelDown(f"{where} cannot be reached: {str(error) or type(error).__name__}") from error
        _judge(answer, said, where)
        return ""


def _judge(answer: httpx.Response, said: str, where: str) -> None:
    code = answer.status_code
    words_of = f"{code} {answer.reason_phrase}{': ' + said if said else ''}"
    if 200 <= code < 300:
        return
    if 300 <= code < 400:
        to = words.visible(answer.headers.get("location", "elsewhere"), 200)
        raise ChannelRefused(f"{where} answers {code} and points to {to}; redirects are not followed, set that address")
    kind = ChannelDown if code >= 500 or code in _TRY_AGAIN else ChannelRefused
    raise kind(f"{where} answered {words_of}")


async def _beginning(answer: httpx.Response) -> str:
    """The first octets of what it says, for people; the rest is not read."""
    got = b""
    async for part in answer.aiter_raw(SAID):
        got += part
        if len(got) >= SAID:
            break
    return words.visible(" ".join(got[:SAID].decode("utf-8", "replace").split()), SAID)


def _certificate(error: BaseException) -> str:
    """What is wrong with the certificate, or empty where it is not that."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        cause = cause.__cause__ or cause.__context__
    return ""

"""Signed links in alerts: they open a page and change nothing.

Guarantees: a link names one action on one executable (and host) until a moment, and cannot be altered or made by
anybody without the key. Opening it consumes nothing (mail scanners open links), and deciding needs a login with the
right role besides: the signature is no permission, it only keeps a forged mail from choosing what is preselected.
"""

import base64
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

from radius_policy.model import SECOND, Micros

Doing = Literal["allow", "deny", "release", "acknowledge", "quarantine", "keep"]
LIFE = 30 * 86_400 * SECOND
"""A link is good for 30 days."""


class BadLink(Exception):
    """The link was cut off, altered, or is too old. The message says which."""


class Target(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a link is about. `alert` is the urgent matter that is to be acknowledged, `trip` the breaker trip that is to be
    answered."""

    tenant: int
    doing: Doing
    sha256: str
    host_id: str
    expires: Micros
    alert: str = ""
    trip: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links. `base` is where browsers reach the console, without a slash at the end."""

    base: str
    key: bytes

    def make(
        self,
        tenant: int,
        doing: Doing,
        now: Micros,
        sha256: str = "",
        host_id: str = "",
        alert: str = "",
        trip: str = "",
    ) -> str:
        body = msgspec.json.encode(Target(tenant, doing, sha256, host_id, now + LIFE, alert, trip))
        return f"{self.base}/console/decide/{_text(body)}.{_text(self._sign(body))}"

    def read(self, token: str, now: Micros) -> Target:
        """Raises BadLink."""
        body_text, _, signature = token.partition(".")
        try:
            body = _octets(body_text)
            good = hmac.compare_digest(self._sign(body), _octets(signature))
        except ValueError:
            good = False
        if not good:
            raise BadLink("this link is damaged; it may have been cut off where it was copied")
        target = msgspec.json.decode(body, type=Target)
        if now > target.expires:
            raise BadLink("this link is more than 30 days old")
        return target

    def page(self, path: str) -> str:
        """The address of a console page; `path` is its parts after `/console/`."""
        return f"{self.base}/console/{quote(path)}"

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self.key, b"pratique link\0" + body, hashlib.sha256)


def key_in(folder: Path) -> bytes:
    """The key of this installation, 32 octets, made at the first call and readable by its owner alone."""
    file = folder / "links.key"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(handle, "wb") as opened:
        opened.write(secrets.token_bytes(32))
        opened.flush()
        os.fsync(opened.fileno())
    return file.read_bytes()


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _octets(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

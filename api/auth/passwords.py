"""Passwords (argon2id, the library's own cost) and random secrets of which only the SHA-256 is kept.

A verification takes some 50 ms of one core by design: callers on an event loop run it in a thread.
"""

import hashlib
import secrets
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MINIMUM: Final = 12
LONGEST: Final = 1024
API_PREFIX: Final = "ptk_"
_READABLE: Final = "abcdefghjkmnpqrstuvwxyz23456789"


class WeakPassword(ValueError):
    """The new password is not accepted; the message says why."""


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobody() -> str:
    """The hash of a password that nobody has: an unknown name takes as long to refuse as a known one."""
    return _hasher().hash(secrets.token_urlsafe(32))


def hashed(password: str, *, name: str = "") -> str:
    """The argon2 hash to keep. Raises WeakPassword."""
    if len(password) < MINIMUM:
        raise WeakPassword(f"a password has at least {MINIMUM} characters")
    if len(password) > LONGEST:
        raise WeakPassword(f"a password has at most {LONGEST} characters")
    if name and password.casefold() == name.casefold() * (len(password) // max(1, len(name))):
        raise WeakPassword("the password must not be made of the name")
    return _hasher().hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Whether `password` is the one that `kept` was made from; equally slow for a name that does not exist (None)."""
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password) > LONGEST:
        return False
    try:
        return _hasher().verify(kept or _nobody(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def one_time() -> str:
    """A password to be read out and typed once: five groups of four, about 99 bits."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(5))


def secret(prefix: str = "") -> str:
    """A random secret of 256 bits as text."""
    return prefix + secrets.token_urlsafe(32)


def digest(text: str) -> str:
    """What is kept of a random secret. (Fast is right here: 256 random bits cannot be guessed.)"""
    return hashlib.sha256(text.encode()).hexdigest()

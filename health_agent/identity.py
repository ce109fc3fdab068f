"""Who this endpoint is: its Ed25519 key, its id, and the one CA that it trusts.

State directory (mode 0700): `key.pem` (0600), `ca.pem`, `endpoint.json` (written last: what makes an enrolment
complete), `baseline`, `running`, `spool/`, `refused/`, `status.json`, `lock`.

Guarantees: the key never leaves its file but as a public key; a file is whole or absent; what is wrong is said as a
sentence (`IdentityError`). Deliberately not here: how an identity is got (`enrol.py`).
"""

import base64
import hashlib
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from health_agent.contract import Id, Mac
from health_agent.files import make_private, write_whole

DEFAULT_STATE: Final = Path("/var/lib/pratique-agent")
CANDIDATE: Final = "key.candidate.pem"
NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME: an endpoint whose clock is a day off must still be heard (the service then tells it the time).
What it trusts is one private CA, not a date."""


class IdentityError(Exception):
    """The identity cannot be used; the message says what is wrong and what to do."""


class Endpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """`endpoint.json`: what enrolment gave. `macs` only where the admin named them instead of the interfaces' own."""

    host_id: Id
    url: str
    site: str
    offset_us: int = 0
    heartbeat_s: int = 30
    macs: tuple[Mac, ...] = ()


@dataclass(frozen=True)
class Identity:
    endpoint: Endpoint
    key: Ed25519PrivateKey
    ca_pem: str

    @property
    def host_id(self) -> str:
        return self.endpoint.host_id

    def sign(self, body: bytes) -> str:
        """Base64 of the Ed25519 signature (RFC 8032) over exactly these octets."""
        return base64.b64encode(self.key.sign(body)).decode()

    def tls(self) -> ssl.SSLContext:
        """TLS 1.3 that trusts this CA alone. Raises IdentityError."""
        return trusting(self.ca_pem)


def trusting(ca_pem: str) -> ssl.SSLContext:
    """A client context that trusts nothing but this CA. Raises IdentityError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | NO_CHECK_TIME)
    try:
        context.load_verify_locations(cadata=ca_pem)
    except ssl.SSLError as error:
        raise IdentityError("the stored CA certificate is damaged; enrol this endpoint again") from error
    return context


def fingerprint(pem: str) -> str:
    """SHA-256 of the certificate's DER. Raises ValueError where it is no PEM certificate."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def public_key(key: Ed25519PrivateKey) -> str:
    """Base64 of the 32 octets of the public key."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def new_key(state: Path) -> Ed25519PrivateKey:
    """A new key, on disk beside the one in use until `save` (so that a failed enrolment costs nothing). Raises IdentityError."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        make_private(state)
        write_whole(state / CANDIDATE, pem)
    except OSError as error:
        raise IdentityError(f"the state directory {state} cannot be used: {error.strerror}") from error
    return key


def save(state: Path, endpoint: Endpoint, ca_pem: str) -> None:
    """Complete an enrolment with the key of `new_key`. Raises IdentityError."""
    try:
        (state / "endpoint.json").unlink(missing_ok=True)
        (state / CANDIDATE).replace(state / "key.pem")
        write_whole(state / "ca.pem", ca_pem.encode())
        write_whole(state / "endpoint.json", msgspec.json.encode(endpoint))
    except OSError as error:
        raise IdentityError(f"the identity cannot be stored in {state}: {error.strerror}") from error


def enrolled(state: Path) -> bool:
    """Whether this state directory holds a complete enrolment."""
    return (state / "endpoint.json").exists()


def load(state: Path) -> Identity:
    """The identity in a state directory. Raises IdentityError."""
    if not enrolled(state):
        raise IdentityError(f"this endpoint is not enrolled ({state}); run: pratique agent enrol TOKEN")
    try:
        endpoint = msgspec.json.decode((state / "endpoint.json").read_bytes(), type=Endpoint)
        ca_pem = (state / "ca.pem").read_text("ascii")
        key = _read_key(state / "key.pem")
        fingerprint(ca_pem)
    except OSError as error:
        raise IdentityError(f"the identity in {state} cannot be read: {error.strerror}") from error
    except (ValueError, msgspec.MsgspecError) as error:
        raise IdentityError(f"the identity in {state} is damaged ({error}); enrol this endpoint again") from error
    return Identity(endpoint, key, ca_pem)


def _read_key(path: Path) -> Ed25519PrivateKey:
    if os.stat(path).st_mode & 0o077:
        raise IdentityError(f"{path} can be read by others; make a new identity, or: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise IdentityError(f"{path} is damaged; remove it and enrol this endpoint again") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise IdentityError(f"{path} holds another kind of key; remove it and enrol this endpoint again")
    return key

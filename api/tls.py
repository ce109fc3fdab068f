"""The service's own certificate authority and server certificate, made at the first start and renewed by itself.

Guarantees: `prepare` leaves five files in `DATA/tls` (CA certificate and key, server certificate and key, nothing
else), private keys readable by their owner alone and written whole or not at all. The CA lives ten years and its
fingerprint (SHA-256 of the DER certificate) is what an enrolment token carries; it is never replaced silently.
The server certificate is made anew when its names changed, when it ends within 30 days or when it is not the CA's.

It does not talk TLS; `context` only sets the terms: TLS 1.3.
"""

import hashlib
import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFE: Final = timedelta(days=3650)
SERVER_LIFE: Final = timedelta(days=397)
RENEW_BEFORE: Final = timedelta(days=30)
_BACKDATED: Final = timedelta(days=30)
"""An endpoint whose clock is a little behind must not find the certificate "not yet valid"."""


class TlsError(Exception):
    """Keys or certificates in the data folder cannot be used; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Material:
    """What TLS needs. `fingerprint` is the SHA-256 of the CA certificate (DER), 64 hexadecimal digits.
    `made_ca` is True when the CA did not exist before."""

    ca_der: bytes
    ca_file: Path
    certificate_file: Path
    key_file: Path
    fingerprint: str
    ends: datetime
    made_ca: bool = False
    renewed: bool = False


def prepare(data: Path, names: tuple[str, ...], now: datetime | None = None) -> Material:
    """Make or renew what is missing in `data`/tls. `names` are DNS names or IP addresses. Raises TlsError."""
    now = now or datetime.now(UTC)
    folder = data / "tls"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made_ca = not (folder / "ca.pem").exists() and not (folder / "ca.key").exists()
        if made_ca:
            _make_ca(folder, now)
        ca, ca_key = _load(folder / "ca.pem", folder / "ca.key")
        renewed = not _is_good(folder, ca, names, now)
        if renewed:
            _make_server(folder, ca, ca_key, names, now)
        server = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
    except OSError as error:
        raise TlsError(f"the certificates in {folder} cannot be read or written: {error}") from error
    der = ca.public_bytes(serialization.Encoding.DER)
    return Material(
        ca_der=der,
        ca_file=folder / "ca.pem",
        certificate_file=folder / "server.pem",
        key_file=folder / "server.key",
        fingerprint=hashlib.sha256(der).hexdigest(),
        ends=server.not_valid_after_utc,
        made_ca=made_ca,
        renewed=renewed,
    )


def fingerprint(data: Path) -> str:
    """The CA's fingerprint, without making anything. Raises TlsError where there is no CA yet."""
    try:
        certificate = x509.load_pem_x509_certificate((data / "tls" / "ca.pem").read_bytes())
    except FileNotFoundError as error:
        raise TlsError(f"there is no CA in {data / 'tls'} yet; start the service once: pratique serve") from error
    except (OSError, ValueError) as error:
        raise TlsError(f"the CA certificate in {data / 'tls'} cannot be read: {error}") from error
    return certificate.fingerprint(hashes.SHA256()).hex()


def context(material: Material) -> ssl.SSLContext:
    """The server's terms: TLS 1.3 and our certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.load_cert_chain(material.certificate_file, material.key_file)
    return made


def _load(certificate: Path, key: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    for file in (certificate, key):
        if not file.exists():
            raise TlsError(
                f"{file} is missing but its other half is there; restore both from the backup, or remove both "
                "and enrol every endpoint again"
            )
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except ValueError as error:
        raise TlsError(f"{certificate} or {key} is damaged ({error}); restore both from the backup") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != loaded.public_key():
        raise TlsError(f"{key} is not the key of {certificate}; restore both from the same backup")
    return loaded, private


def _is_good(folder: Path, ca: x509.Certificate, names: tuple[str, ...], now: datetime) -> bool:
    if not (folder / "server.pem").exists() or not (folder / "server.key").exists():
        return False
    try:
        server, _ = _load(folder / "server.pem", folder / "server.key")
        server.verify_directly_issued_by(ca)
    except (TlsError, ValueError, TypeError, InvalidSignature):
        return False  # whatever is wrong with it, a new one is made and reported as renewed
    found = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(found) == set(_names(names)) and server.not_valid_after_utc - now > RENEW_BEFORE


def _names(names: tuple[str, ...]) -> list[x509.GeneralName]:
    if not names:
        raise TlsError('the server needs a name: set api.names, for example ["nac.example.org", "10.0.0.5"]')
    made: list[x509.GeneralName] = []
    for name in names:
        try:
            made.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            try:
                made.append(x509.DNSName(name.encode("idna").decode()))
            except UnicodeError as error:
                raise TlsError(f'"{name}" in api.names is neither a DNS name nor an IP address') from error
    return list(dict.fromkeys(made))


def _make_ca(folder: Path, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    # The random part keeps two installations' authorities apart where both are trusted.
    serial = x509.random_serial_number()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Pratique CA {serial & 0xFFFFFFFF:08x}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificate_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "ca.key", _private(key), 0o600)
    _write(folder / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _make_server(
    folder: Path, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, names: tuple[str, ...], now: datetime
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pratique service")]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(min(now + SERVER_LIFE, ca.not_valid_after_utc))
        .add_extension(x509.SubjectAlternativeName(_names(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificate_sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(folder / "server.key", _private(key), 0o600)
    _write(folder / "server.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _usage(*, certificate_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificate_sign,
        key_cert_sign=certificate_sign,
        crl_sign=certificate_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes, mode: int) -> None:
    """Whole or not at all: into a new file beside it, then renamed."""
    beside = file.with_suffix(file.suffix + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)

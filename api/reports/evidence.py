"""A bundle for an incident: what the reports say, the records they were made from, the audit, hashed and signed.

Guarantees: a bundle names every file in it with its SHA-256 in `manifest.json`, which is signed with the service's own
evidence key (Ed25519, RFC 8032; PKCS 8 in the data folder, for its owner alone); `verify` names the first thing that does
not fit. It is a ZIP of JSON, CSV and HTML: everything in it can be read in ten years without this program.

What it does not do: it does not prove when it was made, nor that the database was whole; for the latter the audit lines
carry their chain.
"""

import base64
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from api.reports.fleet import CHUNK
from api.reports.render import render
from api.reports.values import WindowReport
from api.reports.window import executables_of
from radius_policy.model import (
    AuditLine,
    Event,
    Executable,
    Execution,
    Host,
    HostId,
    ListEntry,
    ListKind,
    Micros,
    Order,
    PastEntry,
    Sha256,
    TenantId,
)
from radius_policy.store.interface import Reading
from radius_policy.zones import local

FORMAT: Final = "pratique-evidence-1"
MANIFEST, SIGNATURE, PUBLIC = "manifest.json", "manifest.sig", "public-key.pem"
KEY_FILE: Final = "evidence.key"
MOST_OCTETS: Final = 2**31
"""A bundle larger than this when unpacked is refused."""
AROUND: Final = 86_400_000_000
"""Events, orders and audit of a day before the window and of all time since."""


class BadBundle(Exception):
    """The bundle is no bundle, or was changed. The message names what does not fit."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle that holds: its manifest, and the fingerprint of the key that signed it."""

    manifest: dict[str, Any]
    fingerprint: str


def collect(reading: Reading, tenant: TenantId, report: WindowReport) -> dict[str, bytes]:
    """The files of a bundle about a window, by name."""
    files = {f"window.{name}": render(report, name).encode() for name in ("json", "csv", "html")}
    rows: Mapping[str, Iterator[Any]] = {
        "executions": _executions(reading, tenant, report),
        "executables": _by_hash(reading, tenant, report, Executable),
        "hosts": _hosts(reading, tenant, report),
        "decisions": _decisions(reading, tenant, report),
        "events": _of_hosts(reading, tenant, report, Event, "at"),
        "orders": _of_hosts(reading, tenant, report, Order, "created"),
        "audit": _audit(reading, tenant, report),
    }
    for name, records in rows.items():
        files[f"{name}.jsonl"] = b"".join(msgspec.json.encode(_plain(record)) + b"\n" for record in records)
    return files


def pack(
    files: Mapping[str, bytes], key: Ed25519PrivateKey, *, now: Micros, author: str, about: str, zone: Any
) -> bytes:
    """The bundle. The same files, key and time make the same octets."""
    manifest = {
        "format": FORMAT,
        "made": local(now, zone).isoformat(),
        "author": author,
        "about": about,
        "files": {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)},
        "key": fingerprint(key.public_key()),
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True).encode()
    whole = {
        **files,
        MANIFEST: text,
        SIGNATURE: base64.b64encode(key.sign(text)) + b"\n",
        PUBLIC: key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(whole):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(entry, whole[name])
    return out.getvalue()


def verify(path: Path, trusted: str | None = None) -> Verified:
    """Check a bundle. `trusted` is the fingerprint that its key must have. Raises BadBundle."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(each.file_size for each in archive.infolist()) > MOST_OCTETS:
                raise BadBundle("it is larger than any bundle is")
            names = archive.namelist()
            if len(set(names)) != len(names):
                raise BadBundle("it has two files of one name")
            whole = {name: archive.read(name) for name in names}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise BadBundle(f"{path.name} is no bundle: {error}") from error
    for name in (MANIFEST, SIGNATURE, PUBLIC):
        if name not in whole:
            raise BadBundle(f"{name} is missing")
    public = _public(whole[PUBLIC])
    if trusted is not None and fingerprint(public) != trusted.lower().replace(":", ""):
        raise BadBundle("it was signed by another key than the one that was named")
    try:
        public.verify(base64.b64decode(whole[SIGNATURE], validate=False), whole[MANIFEST])
    except (InvalidSignature, ValueError) as error:
        raise BadBundle("the manifest is not what was signed") from error
    manifest: dict[str, Any] = json.loads(whole[MANIFEST])
    if manifest.get("format") != FORMAT:
        raise BadBundle(f"it is of the format {manifest.get('format')!r}, not {FORMAT}")
    listed = dict(manifest.get("files", {}))
    if odd := sorted(set(whole) - set(listed) - {MANIFEST, SIGNATURE, PUBLIC}):
        raise BadBundle(f"{odd[0]} is not in the manifest")
    for name, digest in listed.items():
        if name not in whole:
            raise BadBundle(f"{name} is missing")
        if hashlib.sha256(whole[name]).hexdigest() != digest:
            raise BadBundle(f"{name} was changed")
    return Verified(manifest, fingerprint(public))


def key_in(folder: Path) -> Ed25519PrivateKey:
    """The evidence key in the data folder, made at the first bundle. OSError where it cannot be read or written."""
    path = folder / KEY_FILE
    try:
        return _private(path.read_bytes())
    except FileNotFoundError:
        key = Ed25519PrivateKey.generate()
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(text)
        except FileExistsError:  # another command made it meanwhile
            return _private(path.read_bytes())
        return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the public key's SubjectPublicKeyInfo, in hexadecimal."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _private(text: bytes) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(text, None)
    if not isinstance(key, Ed25519PrivateKey):
        raise OSError(f"{KEY_FILE} is no Ed25519 key")
    return key


def _public(text: bytes) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(text)
    except ValueError as error:
        raise BadBundle(f"{PUBLIC} is no key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadBundle(f"{PUBLIC} is no Ed25519 key")
    return key


# --- what goes in ---------------------------------------------------------------------------------------------------


def _plain(record: Any) -> Any:
    """A record as JSON data; keys and secrets of hosts stay out."""
    data = msgspec.to_builtins(record)
    data.pop("public_key", None)
    data.pop("datagram", None)
    return data


def _executions(reading: Reading, tenant: TenantId, report: WindowReport) -> Iterator[Execution]:
    ids = [each.execution for host in report.hosts for each in host.executables]
    for start in range(0, len(ids), CHUNK):
        yield from reading.find(Execution, tenant=tenant, id=ids[start : start + CHUNK])


def _by_hash(reading: Reading, tenant: TenantId, report: WindowReport, kind: type[Executable]) -> Iterator[Executable]:
    shas = [Sha256(sha) for sha in executables_of(report.hosts)]
    for start in range(0, len(shas), CHUNK):
        yield from reading.find(kind, tenant=tenant, sha256=shas[start : start + CHUNK])


def _hosts(reading: Reading, tenant: TenantId, report: WindowReport) -> Iterator[Host]:
    for patient in report.hosts:
        host = reading.get(Host, tenant, HostId(patient.host_id))
        if host is not None:
            yield host


def _decisions(reading: Reading, tenant: TenantId, report: WindowReport) -> Iterator[ListEntry | PastEntry]:
    shas = executables_of(report.hosts)
    for start in range(0, len(shas), CHUNK):
        part = shas[start : start + CHUNK]
        yield from reading.find(ListEntry, tenant=tenant, kind=ListKind.HASH, value=part)
        yield from reading.find(PastEntry, tenant=tenant, kind=ListKind.HASH, value=part)


def _of_hosts(reading: Reading, tenant: TenantId, report: WindowReport, kind: type[Any], order: str) -> Iterator[Any]:
    for patient in report.hosts:
        yield from reading.find(
            kind, tenant=tenant, host_id=patient.host_id, order=order, after=report.begin - AROUND - 1
        )


def _audit(reading: Reading, tenant: TenantId, report: WindowReport) -> Iterator[AuditLine]:
    yield from reading.find(AuditLine, tenant=tenant, order="at", after=report.begin - AROUND - 1)

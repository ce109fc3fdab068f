"""Bundles for an incident: whole, signed, and any change to one is named."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.reports import evidence
from api.reports.evidence import BadBundle

from .samples import BEGIN

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
FILES = {"window.json": b"{}\n", "audit.jsonl": b'{"number":1}\n'}
Change = Callable[[dict[str, bytes]], None]


def packed(key: Ed25519PrivateKey = KEY) -> bytes:
    return evidence.pack(FILES, key, now=BEGIN, author="cli:anna", about="saturday", zone=ZoneInfo("Europe/Berlin"))


def changed(path: Path, change: Change) -> Path:
    """The bundle with something done to its files."""
    path.write_bytes(packed())
    with zipfile.ZipFile(path) as archive:
        whole = {name: archive.read(name) for name in archive.namelist()}
    change(whole)
    with zipfile.ZipFile(path, "w") as archive:
        for name, octets in whole.items():
            archive.writestr(name, octets)
    return path


def test_a_bundle_that_nobody_touched_holds(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(packed())
    found = evidence.verify(path)
    assert found.fingerprint == evidence.fingerprint(KEY.public_key())
    assert found.manifest["about"] == "saturday"
    assert set(found.manifest["files"]) == set(FILES)
    assert evidence.verify(path, found.fingerprint.upper()) == found


def test_the_same_content_makes_the_same_octets() -> None:
    assert packed() == packed()


def edited(whole: dict[str, bytes]) -> None:
    whole["audit.jsonl"] = b""


def removed(whole: dict[str, bytes]) -> None:
    del whole["audit.jsonl"]


def added(whole: dict[str, bytes]) -> None:
    whole["more.txt"] = b"x"


def renamed(whole: dict[str, bytes]) -> None:
    manifest = json.loads(whole["manifest.json"])
    whole["manifest.json"] = json.dumps(manifest | {"about": "nothing"}).encode()


def unsigned(whole: dict[str, bytes]) -> None:
    del whole["manifest.sig"]


def no_key(whole: dict[str, bytes]) -> None:
    whole["public-key.pem"] = b"x"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edited, "audit.jsonl was changed"),
        (removed, "audit.jsonl is missing"),
        (added, "more.txt is not in the manifest"),
        (renamed, "not what was signed"),
        (unsigned, "manifest.sig is missing"),
        (no_key, "no key"),
    ],
)
def test_a_change_is_named(tmp_path: Path, change: Change, said: str) -> None:
    with pytest.raises(BadBundle, match=said):
        evidence.verify(changed(tmp_path / "bundle.zip", change))


def test_a_bundle_signed_by_somebody_else_is_told_apart_by_the_key(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(packed(Ed25519PrivateKey.generate()))
    evidence.verify(path)
    with pytest.raises(BadBundle, match="another key"):
        evidence.verify(path, evidence.fingerprint(KEY.public_key()))


@pytest.mark.parametrize("octets", [b"", b"PK\x03\x04 cut off", b"x" * 100])
def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "odd.zip"
    path.write_bytes(octets)
    with pytest.raises(BadBundle, match=r"odd\.zip"):
        evidence.verify(path)


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = evidence.key_in(tmp_path)
    assert evidence.fingerprint(evidence.key_in(tmp_path).public_key()) == evidence.fingerprint(first.public_key())
    assert (tmp_path / evidence.KEY_FILE).stat().st_mode & 0o777 == 0o600

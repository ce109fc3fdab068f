"""Who this endpoint is."""

import base64
import re
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from health_agent import identity
from health_agent.identity import Endpoint, IdentityError
from tests.unit.health_agent.fake_service import authority

ENDPOINT = Endpoint("host-0001", "https://10.0.0.1:8443", "main", offset_us=-5)


@pytest.fixture
def ca(tmp_path: Path) -> str:
    return authority(tmp_path / "ca")[2]


@pytest.fixture
def key(state: Path, ca: str) -> Ed25519PrivateKey:
    made = identity.new_key(state)
    identity.save(state, ENDPOINT, ca)
    return made


def test_an_identity_is_there_after_it_was_saved(state: Path, key: Ed25519PrivateKey, ca: str) -> None:
    loaded = identity.load(state)
    assert (loaded.endpoint, loaded.ca_pem, loaded.host_id) == (ENDPOINT, ca, "host-0001")
    assert identity.public_key(loaded.key) == identity.public_key(key)


def test_signatures_are_of_exactly_the_octets(state: Path, key: Ed25519PrivateKey) -> None:
    signature = identity.load(state).sign(b"body")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(identity.public_key(key)))
    public.verify(base64.b64decode(signature), b"body")


def test_nobody_else_can_read_key_and_folder(state: Path, key: Ed25519PrivateKey) -> None:
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / "key.pem").stat().st_mode & 0o777 == 0o600


def test_before_enrolment_there_is_a_sentence_that_says_what_to_do(state: Path) -> None:
    assert not identity.enrolled(state)
    with pytest.raises(IdentityError, match=r"not enrolled .*pratique agent enrol TOKEN"):
        identity.load(state)


def test_a_new_key_does_not_touch_the_identity_in_use(state: Path, key: Ed25519PrivateKey) -> None:
    identity.new_key(state)
    assert identity.public_key(identity.load(state).key) == identity.public_key(key)


@pytest.mark.parametrize(
    ("name", "octets", "sentence"),
    [
        ("endpoint.json", b"{", "is damaged"),
        ("endpoint.json", b"{}", "is damaged"),
        ("ca.pem", b"no certificate", "is damaged"),
        ("key.pem", b"no key", "is damaged"),
        (
            "key.pem",
            X25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            "another kind of key",
        ),
    ],
)
def test_what_is_damaged_is_named(state: Path, key: Ed25519PrivateKey, name: str, octets: bytes, sentence: str) -> None:
    (state / name).write_bytes(octets)
    with pytest.raises(IdentityError, match=sentence):
        identity.load(state)


def test_what_is_missing_is_named(state: Path, key: Ed25519PrivateKey) -> None:
    (state / "ca.pem").unlink()
    with pytest.raises(IdentityError, match="cannot be read: No such file"):
        identity.load(state)


def test_a_key_that_others_can_read_is_refused(state: Path, key: Ed25519PrivateKey) -> None:
    (state / "key.pem").chmod(0o644)
    with pytest.raises(IdentityError, match="can be read by others"):
        identity.load(state)


def test_a_state_that_cannot_be_written_is_a_sentence(tmp_path: Path, ca: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IdentityError, match="cannot be used: Not a directory"):
        identity.new_key(tmp_path / "file" / "state")
    with pytest.raises(IdentityError, match="cannot be stored"):
        identity.save(tmp_path / "nowhere", ENDPOINT, ca)


def test_trust_is_in_one_ca_alone_by_tls_1_3_and_whatever_the_clock_says(ca: str) -> None:
    context = identity.trusting(ca)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1
    assert context.verify_flags & identity.NO_CHECK_TIME
    with pytest.raises(IdentityError, match="damaged"):
        identity.trusting("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def test_a_fingerprint_is_the_hash_of_the_certificate(ca: str) -> None:
    assert re.fullmatch("[0-9a-f]{64}", identity.fingerprint(ca))
    with pytest.raises(ValueError, match="PEM"):
        identity.fingerprint("something else")

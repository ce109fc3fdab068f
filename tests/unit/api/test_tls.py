"""The service's own CA and certificate."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from api import tls
from api.tls import TlsError

NOW = datetime(2026, 11, 25, tzinfo=UTC)
NAMES = ("nac.example.org", "10.0.0.5")


def server(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "tls" / "server.pem").read_bytes())


def test_the_first_start_makes_a_ca_and_a_certificate_with_the_names(tmp_path: Path) -> None:
    made = tls.prepare(tmp_path, NAMES, NOW)
    assert made.made_ca
    assert made.renewed
    names = server(tmp_path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["nac.example.org"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.5"]
    server(tmp_path).verify_directly_issued_by(x509.load_pem_x509_certificate(made.ca_file.read_bytes()))
    assert made.fingerprint == x509.load_der_x509_certificate(made.ca_der).fingerprint(hashes.SHA256()).hex()
    assert tls.fingerprint(tmp_path) == made.fingerprint


def test_private_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    tls.prepare(tmp_path, NAMES, NOW)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "tls").iterdir()}
    assert modes == {"ca.key": 0o600, "server.key": 0o600, "ca.pem": 0o644, "server.pem": 0o644}
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    first = tls.prepare(tmp_path, NAMES, NOW)
    before = {file: file.read_bytes() for file in (tmp_path / "tls").iterdir()}
    second = tls.prepare(tmp_path, NAMES, NOW + timedelta(days=300))
    assert (second.made_ca, second.renewed, second.fingerprint) == (False, False, first.fingerprint)
    assert before == {file: file.read_bytes() for file in (tmp_path / "tls").iterdir()}


@pytest.mark.parametrize(
    ("names", "later"), [((*NAMES, "new.example.org"), timedelta()), (NAMES, tls.SERVER_LIFE - tls.RENEW_BEFORE)]
)
def test_new_names_or_a_near_end_renew_the_certificate_and_never_the_ca(
    tmp_path: Path, names: tuple[str, ...], later: timedelta
) -> None:
    first = tls.prepare(tmp_path, NAMES, NOW)
    second = tls.prepare(tmp_path, names, NOW + later)
    assert second.renewed
    assert second.fingerprint == first.fingerprint
    assert second.ends > NOW + later + tls.RENEW_BEFORE


def test_a_damaged_server_certificate_is_made_anew(tmp_path: Path) -> None:
    tls.prepare(tmp_path, NAMES, NOW)
    (tmp_path / "tls" / "server.pem").write_text("nonsense")
    assert tls.prepare(tmp_path, NAMES, NOW).renewed


def test_a_ca_with_one_half_missing_is_an_error_and_never_replaced(tmp_path: Path) -> None:
    tls.prepare(tmp_path, NAMES, NOW)
    (tmp_path / "tls" / "ca.key").unlink()
    with pytest.raises(TlsError, match=r"ca\.key is missing.*restore both"):
        tls.prepare(tmp_path, NAMES, NOW)


def test_a_foreign_or_damaged_ca_key_is_an_error(tmp_path: Path) -> None:
    tls.prepare(tmp_path / "a", NAMES, NOW)
    tls.prepare(tmp_path / "b", NAMES, NOW)
    key = tmp_path / "a" / "tls" / "ca.key"
    key.write_bytes((tmp_path / "b" / "tls" / "ca.key").read_bytes())
    with pytest.raises(TlsError, match="not the key"):
        tls.prepare(tmp_path / "a", NAMES, NOW)
    key.write_text("nonsense")
    with pytest.raises(TlsError, match="damaged"):
        tls.prepare(tmp_path / "a", NAMES, NOW)


@pytest.mark.parametrize(("names", "says"), [((), "api.names"), (("\u200b.." * 30,), "neither a DNS name")])
def test_names_that_are_none_are_refused(tmp_path: Path, names: tuple[str, ...], says: str) -> None:
    with pytest.raises(TlsError, match=says):
        tls.prepare(tmp_path, names, NOW)


def test_without_a_ca_there_is_no_fingerprint_and_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(TlsError, match="pratique serve"):
        tls.fingerprint(tmp_path)

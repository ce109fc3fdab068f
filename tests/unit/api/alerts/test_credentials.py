"""Secrets are read from files when they are needed, and what cannot be read is named without being told."""

from pathlib import Path

import pytest

from api import tls
from api.alerts.channels import ChannelRefused
from api.alerts.credentials import context, read_secret


def test_the_content_counts_without_white_space_around_it(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b" hunter2\n")
    assert read_secret(file, "the key") == b"hunter2"
    with pytest.raises(ChannelRefused, match="7 octets, at least 16") as said:
        read_secret(file, "the key", least=16)
    assert "hunter2" not in str(said.value)
    with pytest.raises(ChannelRefused, match=r"the key cannot be read from .*none"):
        read_secret(tmp_path / "none", "the key")


def test_a_ca_or_client_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    with pytest.raises(ChannelRefused, match="CA certificate"):
        context(bad)
    with pytest.raises(ChannelRefused, match="CA certificate"):
        context(tmp_path / "none.pem")
    with pytest.raises(ChannelRefused, match="client certificate"):
        context(None, certificate=bad)


def test_a_client_certificate_is_loaded(tmp_path: Path) -> None:
    made = tls.prepare(tmp_path, ("localhost",))
    checked = context(made.ca_file, certificate=made.certificate_file, key=made.key_file)
    assert checked.check_hostname

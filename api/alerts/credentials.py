"""Secrets and certificates of alert channels: they stand in files, are read at each sending, and never reach the store.

So a changed password or a renewed CA needs no restart, and a database that is copied tells nothing.
"""

import ssl
from pathlib import Path

from api.alerts.channels import ChannelRefused


def read_secret(file: str | Path, what: str, *, least: int = 1) -> bytes:
    """The file's content without white space around it. Raises ChannelRefused with the file's name, never its content."""
    try:
        secret = Path(file).read_bytes().strip()
    except OSError as error:
        raise ChannelRefused(f"{what} cannot be read from {file}: {error.strerror}") from error
    if len(secret) < least:
        raise ChannelRefused(f"{what} in {file} is too short: it has {len(secret)} octets, at least {least} are needed")
    return secret


def context(
    ca_file: Path | None, *, certificate: str | Path | None = None, key: str | Path | None = None
) -> ssl.SSLContext:
    """A client's TLS context that checks certificate and name, by `ca_file` or the system's CAs; TLS 1.2 and up.
    `certificate` and `key` show who we are. Raises ChannelRefused."""
    try:
        made = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        raise ChannelRefused(f"the CA certificate {ca_file} cannot be read: {error}") from error
    if certificate:
        try:
            made.load_cert_chain(certificate, key or None)
        except OSError as error:
            raise ChannelRefused(f"the client certificate {certificate} cannot be used: {error}") from error
    return made

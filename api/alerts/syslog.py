"""Alerts to a syslog receiver: over TLS (RFC 5425), TCP (RFC 6587, octet counting) or UDP (RFC 5426).

Guarantees: over TLS and TCP a message counts as told only after the receiver has read it to the end: each goes in a
connection of its own, which we close for writing and then wait until the other side closes too. (Syslog has no
acknowledgement; a sender that only writes loses what was in flight when the receiver stopped.) The certificate is checked.
Over UDP nobody can know; it is for receivers that have nothing else, and the next channel never takes over from it.
"""

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from api.alerts import rfc5424
from api.alerts.channels import ChannelDown, ChannelRefused
from api.alerts.content import Alert
from api.alerts.credentials import context
from api.alerts.formats import FORMS, Format
from api.alerts.plain import fitted
from api.alerts.render import subject

CONNECT_S: Final = 5.0
CLOSE_S: Final = 10.0
STREAM_LIMIT: Final = 8192
"""Octets that every receiver of RFC 5425 should take (4.3.1)."""
DATAGRAM_LIMIT: Final = 2048
"""Octets that every receiver of RFC 5426 should take (3.2)."""
_PORT: Final = {"tls": 6514, "tcp": 601, "udp": 514}


class Syslog(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="syslog"):
    """A receiver. `format` is `text` (a sentence, facts in structured data) or JSON; UDP takes text alone."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    transport: Literal["tls", "tcp", "udp"] = "tls"
    format: Literal["text"] | Format = "text"
    facility: rfc5424.Facility = "auth"
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    def __post_init__(self) -> None:
        if self.transport == "udp" and self.format != "text":
            raise ValueError(f"{self.format} does not fit into a datagram; use transport tls or tcp, or format text")


class SyslogChannel:
    """Sends alerts to one receiver. `hostname` is who we are in the messages."""

    def __init__(self, spec: Syslog, hostname: str = "") -> None:
        self._spec = spec
        self._hostname = hostname or socket.gethostname()
        self._port = spec.port or _PORT[spec.transport]

    async def send(self, alert: Alert) -> str:
        limit = DATAGRAM_LIMIT if self._spec.transport == "udp" else STREAM_LIMIT
        message = fitted(alert, limit, self._message)
        where = f"the syslog receiver {self._spec.host}:{self._port}"
        try:
            if self._spec.transport == "udp":
                await self._datagram(message[:limit])
            else:
                await self._stream(rfc5424.counted(message))
        except ssl.SSLCertVerificationError as error:
            raise ChannelRefused(f"{where} showed a certificate that is not trusted: {error.verify_message}") from error
        except (OSError, TimeoutError) as error:
            raise ChannelDown(f"{where} cannot be reached: {str(error) or 'no answer in time'}") from error
        return ""

    def _message(self, alert: Alert) -> bytes:
        spec = self._spec
        if spec.format == "text":
            body = rfc5424.text(" ".join((f"{subject(alert)}.", *alert.texts[:3])))
        else:
            body = FORMS[spec.format].write(alert)
        return rfc5424.line(
            severity=alert.severity,
            at=alert.at,
            host=self._hostname,
            message_id=alert.kind,
            data=facts(alert) if spec.format == "text" else {"id": alert.message_id},
            message=body,
            facility=spec.facility,
        )

    async def _stream(self, frame: bytes) -> None:
        tls = None
        if self._spec.transport == "tls":
            tls = context(
                Path(self._spec.ca_file) if self._spec.ca_file else None,
                certificate=self._spec.cert_file,
                key=self._spec.key_file,
            )
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(
                self._spec.host, self._port, ssl=tls, ssl_shutdown_timeout=CLOSE_S if tls else None
            )
        try:
            async with asyncio.timeout(CLOSE_S):
                writer.write(frame)
                await writer.drain()
                if tls is None:
                    writer.write_eof()
                    await reader.read()
        finally:
            writer.close()
        async with asyncio.timeout(CLOSE_S + 1):
            await writer.wait_closed()

    async def _datagram(self, message: bytes) -> None:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(self._spec.host, self._port)
        )
        try:
            transport.sendto(message)
        finally:
            transport.close()


def facts(alert: Alert) -> dict[str, str]:
    """What structured data says: of one host, where there is one, and how many there are."""
    data = {"id": alert.message_id, "conversation": alert.conversation, "kind": alert.kind}
    if alert.program:
        data |= {"sha256": alert.program.sha256, "executable": alert.program.name[:300], "signer": alert.program.signer}
    if alert.places:
        place = alert.places[0]
        data |= {
            "host": place.host,
            "site": place.site,
            "user": place.user,
            "mac": place.macs[0] if place.macs else "",
            "switch": place.switch,
            "port": place.port,
            "path": place.path[:600],
            "parent": place.parents[0][:300] if place.parents else "",
            "access": place.access,
            "done": place.done,
        }
    return data | {"hosts": str(alert.hosts)}

"""One kept HTTPS connection to the policy service: a POST out, its answer in. Over the standard library's `http.client`.

Guarantees: TLS with the context that was given and no other trust, past all proxies; a connection that the service ended
meanwhile is noticed before a message is entrusted to it; nothing waits longer than `CONNECT_S`, then `ANSWER_S`. `cut` may
be called by any thread: it ends the connection at once, also one on which an answer is awaited.

Not httpx here, though the enrolment uses it: on its way to the socket a report spends 0.3 ms less, and an unknown program
runs on meanwhile (docs/performance.md). Redirects, cookies and encodings are not wanted, so they are not understood.
"""

import contextlib
import http.client
import select
import socket
import ssl
from collections.abc import Iterable
from typing import Final, Protocol
from urllib.parse import urlsplit

CONNECT_S: Final = 2.0
ANSWER_S: Final = 5.0
USER_TIMEOUT_MS: Final = 5000
"""TCP_USER_TIMEOUT: unacknowledged octets for so long end the connection."""


class Line(Protocol):
    """What an uplink needs. `post` raises OSError or http.client.HTTPException."""

    def post(self, path: str, headers: Iterable[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        """Status and content of the answer."""
        ...

    def cut(self) -> None:
        """End the connection now; the next message makes a new one. From any thread."""
        ...

    def close(self) -> None:
        """Let go of the connection. From the thread that posts."""
        ...


class KeptLine:
    """To the service at `url` (https). For one thread but for `cut`."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        parts = urlsplit(url)
        self._base = parts.path.rstrip("/")
        self._connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=CONNECT_S, context=context
        )
        self._stale = False

    def post(self, path: str, headers: Iterable[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        connection = self._connection
        if self._stale or self._ended():
            self.close()
        try:
            if connection.sock is None:
                self._connect()
            connection.putrequest("POST", self._base + path, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except BaseException:  # half a message or half an answer: nothing more can be said on this connection
            self.close()
            raise

    def cut(self) -> None:
        self._stale = True
        opened: socket.socket | None = self._connection.sock
        if opened is not None:
            with contextlib.suppress(OSError):  # already closed or never connected is what we want
                socket.socket.shutdown(opened, socket.SHUT_RDWR)

    def close(self) -> None:
        self._connection.close()
        self._stale = False

    def _connect(self) -> None:
        connection = self._connection
        connection.connect()
        opened: socket.socket = connection.sock
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        opened.settimeout(ANSWER_S)
        if self._stale:  # cut while it was being made
            raise ConnectionAbortedError("the network changed while the connection was made")

    def _ended(self) -> bool:
        """Whether there is something to read before anything was asked: that can only be its end."""
        opened: socket.socket | None = self._connection.sock
        if opened is None:
            return False
        poll = select.poll()
        poll.register(opened, select.POLLIN)
        return bool(poll.poll(0))

"""The RADIUS server's sockets: read when readable, a bounded number at once, answer at once.

It knows asyncio and nothing of RADIUS beyond "octets in, octets out". A datagram that cannot be sent back is counted.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable

AT_ONCE = 64
"""So many datagrams are taken before the loop may do something else."""
_LONGEST = 4096
_BUFFER = 4 << 20

Source = tuple[str, int]


class Port:
    """One bound UDP port. `take` gets each datagram with its source and returns octets to send back, or None."""

    def __init__(self, host: str, port: int, take: Callable[[bytes, Source, "Port"], bytes | None]) -> None:
        """Bind and begin to read. Raises OSError; its message names the address."""
        self.counts: Counter[str] = Counter()
        self._take = take
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise OSError(error.errno, f"cannot listen on {host}:{port}/udp: {error.strerror}") from error
        self.address: Source = self._socket.getsockname()[:2]
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def send(self, octets: bytes, to: Source) -> None:
        """Send back; what the system refuses is counted, because the NAS asks again."""
        try:
            self._socket.sendto(octets, to)
        except OSError as error:
            self.counts[f"send_error_{error.errno}"] += 1

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        receive, take = self._socket.recvfrom, self._take
        for _ in range(AT_ONCE):
            try:
                octets, source = receive(_LONGEST)
            except BlockingIOError:
                return
            except OSError as error:
                self.counts[f"receive_error_{error.errno}"] += 1
                return
            self.counts["datagrams"] += 1
            answer = take(octets, source[:2], self)
            if answer is not None:
                self.send(answer, source[:2])

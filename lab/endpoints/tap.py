"""Count what an endpoint sends into its port: a packet socket on the switch's end of the cable.

Guarantees: every frame that came *from* the endpoint is kept with the kernel's time of arrival (microseconds, wall
clock). Needs CAP_NET_RAW in the network namespace of the port.
"""

import socket
import struct
import threading
from typing import Final

ETH_P_ALL: Final = 3
PACKET_OUTGOING: Final = 4
SO_TIMESTAMPNS: Final = 35


class Tap:
    """Listens from construction until `close`."""

    def __init__(self, interface: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind((interface, ETH_P_ALL))
        self._socket.settimeout(0.2)
        self._frames: list[int] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name=f"tap {interface}", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                _, extra, _, source = self._socket.recvmsg(256, 64)
            except TimeoutError:
                continue
            except OSError:  # ENETDOWN: the port was taken down, which is what ports here are for
                continue
            if source[2] != PACKET_OUTGOING and extra:
                seconds, nanoseconds = struct.unpack("@qq", extra[0][2][:16])
                self._frames.append(seconds * 1_000_000 + nanoseconds // 1000)

    def frames(self, since_us: int, until_us: int) -> list[int]:
        """When frames arrived, in [since_us, until_us)."""
        return [at for at in self._frames if since_us <= at < until_us]

    def close(self) -> None:
        self._closing.set()
        self._thread.join(2)
        self._socket.close()

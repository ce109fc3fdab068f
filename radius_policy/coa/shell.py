"""The CoA client's sockets: one datagram socket for each lane, read when readable, and one timer.

It knows asyncio and nothing of orders. A datagram that the system refuses to send is counted and logged by its error;
the retransmission is its second chance.
"""

import asyncio
import socket
from collections.abc import Callable

from radius_policy.coa.client import Answer, CoaClient, Datagram, GaveUp, NoIdentifier, Request, Unfinished
from radius_policy.model import Micros

_AT_ONCE = 64
MOST_LANES = 64


class CoaShell:
    """`on_answer` and `on_gave_up` are called in the loop; `may_repeat` is asked before each retransmission."""

    def __init__(
        self,
        client: CoaClient,
        source: str,
        *,
        clock: Callable[[], Micros],
        on_answer: Callable[[Answer], None],
        on_gave_up: Callable[[GaveUp], None],
        may_repeat: Callable[[str], bool],
        log: Callable[[str], None],
    ) -> None:
        self.client = client
        self._source = source
        self._clock = clock
        self._on_answer = on_answer
        self._on_gave_up = on_gave_up
        self._may_repeat = may_repeat
        self._log = log
        self._sockets: dict[int, socket.socket] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: Micros | None = None

    def open_lane(self, port: int = 0) -> int:
        """Bind another source port (a given one to go on after a restart). Its number. Raises OSError."""
        family = socket.AF_INET6 if ":" in self._source else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            opened.bind((self._source, port))
        except OSError:
            opened.close()
            raise
        lane: int = opened.getsockname()[1]
        self._sockets[lane] = opened
        self.client.add_lane(lane)
        asyncio.get_running_loop().add_reader(opened, self._read, lane, opened)
        return lane

    def send(self, request: Request) -> Datagram | None:
        """Begin a request, on a new lane where the others are used up. None where no lane can be had: try later."""
        for _ in range(2):
            try:
                datagram = self.client.send(request, self._clock())
            except NoIdentifier as error:
                if not self._another_lane(str(error)):
                    return None
            else:
                self._put(datagram)
                self._arm()
                return datagram
        return None

    def resume(self, unfinished: Unfinished) -> bool:
        """Go on with a request of before a restart. False where its source port cannot be bound again."""
        if unfinished.lane not in self._sockets:
            try:
                self.open_lane(unfinished.lane)
            except OSError as error:
                self._log(
                    f"source port {unfinished.lane} of a CoA of before the restart cannot be bound again: {error.strerror}"
                )
                return False
        self.client.resume(unfinished, self._clock())
        self._arm()
        return True

    def close(self) -> None:
        """Close all sockets; what waits is forgotten here and goes on after the next start."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        for opened in self._sockets.values():
            loop.remove_reader(opened)
            opened.close()
        self._sockets.clear()

    def _another_lane(self, why: str) -> bool:
        if len(self._sockets) >= MOST_LANES:
            self.client.counts["no_lane"] += 1
            self._log(f"no CoA can be sent for now: {why}, and {MOST_LANES} source ports are open")
            return False
        try:
            self.open_lane()
        except OSError as error:
            self.client.counts["no_lane"] += 1
            self._log(f"no further source port for CoA can be opened on {self._source}: {error.strerror}")
            return False
        return True

    def _put(self, datagram: Datagram) -> None:
        try:
            self._sockets[datagram.lane].sendto(datagram.octets, datagram.destination)
        except (OSError, KeyError) as error:
            self.client.counts["send_errors"] += 1
            self._log(f"CoA to {datagram.destination[0]}:{datagram.destination[1]} could not be sent: {error}")

    def _read(self, lane: int, opened: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                octets, source = opened.recvfrom(4096)
            except BlockingIOError:
                return
            except OSError as error:  # such as ECONNREFUSED told late by ICMP
                self.client.counts["receive_errors"] += 1
                self._log(f"a CoA socket had an error: {error.strerror}")
                return
            answer = self.client.receive(lane, (source[0], source[1]), octets, self._clock())
            if answer is not None:
                self._on_answer(answer)

    def _arm(self) -> None:
        at = self.client.next_at()
        if at is None or (self._timer_at is not None and self._timer_at <= at):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        delay = max(0.0, (at - self._clock()) / 1_000_000)
        self._timer = asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        self._timer, self._timer_at = None, None
        for due in self.client.expire(self._clock(), self._may_repeat):
            if isinstance(due, GaveUp):
                self._on_gave_up(due)
            else:
                self._put(due)
        self._arm()

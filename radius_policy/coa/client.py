"""The CoA client without sockets: what to send, when again, and which answer belongs to which request.

Guarantees (RFC 5176 2.3 and 6.3, RFC 5080 2.2): a retransmission is byte-identical, its Event-Timestamp included; an
answer counts only if it comes from the NAS asked, to the port and with the identifier asked, and its Response
Authenticator is right. A wrong one is dropped and counted and cancels nothing: the right one may still come. An
identifier of a source port rests until no NAS can take it for a repetition before it is used again.

A *lane* is one source port. `send` raises `NoIdentifier` when all lanes are used up towards a NAS: open another one.
All times are microseconds of one clock that the caller chooses; Event-Timestamps are compared with it.
"""

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from radius_policy.model import SECOND, Micros
from radius_policy.radius.attributes import Attribute, number
from radius_policy.radius.complaints import Complaints
from radius_policy.radius.wire import Code, Fault, Secret, WireError, build_request, parse, verify_response

FIRST_US: Final = 2 * SECOND
LONGEST_US: Final = 16 * SECOND
MOST_SENDINGS: Final = 6
RAND: Final = 0.1
"""IRT, MRT, MRC + 1 (the first and five retransmissions) and the bound of RAND, named and set as in RFC 5080 2.2.1."""
WINDOW_US: Final = 300 * SECOND
"""How long a NAS may remember an identifier: its Event-Timestamp window (RFC 5176 6.3)."""

Destination = tuple[str, int]


def after(previous_us: float, rand: float) -> float:
    """RT of the next sending in microseconds, from RTprev and a RAND between -0.1 and 0.1 (RFC 5080 2.2.1)."""
    doubled = 2 * previous_us + rand * previous_us
    return doubled if doubled <= LONGEST_US else LONGEST_US + rand * LONGEST_US


class NoIdentifier(Exception):
    """Every identifier of every lane towards this NAS is in use or rests: open another lane."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to begin. `token` is the caller's name for it; it is repeated until answered, stopped, or
    `lifetime_us` old."""

    token: str
    code: Code
    destination: Destination
    secret: Secret
    attributes: bytes
    lifetime_us: int
    message_authenticator: bool = True


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A request of before a restart, as it was sent from source port `lane`; `left_us` is what its life has left."""

    token: str
    lane: int
    destination: Destination
    secret: Secret
    octets: bytes
    left_us: int


@dataclass(frozen=True, slots=True)
class Datagram:
    """Octets to put on the wire."""

    lane: int
    destination: Destination
    octets: bytes
    identifier: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A valid answer to the datagram with this identifier. `cause` is its Error-Cause; `retransmitted` whether the
    datagram was sent more than once."""

    token: str
    identifier: int
    ack: bool
    cause: int | None
    retransmitted: bool


@dataclass(frozen=True, slots=True)
class GaveUp:
    """No valid answer came in time."""

    token: str


@dataclass(slots=True)
class _Waiting:
    token: str
    lane: int
    destination: Destination
    octets: bytes
    secret: Secret
    until: Micros
    wait_us: float
    sendings: int = 1
    again: Micros = 0
    stopped: bool = False


class CoaClient:
    """All requests of a process. `counts` has what was sent, repeated and answered, `complaints` each reason for a drop."""

    def __init__(self, log: Callable[[str], None], rng: random.Random | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.complaints = Complaints()
        self._log = log
        self._rng = rng or random.Random()  # noqa: S311 - spreads retransmissions, protects nothing
        self._lanes: list[int] = []
        self._free: dict[tuple[int, Destination], deque[tuple[int, Micros]]] = {}
        self._waiting: dict[tuple[int, Destination, int], _Waiting] = {}
        self._by_token: dict[str, tuple[int, Destination, int]] = {}
        self._timers: list[tuple[Micros, int, tuple[int, Destination, int]]] = []
        self._serial = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add_lane(self, port: int) -> None:
        """A socket with this source port is open."""
        self._lanes.append(port)

    def send(self, request: Request, now: Micros) -> Datagram:
        """Begin a request: the octets to put on the wire. Raises NoIdentifier."""
        lane, identifier = self._identifier(request.destination, now)
        octets = build_request(
            request.code, identifier, request.secret, request.attributes, mark=request.message_authenticator
        )
        self._begin(
            Unfinished(request.token, lane, request.destination, request.secret, octets, request.lifetime_us), now, 1
        )
        self.counts["sent"] += 1
        return Datagram(lane, request.destination, octets, identifier)

    def resume(self, unfinished: Unfinished, now: Micros) -> None:
        """Go on with a request of before a restart, whose source port was bound again: it is repeated as it was."""
        identifier = unfinished.octets[1]
        place = (unfinished.lane, unfinished.destination)
        self._free[place] = deque(entry for entry in self._free_ids(*place) if entry[0] != identifier)
        self._begin(unfinished, now, 2)
        self.counts["resumed"] += 1

    def receive(self, lane: int, source: Destination, datagram: bytes, now: Micros) -> Answer | None:
        """A datagram came to a lane. The answer it is, or None: dropped and counted, and the wait goes on."""
        try:
            return self._receive(lane, source, datagram, now)
        except WireError as error:
            sentence = self.complaints.note(error.fault, f"{source[0]}:{source[1]} (answer to CoA)", str(error), now)
            if sentence is not None:
                self._log(sentence)
            return None

    def stop(self, token: str) -> bool:
        """Repeat it no more. An answer that was under way is still understood. Whether it was being repeated."""
        if not self.waits(token):
            return False
        self._waiting[self._by_token[token]].stopped = True
        return True

    def waits(self, token: str) -> bool:
        """Whether it is still repeated and may be given up."""
        key = self._by_token.get(token)
        return key is not None and not self._waiting[key].stopped

    def expire(
        self, now: Micros, may_repeat: Callable[[str], bool] = lambda token: True
    ) -> Iterator[Datagram | GaveUp]:
        """What is due: datagrams to repeat (unless `may_repeat` of their token says no) and requests given up."""
        while self._timers and self._timers[0][0] <= now:
            at, _, key = heapq.heappop(self._timers)
            waiting = self._waiting.get(key)
            if waiting is None or waiting.again != at:
                continue
            if now >= waiting.until:
                self._end(key)
                if not waiting.stopped:
                    self.counts["given_up"] += 1
                    yield GaveUp(waiting.token)
                continue
            repeat = waiting.sendings < MOST_SENDINGS and not waiting.stopped and may_repeat(waiting.token)
            waiting.wait_us = after(waiting.wait_us, self._rng.uniform(-RAND, RAND))
            self._set_timer(key, waiting, now)
            if repeat:
                waiting.sendings += 1
                self.counts["repeated"] += 1
                yield Datagram(waiting.lane, waiting.destination, waiting.octets, key[2])

    def next_at(self) -> Micros | None:
        """When `expire` has something to do next."""
        return self._timers[0][0] if self._timers else None

    def _begin(self, begun: Unfinished, now: Micros, sendings: int) -> None:
        key = (begun.lane, begun.destination, begun.octets[1])
        wait = FIRST_US + self._rng.uniform(-RAND, RAND) * FIRST_US
        until = now + begun.left_us
        waiting = _Waiting(
            begun.token, begun.lane, begun.destination, begun.octets, begun.secret, until, wait, sendings
        )
        self._waiting[key] = waiting
        self._by_token[begun.token] = key
        self._set_timer(key, waiting, now)

    def _set_timer(self, key: tuple[int, Destination, int], waiting: _Waiting, now: Micros) -> None:
        self._serial += 1
        waiting.again = min(now + round(waiting.wait_us), waiting.until)
        heapq.heappush(self._timers, (waiting.again, self._serial, key))

    def _end(self, key: tuple[int, Destination, int]) -> None:
        waiting = self._waiting.pop(key)
        if self._by_token.get(waiting.token) == key:
            del self._by_token[waiting.token]
        rested = waiting.until + WINDOW_US
        self._free_ids(key[0], key[1]).append((key[2], rested))

    def _free_ids(self, lane: int, destination: Destination) -> deque[tuple[int, Micros]]:
        free = self._free.get((lane, destination))
        if free is None:
            start = self._rng.randrange(256)
            free = self._free[lane, destination] = deque((place & 255, 0) for place in range(start, start + 256))
        return free

    def _identifier(self, destination: Destination, now: Micros) -> tuple[int, int]:
        """The identifier that has rested longest, of the first lane that has one ready."""
        for lane in self._lanes:
            free = self._free_ids(lane, destination)
            if free and free[0][1] <= now:
                return lane, free.popleft()[0]
        raise NoIdentifier(
            f"all identifiers of {len(self._lanes)} source ports towards {destination[0]} are used or rest"
        )

    def _receive(self, lane: int, source: Destination, datagram: bytes, now: Micros) -> Answer:
        packet = parse(datagram)
        key = (lane, source, packet.identifier)
        waiting = self._waiting.get(key)
        if waiting is None:
            raise WireError(Fault.NOT_ASKED, "nobody waits for an answer with this identifier")
        asked = waiting.octets[0]
        if packet.code not in (asked + 1, asked + 2, Code.PROTOCOL_ERROR):
            raise WireError(Fault.UNEXPECTED_CODE, f"code {packet.code} answers no request of code {asked}")
        verify_response(packet, waiting.octets[4:20], waiting.secret)
        stamp = number(packet.first(Attribute.EVENT_TIMESTAMP))
        if stamp is not None and abs(now - stamp * SECOND) > WINDOW_US:
            raise WireError(Fault.STALE_TIMESTAMP, "the answer's Event-Timestamp is more than 300 s off (RFC 5176 6.3)")
        self._end(key)
        cause = number(packet.first(Attribute.ERROR_CAUSE))
        ack = packet.code == asked + 1
        self.counts["acked" if ack else f"naked_{cause or 'without_cause'}"] += 1
        return Answer(waiting.token, packet.identifier, ack, cause, waiting.sendings > 1)

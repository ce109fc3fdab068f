"""What the switch does, without sockets and clock: datagrams, link changes and `now` in, commands out as they arise.

Guarantees: each port authenticates by MAB when its link comes up and again when a CoA or Disconnect names its
session; every authentication makes a new Acct-Session-Id; the old session's Stop goes out before the new Start, and
both carry the Class of their own Accept. CoA and Disconnect are answered by RFC 5176: every identifying attribute
must fit, else NAK 503 or 403; an unknown attribute is NAK 401; a request that names nothing is NAK 402; what is
malformed, forged or stale is dropped and noted. A retransmission gets the same answer and acts only once.

The commands are yielded one by one, so that an ACK is on the wire before the Access-Request is built.
What it does not do: 802.1X, CHAP, more than one endpoint behind a port. `Faults` are for the acceptance tests.
"""

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from lab.switch import codec
from lab.switch.codec import Forged, Malformed, Message

ATTEMPT_US: Final = 1_000_000
AUTH_TRIES: Final = 3
CLOCK_WINDOW_US: Final = 300_000_000
ANSWERS_KEPT: Final = 64
IDENTIFYING: Final = {1, 5, 30, 31, 44, 87}
UNDERSTOOD: Final = IDENTIFYING | {4, 6, 24, 25, 26, 32, 33, 49, 55, 80}


@dataclass(frozen=True, slots=True)
class Wiring:
    """One port: its number and name, the MAC behind it, and the switch-side end of the cable ('' in the port table)."""

    number: int
    name: str
    mac: str
    veth: str = ""


@dataclass(slots=True)
class Faults:
    """What goes wrong on purpose: ACK and nothing else, silence, a pause before the Access-Request, a NAK."""

    ack_only: bool = False
    drop: bool = False
    delay_ms: int = 0
    nak: int = 0


@dataclass(slots=True)
class Port:
    """A port now. `session` is empty while nobody is authorised."""

    wiring: Wiring
    link: bool = False
    vlan: str | None = None
    session: bytes = b""
    class_: bytes = b""
    since_us: int = 0
    interim_at: int = 0


@dataclass(frozen=True, slots=True)
class ToServer:
    """A request to the RADIUS server: `accounting` chooses the port."""

    data: bytes
    accounting: bool


@dataclass(frozen=True, slots=True)
class ToClient:
    """An answer to whoever sent a CoA or Disconnect."""

    data: bytes
    to: Any


@dataclass(frozen=True, slots=True)
class Place:
    """Take the port's carrier away, then put it into `vlan` (None: into none)."""

    port: Wiring
    vlan: str | None


@dataclass(frozen=True, slots=True)
class Lift:
    """Give the port its carrier back, no sooner than the endpoint has noticed the loss."""

    port: Wiring


@dataclass(frozen=True, slots=True)
class Note:
    """A line of the journal; the shell adds the time."""

    event: str
    facts: dict[str, Any] = field(default_factory=dict)


Command = ToServer | ToClient | Place | Lift | Note


@dataclass(slots=True)
class _Pending:
    data: bytes
    at: int
    tries: int = 1
    port: Port | None = None
    session: bytes = b""


class Switch:
    """`settings`: name, address, secret, vlans (id → anything), interim_us. All times are microseconds."""

    def __init__(
        self, ports: list[Wiring], *, name: str, address: str, secret: bytes, vlans: set[str], interim_us: int
    ) -> None:
        self.name, self.address, self.secret, self.vlans, self.interim_us = name, address, secret, vlans, interim_us
        self.ports = {wiring.name: Port(wiring) for wiring in ports}
        self.faults = Faults()
        self._auth: dict[int, _Pending] = {}
        self._accounting: dict[int, _Pending] = {}
        self._delayed: list[tuple[int, Port]] = []
        self._answers: dict[tuple[Any, int, bytes], bytes] = {}
        self._next_auth = self._next_accounting = 0
        self._sessions = int.from_bytes(os.urandom(3), "big") << 8

    # ---- what happens to the switch

    def boot(self, now: int) -> Iterator[Command]:
        """Tell accounting that no earlier session exists (Accounting-On, RFC 2866 4.1)."""
        yield from self._account([(40, 7), *self._identity()], now)

    def link(self, name: str, up: bool, now: int) -> Iterator[Command]:
        """The link of a port came up or went down."""
        port = self.ports[name]
        port.link = up
        if up:
            yield from self._authenticate(port, now)
            return
        yield Place(port.wiring, None)
        port.vlan = None
        yield from self._stop(port, 2, now)  # Lost-Carrier

    def order(self, data: bytes, source: Any, now: int) -> Iterator[Command]:
        """A datagram came to the CoA port."""
        try:
            asked = codec.decode(data)
            codec.verify_request(data, self.secret)
        except (Malformed, Forged) as error:
            yield Note("coa_dropped", {"why": str(error)})
            return
        stamp = asked.first(55)
        if stamp is not None and (
            len(stamp) != 4 or abs(struct.unpack("!I", stamp)[0] * 1_000_000 - now) > CLOCK_WINDOW_US
        ):
            yield Note("coa_dropped", {"why": "Event-Timestamp is more than 300 s away (RFC 5176 6.3)"})
            return
        if self.faults.drop:
            yield Note("coa_dropped", {"why": "fault: drop"})
            return
        key = (source, asked.identifier, asked.authenticator)
        if key in self._answers:
            yield ToClient(self._answers[key], source)
            yield Note("coa_repeated", {"id": asked.identifier})
            return
        port, cause = self._session_of(asked)
        if self.faults.nak:
            port, cause = None, self.faults.nak
        answer = self._answer(asked, cause)
        self._answers[key] = answer
        while len(self._answers) > ANSWERS_KEPT:
            del self._answers[next(iter(self._answers))]
        yield ToClient(answer, source)
        kind = "disconnect" if asked.code == codec.DISCONNECT_REQUEST else "coa"
        if port is None:
            yield Note(f"{kind}_nak", {"cause": cause})
        else:
            yield Note(f"{kind}_ack", {"port": port.wiring.name})
            yield from self._obey(port, kind, now)

    def _obey(self, port: Port, kind: str, now: int) -> Iterator[Command]:
        if self.faults.ack_only:
            return
        if kind == "disconnect":
            yield Place(port.wiring, None)
            port.vlan = None
            yield from self._stop(port, 6, now)  # Admin-Reset
        if self.faults.delay_ms:
            self._delayed.append((now + self.faults.delay_ms * 1000, port))
        else:
            yield from self._authenticate(port, now)

    def answered(self, data: bytes, accounting: bool, now: int) -> Iterator[Command]:
        """A datagram came from the RADIUS server."""
        waiting = self._accounting if accounting else self._auth
        try:
            answer = codec.decode(data)
            pending = waiting.get(answer.identifier)
            if pending is None:
                yield Note("answer_unexpected", {"id": answer.identifier})
                return
            codec.verify_response(data, pending.data, self.secret, demand=not accounting)
        except (Malformed, Forged) as error:
            yield Note("answer_dropped", {"why": str(error)})
            return
        del waiting[answer.identifier]
        if accounting or pending.port is None:
            return
        if answer.code == codec.ACCESS_ACCEPT:
            yield from self._accepted(pending.port, pending.session, answer, now)
        else:
            yield Note("reject", {"port": pending.port.wiring.name})
            yield Place(pending.port.wiring, None)
            pending.port.vlan = None
            yield from self._stop(pending.port, 20, now)  # Reauthentication-Failure

    def tick(self, now: int) -> Iterator[Command]:
        """Do what is due: delayed orders, retransmissions, interim updates."""
        due = [port for at, port in self._delayed if at <= now]
        self._delayed = [(at, port) for at, port in self._delayed if at > now]
        for port in due:
            yield from self._authenticate(port, now)
        for identifier, pending in list(self._auth.items()):
            if pending.at + ATTEMPT_US > now:
                continue
            if pending.tries < AUTH_TRIES:
                pending.tries, pending.at = pending.tries + 1, now
                yield ToServer(pending.data, accounting=False)
                continue
            del self._auth[identifier]
            if pending.port is not None and pending.port.link:
                yield Note("server_silent", {"port": pending.port.wiring.name})
                yield from self._authenticate(pending.port, now)
        for pending in self._accounting.values():  # until it is stored: accounting is never given up (RFC 2866 2)
            if pending.at + ATTEMPT_US <= now:
                pending.at = now
                yield ToServer(pending.data, accounting=True)
        for port in self.ports.values():
            if port.session and port.interim_at <= now:
                port.interim_at = now + self.interim_us
                yield from self._account([(40, 3), *self._about(port), (46, (now - port.since_us) // 1_000_000)], now)

    def hurry(self, now: int) -> Iterator[Command]:
        """Obey at once the orders that a fault delays."""
        self._delayed = [(now, port) for _, port in self._delayed]
        yield from self.tick(now)

    def next_due(self) -> int | None:
        """When `tick` has something to do, or None."""
        times = [at for at, _ in self._delayed]
        times += [p.at + ATTEMPT_US for p in (*self._auth.values(), *self._accounting.values())]
        times += [port.interim_at for port in self.ports.values() if port.session]
        return min(times, default=None)

    # ---- how it does it

    def _accepted(self, port: Port, session: bytes, answer: Message, now: int) -> Iterator[Command]:
        vlan = (answer.first(81) or b"").lstrip(bytes(range(0x20))).decode("ascii", "replace")  # without its tag octet
        if vlan not in self.vlans:
            yield Note("no_such_vlan", {"port": port.wiring.name, "vlan": vlan})
            vlan = ""
        moves = vlan != port.vlan
        if moves:
            yield Place(port.wiring, vlan or None)
            yield Note("moved", {"port": port.wiring.name, "vlan": vlan, "from": port.vlan})
        port.vlan = vlan or None
        yield from self._stop(port, 6, now)
        port.session, port.class_, port.since_us = session, answer.first(25) or b"", now
        port.interim_at = now + self.interim_us
        yield from self._account([(40, 1), *self._about(port)], now)
        yield Note("start_sent", {"port": port.wiring.name, "vlan": vlan, "session": session.decode()})
        if moves and vlan:
            yield Lift(port.wiring)  # last, because it may have to wait

    def _stop(self, port: Port, cause: int, now: int) -> Iterator[Command]:
        if port.session:
            seconds = (now - port.since_us) // 1_000_000
            yield from self._account([(40, 2), *self._about(port), (46, seconds), (49, cause)], now)
        port.session, port.class_ = b"", b""

    def _authenticate(self, port: Port, now: int) -> Iterator[Command]:
        if any(pending.port is port for pending in self._auth.values()):
            return
        identifier = self._next_auth = _free(self._next_auth, self._auth)
        self._sessions += 1
        session, authenticator, name = (
            f"{self._sessions:08X}".encode(),
            os.urandom(16),
            port.wiring.mac.replace(":", ""),
        )
        data = codec.request(
            codec.ACCESS_REQUEST,
            identifier,
            [
                (1, name.encode()),
                (2, codec.hidden_password(name.encode(), self.secret, authenticator)),
                (6, 10),  # Call-Check: this is MAB
                *self._where(port),
                (44, session),
            ],
            self.secret,
            authenticator,
        )
        self._auth[identifier] = _Pending(data, now, port=port, session=session)
        yield ToServer(data, accounting=False)
        yield Note("access_request", {"port": port.wiring.name})

    def _account(self, attributes: list[tuple[int, codec.Value]], now: int) -> Iterator[Command]:
        identifier = self._next_accounting = _free(self._next_accounting, self._accounting)
        data = codec.request(codec.ACCOUNTING_REQUEST, identifier, [*attributes, (55, now // 1_000_000)], self.secret)
        self._accounting[identifier] = _Pending(data, now)
        yield ToServer(data, accounting=True)

    def _identity(self) -> list[tuple[int, codec.Value]]:
        return [(4, self.address), (32, self.name.encode())]

    def _where(self, port: Port) -> list[tuple[int, codec.Value]]:
        wiring = port.wiring
        return [
            *self._identity(),
            (5, wiring.number),
            (61, 15),  # Ethernet
            (87, wiring.name.encode()),
            (31, wiring.mac.upper().replace(":", "-").encode()),  # as RFC 3580 3.21 writes it
        ]

    def _about(self, port: Port) -> list[tuple[int, codec.Value]]:
        about = [(1, port.wiring.mac.replace(":", "").encode()), *self._where(port), (44, port.session)]
        return [*about, (25, port.class_)] if port.class_ else about

    def _session_of(self, asked: Message) -> tuple[Port | None, int]:
        """The port whose session every identifying attribute names, or the Error-Cause (RFC 5176 3.5)."""
        if asked.code not in (codec.COA_REQUEST, codec.DISCONNECT_REQUEST):
            return None, 405
        if any(kind not in UNDERSTOOD for kind, _ in asked.attributes):
            return None, 401
        mine = {4: bytes(map(int, self.address.split("."))), 32: self.name.encode()}
        if any(kind in mine and value != mine[kind] for kind, value in asked.attributes):
            return None, 403
        named = [(kind, value) for kind, value in asked.attributes if kind in IDENTIFYING]
        if not named:
            return None, 402
        fits = [port for port in self.ports.values() if port.session and all(_names(port, *pair) for pair in named)]
        return (fits[0], 0) if fits else (None, 503)

    def _answer(self, asked: Message, cause: int) -> bytes:
        echoed: list[tuple[int, codec.Value]] = [(k, v) for k, v in asked.attributes if k in (24, 33)]
        attributes = [*echoed, (101, struct.pack("!I", cause))] if cause else echoed
        return codec.response(asked.code + (2 if cause else 1), asked, attributes, self.secret)


def _names(port: Port, kind: int, value: bytes) -> bool:
    name = port.wiring.mac.replace(":", "")
    tests: dict[int, Callable[[], bool]] = {
        1: lambda: value.decode("ascii", "replace") == name,
        5: lambda: value == struct.pack("!I", port.wiring.number),
        31: lambda: value.decode("ascii", "replace").lower().translate({45: None, 58: None, 46: None}) == name,
        44: lambda: value == port.session,
        87: lambda: value == port.wiring.name.encode(),
    }
    return tests[kind]() if kind in tests else True


def _free(last: int, taken: dict[int, _Pending]) -> int:
    for step in range(1, 257):
        if (last + step) & 255 not in taken:
            return (last + step) & 255
    raise OverflowError("256 requests are unanswered already")

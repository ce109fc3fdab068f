"""The RADIUS server without sockets: a datagram goes in, the octets of an answer come out, with what happened.

Guarantees: a datagram passes, in this order, the form check, the client lookup, the authenticators, the duplicate
cache, and only then policy (radius.md 1); whatever fails is dropped silently towards the peer, counted by its reason
and put into words for the log. Every answer to an Access-Request or Status-Server carries Message-Authenticator first. A request of one listener touches
nothing of another. Nothing here waits, and nothing asks a database.

It is a server for MAC authentication: the MAC stands in User-Name (and Calling-Station-Id). It opens no password and
speaks no EAP: such requests are rejected, because MAB proves nothing about a device anyway and healthy it is never by it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from radius_policy.model import Access, Mac, Micros, TenantId
from radius_policy.radius.attributes import Attribute, parse_mac, write_number
from radius_policy.radius.complaints import Complaints
from radius_policy.radius.duplicates import Duplicates, Key, Standing
from radius_policy.radius.mark import Mark, read_mark, write_mark
from radius_policy.radius.sessions import Heard, Status, ids_of
from radius_policy.radius.snapshot import Known, Snapshot
from radius_policy.radius.wire import (
    CHAP_PASSWORD,
    Code,
    Fault,
    Packet,
    WireError,
    attribute,
    build_response,
    join,
    parse,
    verify_request,
)

_STATUS = {write_number(status): status for status in Status}
_MOST_PROXY_STATE = 2048
_RADIUS_REQUEST = attribute(Attribute.TERMINATION_ACTION, write_number(1))


@dataclass(frozen=True, slots=True)
class Listener:
    """Where datagrams come in. Its name and tenant go with each of them."""

    name: str
    tenant: TenantId


@dataclass(frozen=True, slots=True)
class Answered:
    """An Access-Request was answered: Accept with `access`, or Reject where that is `blocked`."""

    tenant: TenantId
    nas_id: str
    mac: Mac
    access: Access
    generation: int
    ids: dict[int, bytes]
    at: Micros


@dataclass(frozen=True, slots=True)
class Accounted:
    """An Accounting-Request that must be stored before `reply` is sent to `source`. `key` and `authenticator` are for
    `RadiusServer.stored` and `RadiusServer.not_stored`."""

    heard: Heard
    reply: bytes
    source: tuple[str, int]
    key: Key
    authenticator: bytes


class RadiusServer:
    """One instance serves all listeners of a process. `log` takes the sentences, `counts` are the good things."""

    def __init__(self, snapshot: Snapshot, class_key: bytes, log: Callable[[str], None]) -> None:
        self.snapshot = snapshot
        self.complaints = Complaints()
        self.counts: Counter[str] = Counter()
        self.answered = Duplicates()
        self.accounted = Duplicates()
        self._key = class_key
        self._log = log

    def authentication(
        self, datagram: bytes, source: tuple[str, int], listener: Listener, now: Micros
    ) -> tuple[bytes | None, Answered | None]:
        """A datagram on an authentication port: what to send back at once, and what it was."""
        try:
            packet, known = self._verified(datagram, source, listener, Code.ACCESS_REQUEST)
        except WireError as error:
            self._complain(error, source, listener, now)
            return None, None
        if packet.code == Code.STATUS_SERVER:
            self.counts["status_server"] += 1
            return build_response(Code.ACCESS_ACCEPT, packet, known.secret, _proxied(packet)), None
        key = (listener.name, source[0], source[1], packet.identifier)
        kept = self.answered.look(key, packet.authenticator, now)
        if isinstance(kept, bytes):
            self.counts["repeated"] += 1
            return kept, None
        mac = self._mac_of(packet)
        if mac is None:
            reply = build_response(Code.ACCESS_REJECT, packet, known.secret, _refusal(packet) + _proxied(packet))
            self.answered.keep(key, packet.authenticator, reply, None, now)
            return reply, None
        reply, answered = self._decide(packet, known, mac, now)
        self.answered.keep(key, packet.authenticator, reply, (listener.tenant, mac), now)
        return reply, answered

    def accounting(
        self, datagram: bytes, source: tuple[str, int], listener: Listener, now: Micros
    ) -> tuple[bytes | None, Accounted | None]:
        """A datagram on an accounting port: what to send at once, or what to store before its reply may go out."""
        try:
            packet, known = self._verified(datagram, source, listener, Code.ACCOUNTING_REQUEST)
        except WireError as error:
            self._complain(error, source, listener, now)
            return None, None
        if packet.code == Code.STATUS_SERVER:
            self.counts["status_server"] += 1
            return build_response(Code.ACCOUNTING_RESPONSE, packet, known.secret, _proxied(packet)), None
        key = (listener.name, source[0], source[1], packet.identifier)
        kept = self.accounted.look(key, packet.authenticator, now)
        if isinstance(kept, bytes):
            self.counts["repeated"] += 1
            return kept, None
        if kept is Standing.IN_WORK:
            self.counts["repeated_in_work"] += 1
            return None, None
        # Without Message-Authenticator: peers disagree about how it is computed here (FreeRADIUS 3.2 and pyrad over
        # zeroes, others over the request's authenticator), and accounting needs none (RFC 2866 3 proves the answer).
        reply = build_response(Code.ACCOUNTING_RESPONSE, packet, known.secret, _proxied(packet), mark=False)
        heard = self._heard(packet, known, now)
        if heard is None:
            self.counts["accounting_without_meaning"] += 1
            self.accounted.keep(key, packet.authenticator, reply, None, now)
            return reply, None
        self.accounted.keep(key, packet.authenticator, None, None, now)
        return None, Accounted(heard, reply, source, key, packet.authenticator)

    def stored(self, accounted: Accounted, now: Micros) -> bytes:
        """The accounting is on disk: its reply may go out, and goes out again when asked again."""
        self.counts["accounting_answered"] += 1
        self.accounted.keep(accounted.key, accounted.authenticator, accounted.reply, None, now)
        return accounted.reply

    def not_stored(self, accounted: Accounted) -> None:
        """It could not be stored: unanswered, so that the NAS sends it again, and then it is new work."""
        self.counts["accounting_unanswered"] += 1
        self.accounted.forget(accounted.key, accounted.authenticator)

    def forget(self, tenant: TenantId, mac: Mac) -> None:
        """A MAC has a new answer: the old one must not be repeated."""
        self.answered.forget_mac(tenant, mac)

    def authorization(self, tenant: TenantId, mac: Mac, generation: int, access: Access) -> bytes:
        """What an Accept (or a CoA that changes a session in place) carries: VLAN, Class, and a timeout where one is
        set. Empty for `blocked`, which has no such thing."""
        rules = self.snapshot.rules(tenant)
        vlan = rules.attributes.get(access)
        if vlan is None:
            return b""
        attributes = vlan + attribute(Attribute.CLASS, write_mark(self._key, tenant, mac, generation, access))
        timeout = rules.timeouts.get(access)
        if timeout is not None:
            attributes += attribute(Attribute.SESSION_TIMEOUT, write_number(timeout)) + _RADIUS_REQUEST
        return attributes

    def _verified(
        self, datagram: bytes, source: tuple[str, int], listener: Listener, code: Code
    ) -> tuple[Packet, Known]:
        packet = parse(datagram)
        if packet.code not in (code, Code.STATUS_SERVER):
            raise WireError(Fault.UNEXPECTED_CODE, f"code {packet.code} is not for this port")
        known = self.snapshot.find_nas(listener.name, source[0])
        if known is None or known.nas.tenant != listener.tenant:
            raise WireError(Fault.UNKNOWN_CLIENT, f"no NAS has the address {source[0]}")
        if sum(map(len, packet.all(Attribute.PROXY_STATE))) > _MOST_PROXY_STATE:
            raise WireError(Fault.PROXY_STATE_TOO_LONG, "so much Proxy-State that no answer could carry it back")
        verify_request(packet, known.secret, require_message_authenticator=known.nas.require_message_authenticator)
        if code == Code.ACCESS_REQUEST and packet.first(Attribute.EAP_MESSAGE) is not None:
            for password in (Attribute.USER_PASSWORD, CHAP_PASSWORD):
                if packet.first(password) is not None:
                    raise WireError(Fault.EAP_WITH_PASSWORD, "EAP-Message beside a password (RFC 3579 3.3)")
        return packet, known

    def _mac_of(self, packet: Packet) -> Mac | None:
        """The MAC that asks, or None (counted by why) where this is no MAC authentication."""
        if packet.first(Attribute.EAP_MESSAGE) is not None:
            self.counts["rejected_eap"] += 1
            return None
        name, station = packet.first(Attribute.USER_NAME), packet.first(Attribute.CALLING_STATION_ID)
        mac = parse_mac(name) if name is not None else None
        calling = parse_mac(station) if station is not None else None
        if name is None:
            mac = calling
        if mac is None:
            self.counts["rejected_not_a_mac"] += 1
        elif calling is not None and calling != mac:
            self.counts["rejected_two_macs"] += 1
            return None
        return mac

    def _decide(self, packet: Packet, known: Known, mac: Mac, now: Micros) -> tuple[bytes, Answered]:
        nas = known.nas
        answer = self.snapshot.answer(nas.tenant, mac, nas.site)
        access, generation = answer.access, answer.generation
        if access is Access.BLOCKED:
            self.counts["rejected_blocked"] += 1
            code, attributes = Code.ACCESS_REJECT, b""
        else:
            self.counts["accepted" if answer.listed else "accepted_unlisted"] += 1
            code, attributes = Code.ACCESS_ACCEPT, self.authorization(nas.tenant, mac, generation, access)
        reply = build_response(code, packet, known.secret, attributes + _proxied(packet))
        return reply, Answered(nas.tenant, nas.nas_id, mac, access, generation, ids_of(packet.attributes), now)

    def _heard(self, packet: Packet, known: Known, now: Micros) -> Heard | None:
        status = _STATUS.get(packet.first(Attribute.ACCT_STATUS_TYPE) or b"")
        if status is None:
            return None
        nas = known.nas
        station = packet.first(Attribute.CALLING_STATION_ID) or packet.first(Attribute.USER_NAME)
        mac = parse_mac(station) if station is not None else None
        session = packet.first(Attribute.ACCT_SESSION_ID)
        if status.about_session and (mac is None or session is None):
            return None
        mark: Mark | None = None
        if mac is not None:
            mark = read_mark(self._key, nas.tenant, mac, packet.all(Attribute.CLASS))
        return Heard.of(
            status=status,
            tenant=nas.tenant,
            nas_id=nas.nas_id,
            mac=mac,
            session=session or b"",
            attributes=packet.attributes,
            mark=mark,
            at=now,
        )

    def _complain(self, error: WireError, source: tuple[str, int], listener: Listener, now: Micros) -> None:
        place = f"{source[0]} (listener {listener.name})"
        sentence = self.complaints.note(error.fault, place, str(error), now)
        if sentence is not None:
            self._log(sentence)


def _proxied(packet: Packet) -> bytes:
    """Proxy-State goes back unchanged and in order (RFC 2865 5.33)."""
    return join((Attribute.PROXY_STATE, value) for value in packet.all(Attribute.PROXY_STATE))


def _refusal(packet: Packet) -> bytes:
    """An EAP-Failure where the NAS speaks EAP (RFC 3579 2.6.3), else nothing."""
    eap = packet.first(Attribute.EAP_MESSAGE)
    return attribute(Attribute.EAP_MESSAGE, bytes((4, eap[1], 0, 4))) if eap is not None and len(eap) >= 2 else b""

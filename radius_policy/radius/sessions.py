"""Sessions: what the NAS told about who is on which port. Pure: what was heard and what is known in, records out.

Guarantees: identifiers are kept byte for byte, because CoA must name a session with the NAS's own octets. A session is
learnt from the Access-Request already (accounting may be seconds away or never come) and takes the NAS's own id as
soon as that is known. Accounting-On and Accounting-Off end every session of that NAS (RFC 2866 5.1). A repeated
message changes nothing but `updated`, and a late Interim or Start opens no session that a Stop has ended.

A port of a NAS has one session of a MAC: a new one there ends the one before, whose Stop was lost. That is our own
conclusion (`presumed`), as is the end of one that the NAS did not know when a CoA named it: what the NAS says of such a
session later opens it again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum

from radius_policy.model import SECOND, Mac, Micros, Session, TenantId
from radius_policy.radius.attributes import Attribute, number, printable, read_vlan
from radius_policy.radius.mark import Mark

KEPT = frozenset(
    {
        Attribute.USER_NAME,
        Attribute.NAS_IP_ADDRESS,
        Attribute.NAS_PORT,
        Attribute.FRAMED_IP_ADDRESS,
        Attribute.CLASS,
        Attribute.CALLED_STATION_ID,
        Attribute.CALLING_STATION_ID,
        Attribute.NAS_IDENTIFIER,
        Attribute.ACCT_SESSION_ID,
        Attribute.ACCT_MULTI_SESSION_ID,
        Attribute.NAS_PORT_TYPE,
        Attribute.NAS_PORT_ID,
        Attribute.CHARGEABLE_USER_IDENTITY,
        Attribute.NAS_IPV6_ADDRESS,
    }
)
"""Attributes kept of a session: those that may identify it to its NAS (RFC 5176 3)."""
_PROVISIONAL = b"\0auth:"
_AGO = (Attribute.ACCT_DELAY_TIME, Attribute.ACCT_SESSION_TIME)


class Status(IntEnum):
    """Acct-Status-Type (RFC 2866 5.1)."""

    START = 1
    STOP = 2
    INTERIM = 3
    ON = 7
    OFF = 8

    @property
    def about_session(self) -> bool:
        """Start, Stop and Interim are about one session; On and Off about the whole NAS (RFC 2866 5.1)."""
        return self in (Status.START, Status.STOP, Status.INTERIM)


def ids_of(attributes: Iterable[tuple[int, bytes]]) -> dict[int, bytes]:
    """The identifying attributes of a packet; of a repeated one the first."""
    ids: dict[int, bytes] = {}
    for code, value in attributes:
        if code in KEPT and code not in ids:
            ids[code] = value
    return ids


def port_of(ids: dict[int, bytes]) -> str:
    """The port for people: NAS-Port-Id, else NAS-Port as a number, else ''."""
    if name := ids.get(Attribute.NAS_PORT_ID):
        return printable(name)
    port = number(ids.get(Attribute.NAS_PORT))
    return "" if port is None else str(port)


def provisional(mac: Mac, port: str) -> bytes:
    """The key of a session that the NAS has not named yet. No NAS's own: those are text (RFC 2866 5.5)."""
    return _PROVISIONAL + f"{mac}@{port}".encode()


def is_provisional(session: bytes) -> bool:
    """Whether it is such a key of ours."""
    return session.startswith(_PROVISIONAL)


@dataclass(frozen=True, slots=True)
class Heard:
    """One accounting message. `mark` is our own valid Class, `vlan` the VLAN it shows ('' = none), `began` when its
    session began as far as the message tells (Acct-Delay-Time and Acct-Session-Time before `at`)."""

    status: Status
    tenant: TenantId
    nas_id: str
    mac: Mac | None
    session: bytes
    ids: dict[int, bytes]
    port: str
    mark: Mark | None
    vlan: str
    at: Micros
    began: Micros

    @classmethod
    def of(
        cls,
        *,
        status: Status,
        tenant: TenantId,
        nas_id: str,
        mac: Mac | None,
        session: bytes,
        attributes: Iterable[tuple[int, bytes]],
        mark: Mark | None,
        at: Micros,
    ) -> "Heard":
        """From a packet's attributes."""
        attributes = tuple(attributes)
        ids = ids_of(attributes)
        ago = sum(number(value) or 0 for code, value in attributes if code in _AGO)
        began = max(0, at - ago * SECOND)
        return cls(status, tenant, nas_id, mac, session, ids, port_of(ids), mark, read_vlan(attributes), at, began)


@dataclass(frozen=True, slots=True)
class Told:
    """What a message meant. `session` is the one it is about as it is now, `ended` those that it ended, `opened`
    whether the session is new, and `put` all records to store."""

    session: Session | None = None
    ended: tuple[Session, ...] = ()
    opened: bool = False
    put: tuple[Session, ...] = field(default=())


def hear(heard: Heard, of_mac: Iterable[Session], of_nas: Iterable[Session] = ()) -> Told:
    """Accounting. `of_mac` are the sessions of that MAC (ended ones may be among them, and the one of this id must);
    `of_nas`, asked for On and Off alone, the open ones of that NAS."""
    if heard.mac is None or not heard.status.about_session:
        ended = tuple(_end(session, heard.at) for session in of_nas if session.ended is None)
        return Told(ended=ended, put=ended)
    here = [session for session in of_mac if session.nas_id == heard.nas_id]
    known = next((session for session in here if session.session == heard.session), None)
    if heard.status is Status.STOP:
        return _stop(heard, heard.mac, known, here)
    if known is not None and _is_over(known):
        return Told()
    fresh = known or Session(heard.tenant, heard.nas_id, heard.session, heard.mac, started=heard.began)
    opened = known is None or known.ended is not None
    fresh = replace(_merge(fresh, heard), ended=None, presumed=False)
    ended = _displaced(fresh, here, heard.at)
    return Told(fresh, ended, opened, (fresh, *ended))


def asked(
    *,
    tenant: TenantId,
    nas_id: str,
    mac: Mac,
    ids: dict[int, bytes],
    answer: Mark,
    at: Micros,
    of_mac: Iterable[Session],
) -> Told:
    """An Access-Request was accepted with `answer`: the session it begins, under the NAS's id if it gave one.

    It ends no session that accounting told of: the NAS may yet refuse what we answered. What only an earlier
    Access-Request told of is over: the endpoint asks from here now.
    """
    of_mac = list(of_mac)
    port = port_of(ids)
    key = ids.get(Attribute.ACCT_SESSION_ID) or provisional(mac, port)
    known = next((s for s in of_mac if s.nas_id == nas_id and s.session == key), None)
    if known is not None and _is_over(known) and not is_provisional(key):
        return Told()
    session = known if known is not None and known.ended is None else None
    fresh = Session(tenant, nas_id, key, mac, started=at) if session is None else session
    fresh = replace(
        fresh,
        port=port or fresh.port,
        ids={**fresh.ids, **ids},
        updated=at,
        generation=answer.generation,
        access=answer.access,
        shown=False,
    )
    ended = tuple(
        _end(other, at)
        for other in of_mac
        if other.ended is None
        and is_provisional(other.session)
        and (other.nas_id, other.session) != (fresh.nas_id, fresh.session)
    )
    return Told(fresh, ended, session is None, (fresh, *ended))


def _merge(session: Session, heard: Heard) -> Session:
    mark = heard.mark if heard.status is not Status.STOP else None
    return replace(
        session,
        ids={**session.ids, **heard.ids},
        port=heard.port or session.port,
        updated=max(heard.at, session.updated),
        generation=session.generation if mark is None else mark.generation,
        access=session.access if mark is None else mark.access,
        vlan=heard.vlan or session.vlan,
        shown=session.shown or mark is not None,
    )


def _displaced(fresh: Session, here: list[Session], at: Micros) -> tuple[Session, ...]:
    """Older sessions of the same MAC on the same port, and what stood for this one before it had its id."""
    return tuple(
        presume_ended(session, at)
        for session in here
        if session.ended is None
        and session.session != fresh.session
        and (is_provisional(session.session) or (session.port == fresh.port and session.started <= fresh.started))
    )


def _stop(heard: Heard, mac: Mac, known: Session | None, here: list[Session]) -> Told:
    if known is None:
        # Never heard of: kept as ended, so that its late Start opens nothing. What stood for it before it was
        # named is ended with it where it is the only one there.
        known = _merge(Session(heard.tenant, heard.nas_id, heard.session, mac, started=heard.began), heard)
        gone = _end(known, heard.at)
        standing_in = [s for s in here if s.ended is None and is_provisional(s.session) and s.port == gone.port]
        ended = tuple(_end(session, heard.at) for session in standing_in)
        return Told(gone, ended, False, (gone, *ended))
    if _is_over(known):
        return Told()
    gone = _end(_merge(known, heard), heard.at)
    return Told(gone, () if known.presumed else (gone,), False, (gone,))


def presume_ended(session: Session, at: Micros) -> Session:
    """The session as it is when we conclude that it is over, without the NAS's word."""
    return replace(session, ended=at, updated=at, presumed=True)


def _end(session: Session, at: Micros) -> Session:
    return replace(session, ended=at, updated=at, presumed=False)


def _is_over(session: Session) -> bool:
    """The NAS itself said that it is over."""
    return session.ended is not None and not session.presumed

"""What a CoA or Disconnect says: the profile's method on one session, with the NAS's own octets (RFC 5176 3)."""

from radius_policy.model import Micros, Session
from radius_policy.nas.profile import Kind, Method, Profile
from radius_policy.radius.attributes import Attribute, write_number
from radius_policy.radius.wire import attribute, join


def attributes(
    profile: Profile, method: Method, session: Session, *, id_set: int, now: Micros, authorization: bytes = b""
) -> bytes:
    """The attributes of the request, without Message-Authenticator: identification verbatim, the action,
    `authorization` (VLAN and Class) for a method that changes the session in place, and Event-Timestamp.

    Raises ValueError where the session has no identifier that the method allows.
    """
    named = method.identify(session.ids, id_set)
    if not named:
        raise ValueError(f"the session has no identifier that {profile.name} takes for {method.kind}")
    body = join(named) + method.added
    if method.kind is Kind.VLAN:
        body += authorization
    if profile.event_timestamp:
        body += attribute(Attribute.EVENT_TIMESTAMP, write_number(now // 1_000_000))
    return body

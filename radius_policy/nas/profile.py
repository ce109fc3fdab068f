"""NAS profiles: what a make of switch understands, as data in `profiles/*.toml`, each fact with its evidence.

Guarantees: a profile that loads is complete and sensible; one that is not is a `ProfileError` that names file, key and
what would be right. Nothing is assumed silently: what has no evidence says `evidence = "none"`.

A profile's methods are tried in order. `ids` of a method are sets of identifying attributes: the first is used, the
next after the NAS refused an attribute (Error-Cause 401, 402). An identifier that the session lacks is left out; a
method of which none is left cannot be used. `add` are the attributes that make the action.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from radius_policy.model import SECOND
from radius_policy.radius.attributes import write_number
from radius_policy.radius.wire import Code, attribute

SCHEMA = 1


class ProfileError(Exception):
    """A profile that cannot be used. The message names file and key and says what would be right."""


class Kind(StrEnum):
    """What a method does to the port."""

    REAUTHENTICATE = "reauthenticate"
    DISCONNECT = "disconnect"
    BOUNCE = "bounce"
    VLAN = "vlan"
    DISABLE = "disable"


class Evidence(StrEnum):
    """Where a fact is from, the strongest first."""

    TEST = "test"
    VENDOR = "vendor"
    CODE = "code"
    RFC = "rfc"
    ISSUE = "issue"
    THIRD_PARTY = "third-party"
    NONE = "none"


class Otherwise(StrEnum):
    """What a move is called that showed no proof in time."""

    NOT_CONFIRMED = "not_confirmed"
    NOT_CONFIRMABLE = "not_confirmable"


class By(StrEnum):
    """What proves a move on this NAS."""

    CLASS = "class"
    VLAN = "vlan"
    NOTHING = "nothing"


class _Add(msgspec.Struct, forbid_unknown_fields=True):
    """One attribute: by name, or a vendor's; its value is a text, a number or hexadecimal octets."""

    attribute: str = ""
    vendor: int | None = None
    type: int | None = None
    text: str | None = None
    number: int | None = None
    octets: str | None = None


class _Method(msgspec.Struct, forbid_unknown_fields=True):
    kind: Kind
    code: str
    ids: list[list[str]]
    tries: int
    access_request: bool
    whole_port: bool
    evidence: Evidence
    source: list[str]
    add: list[_Add] = []


class _CoA(msgspec.Struct, forbid_unknown_fields=True):
    port: int
    message_authenticator: bool
    event_timestamp: bool
    answers_407_for_unknown_session: bool = False


class _Timers(msgspec.Struct, forbid_unknown_fields=True):
    attempt_s: float
    confirm_s: float
    backoff_s: float
    retry_s: float
    interim_s: float = 600.0


class _Confirmation(msgspec.Struct, forbid_unknown_fields=True):
    by: By
    otherwise: Otherwise


class _Profile(msgspec.Struct, forbid_unknown_fields=True):
    schema: int
    name: str
    title: str
    makes: list[str]
    evidence: Evidence
    source: list[str]
    coa: _CoA
    timers: _Timers
    confirmation: _Confirmation
    method: list[_Method]
    faults: list[str] = []


@dataclass(frozen=True, slots=True)
class Method:
    """One way to make a NAS act. `ids` are sets of attribute numbers, `added` the action's attributes as octets.

    `access_request` says whether an Access-Request that we see must follow, `whole_port` whether everything on the
    port is hit (a phone too), `tries` how often it may be sent for one order.
    """

    kind: Kind
    code: Code
    ids: tuple[tuple[int, ...], ...]
    added: bytes
    tries: int
    access_request: bool
    whole_port: bool
    evidence: Evidence

    def identify(self, known: Mapping[int, bytes], id_set: int) -> list[tuple[int, bytes]]:
        """The identifying attributes of a session, verbatim and in the profile's order; [] where it has none."""
        return [(number, known[number]) for number in self.ids[min(id_set, len(self.ids) - 1)] if number in known]


@dataclass(frozen=True, slots=True)
class Profile:
    """A make as this program uses it. Times in microseconds."""

    name: str
    title: str
    port: int
    message_authenticator: bool
    event_timestamp: bool
    unknown_session_is_407: bool
    attempt_us: int
    confirm_us: int
    backoff_us: int
    retry_us: int
    interim_us: int
    proof: By
    otherwise: Otherwise
    methods: tuple[Method, ...]

    def method(self, index: int) -> Method | None:
        """The method, or None where there are no more."""
        return self.methods[index] if 0 <= index < len(self.methods) else None


def read(text: str, name: str) -> Profile:
    """A profile from TOML text; `name` is the file's name for messages. Raises ProfileError."""
    try:
        found = msgspec.convert(tomllib.loads(text), type=_Profile)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{name}: not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise ProfileError(f"{name}: {error}") from error
    if found.schema != SCHEMA:
        raise ProfileError(f"{name}: schema is {found.schema}, this program reads {SCHEMA}")
    if not found.method:
        raise ProfileError(f"{name}: has no [[method]]; a NAS that nothing can be sent to needs no profile")
    if found.evidence is not Evidence.NONE and not found.source:
        raise ProfileError(f'{name}: evidence is "{found.evidence}" but source is empty')
    for key, value in msgspec.structs.asdict(found.timers).items():
        if not 0 < value <= 86_400:
            raise ProfileError(f"{name}: timers.{key} is {value}, allowed are more than 0 and at most 86400 seconds")
    if not 1 <= found.coa.port <= 65535:
        raise ProfileError(f"{name}: coa.port is {found.coa.port}, no UDP port")
    methods = tuple(_method(entry, f"{name}: method {place}") for place, entry in enumerate(found.method, 1))
    return Profile(
        found.name,
        found.title,
        found.coa.port,
        found.coa.message_authenticator,
        found.coa.event_timestamp,
        found.coa.answers_407_for_unknown_session,
        round(found.timers.attempt_s * SECOND),
        round(found.timers.confirm_s * SECOND),
        round(found.timers.backoff_s * SECOND),
        round(found.timers.retry_s * SECOND),
        round(found.timers.interim_s * SECOND),
        found.confirmation.by,
        found.confirmation.otherwise,
        methods,
    )


@cache
def load(name: str) -> Profile:
    """A shipped profile. Raises ProfileError naming the nearest known one."""
    if name not in names():
        from difflib import get_close_matches

        near = get_close_matches(name, names(), 1)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(names())}"
        raise ProfileError(f'there is no NAS profile "{name}"{hint}')
    profile = read((files("radius_policy.nas") / "profiles" / f"{name}.toml").read_text("utf-8"), f"{name}.toml")
    if profile.name != name:
        raise ProfileError(f'{name}.toml: name is "{profile.name}", the file\'s name says "{name}"')
    return profile


@cache
def names() -> tuple[str, ...]:
    """The shipped profiles."""
    found = (files("radius_policy.nas") / "profiles").iterdir()
    return tuple(sorted(path.name.removesuffix(".toml") for path in found if path.name.endswith(".toml")))


def _method(entry: _Method, place: str) -> Method:
    codes = {"coa": Code.COA_REQUEST, "disconnect": Code.DISCONNECT_REQUEST}
    if entry.code not in codes:
        raise ProfileError(f'{place}: code is "{entry.code}", known are coa and disconnect')
    if not entry.ids or not all(entry.ids):
        raise ProfileError(f"{place}: ids must be one or more non-empty lists of attribute names")
    if not 1 <= entry.tries <= 10:
        raise ProfileError(f"{place}: tries is {entry.tries}, allowed are 1 to 10")
    if entry.kind is Kind.DISABLE:
        raise ProfileError(
            f"{place}: disable takes the session away and with it the way back by CoA; it needs a script"
        )
    if entry.evidence is not Evidence.NONE and not entry.source:
        raise ProfileError(f'{place}: evidence is "{entry.evidence}" but source is empty')
    ids = tuple(tuple(_number(name, place) for name in names) for names in entry.ids)
    added = b"".join(_added(add, place) for add in entry.add)
    return Method(
        entry.kind, codes[entry.code], ids, added, entry.tries, entry.access_request, entry.whole_port, entry.evidence
    )


def _number(name: str, place: str) -> int:
    from radius_policy.radius.dictionary import number_of  # only who reads a profile needs the names

    try:
        return number_of(name)
    except KeyError:
        near = _nearest(name)
        raise ProfileError(f'{place}: unknown attribute "{name}"{near}') from None


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    from radius_policy.radius.dictionary import dictionary

    near: Iterable[str] = get_close_matches(name, list(dictionary().attributes), 1)
    return "".join(f"; did you mean {other}?" for other in near)


def _added(add: _Add, place: str) -> bytes:
    values = [value for value in (add.text, add.number, add.octets) if value is not None]
    if len(values) != 1:
        raise ProfileError(f"{place}: an added attribute has exactly one of text, number, octets")
    try:
        value = _octets(values[0], hexadecimal=add.octets is not None)
        if add.attribute:
            return attribute(_number(add.attribute, place), value)
        if add.vendor is None or add.type is None or not 1 <= add.type <= 255:
            raise ProfileError(f"{place}: an added attribute has attribute, or vendor and type (1 to 255)")
        return attribute(26, write_number(add.vendor) + attribute(add.type, value))
    except ValueError as error:
        raise ProfileError(f"{place}: {error}") from error


def _octets(value: Any, *, hexadecimal: bool) -> bytes:
    if isinstance(value, int):
        return write_number(value)
    return bytes.fromhex(value) if hexadecimal else str(value).encode()

"""The one list of what a store keeps: for each record its table, its key and what it can be found by.

A record is a frozen dataclass; its fields are the columns, in their order. To keep a new kind of record, write the
dataclass beside its owner, register it here and run `python -m radius_policy.store.migrations` (until the first
release; later a numbered migration of its own). Both stores read this list, so nothing else is to be told.

`indexes` are tuples of fields. A `find` by equality over a prefix of the key or of an index, with `order` on the
field after that prefix, is quick at any size; any other combination is right too, but reads more than it gives.

Allowed types of a field: int, float, str, bytes, bool, str and int enums, each with `| None`; anything else that
msgspec can write and read back (nested frozen dataclasses, tuples, sets, dicts) is one column of JSON text, and
cannot be found by. This module imports no database library: the memory store runs without one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum, IntEnum, StrEnum
from functools import cached_property
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from radius_policy import model

_PLAIN = (int, float, str, bytes, bool)


@dataclass(frozen=True, slots=True)
class Field:
    """One column. `type` is one of int, float, str, bytes, bool or an enum, or for `json` the whole annotation."""

    name: str
    type: Any
    nullable: bool
    json: bool


@dataclass(frozen=True)
class RecordType:
    """`key` and each of `indexes` are field names of `kind`; the key begins with `tenant`.

    TypeError at registration names what is wrong with it.
    """

    kind: type[Any]
    table: str
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        if not is_dataclass(self.kind):
            raise TypeError(f"{self.kind.__name__} is no dataclass, so it cannot be a record")
        for name in {name for group in (self.key, *self.indexes) for name in group}:
            if name not in self.findable:
                raise TypeError(f"{self.kind.__name__}.{name} is no plain field, but a key or an index names it")
        if nullable := [name for name in self.key if self.findable[name].nullable]:
            raise TypeError(f"{self.kind.__name__}.{nullable[0]} may be None, so it cannot be a part of the key")

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The columns in the order of the dataclass."""
        hints = get_type_hints(self.kind)
        return tuple(_field(field.name, hints[field.name]) for field in fields(self.kind))

    @cached_property
    def findable(self) -> dict[str, Field]:
        """The fields that `find` may name: all but those kept as JSON."""
        return {field.name: field for field in self.fields if not field.json}

    def check_findable(self, names: Mapping[str, Any] | tuple[str, ...]) -> None:
        """TypeError names a field that no `find` may name."""
        for name in names:
            if name not in self.findable:
                raise TypeError(f"{self.kind.__name__} cannot be found by {name!r}: no such plain field")


def _field(name: str, hint: Any) -> Field:
    nullable = False
    if get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint):
        others = [arg for arg in get_args(hint) if arg is not NoneType]
        nullable, hint = True, others[0] if len(others) == 1 else Union[tuple(others)]  # noqa: UP007 - built at run time
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    plain = isinstance(hint, type) and (hint in _PLAIN or issubclass(hint, StrEnum | IntEnum))
    if isinstance(hint, type) and issubclass(hint, Enum) and not plain:
        raise TypeError(f"{hint.__name__} is neither a str nor an int enum, so the field {name!r} cannot be kept")
    return Field(name, hint, nullable, json=not plain)


def _record(kind: type[Any], table: str, key: str, *indexes: str) -> RecordType:
    """Fields are written as words of one string, every one of them after the tenant."""
    return RecordType(kind, table, ("tenant", *key.split()), tuple(("tenant", *index.split()) for index in indexes))


_ALL = (
    _record(model.Host, "hosts", "host_id", "name", "site enrolled_at", "last_evidence", "public_key"),
    _record(model.MacBinding, "mac_bindings", "mac host_id", "host_id"),
    _record(model.Token, "enrol_tokens", "hash", "created"),
    _record(model.Evidence, "evidence", "host_id message_id", "at"),
    _record(model.Executable, "executables", "sha256", "first_seen", "family", "signer"),
    _record(
        model.Execution,
        "executions",
        "id",
        "host_id started",
        "sha256 started",
        "started",
        "ended",
        "received",
        "span started id ended",
        "span ended started id",
    ),
    _record(model.Prevalence, "prevalence", "sha256 scope"),
    _record(model.HostExecutable, "host_executables", "host_id sha256", "sha256 first", "first host_id sha256"),
    _record(
        model.ListEntry,
        "list_entries",
        "id",
        "kind value",
        "action created",
        "batch",
        "created",
        "expires",
        "confirmed",
    ),
    _record(model.Listing, "listings", "host_id part", "part"),
    _record(model.PastEntry, "past_entries", "id removed", "kind value"),
    _record(model.GraceSlot, "grace_slots", "rule sha256 host_id", "sha256", "host_id", "until"),
    _record(model.BreakerPlace, "breaker_places", "level host_id key", "level at", "host_id", "key"),
    _record(model.BreakerTrip, "breaker_trips", "level at", "ended", "at"),
    _record(model.PostureReason, "posture_reasons", "host_id key", "key", "posture at"),
    _record(model.HostState, "host_states", "host_id", "posture since", "access since", "generation"),
    _record(model.MacAccess, "mac_access", "mac", "host_id", "generation"),
    _record(model.Nas, "nas", "nas_id", "listener address"),
    _record(model.Session, "sessions", "nas_id session", "mac ended", "nas_id port", "ended", "updated"),
    _record(model.Neighbour, "neighbours", "host_id mac source since", "at"),
    _record(
        model.Order,
        "orders",
        "id",
        "state not_before",
        "host_id created",
        "mac generation",
        "nas_id session",
        "generation",
        "created",
    ),
    _record(
        model.Event, "events", "id", "at", "topic at", "host_id at", "sha256 at", "kind at", "severity at", "site at"
    ),
    _record(
        model.Delivery,
        "deliveries",
        "id",
        "state not_before",
        "event_id",
        "channel state not_before",
        "created",
        "route topic kind created",
    ),
    _record(model.Joined, "joined_events", "delivery_id event_id", "delivery_id position", "event_id"),
    _record(model.Escalation, "escalations", "id", "state due", "topic opened", "opened", "event_id"),
    _record(model.ScriptRun, "script_runs", "id", "state sequence", "host_id sequence", "created"),
    _record(model.Cursor, "cursors", "name"),
    _record(model.Setting, "settings", "name"),
    _record(model.User, "users", "name"),
    _record(model.Login, "logins", "hash", "user", "expires"),
    _record(model.ApiToken, "api_tokens", "hash", "name"),
    _record(model.AgentOrder, "agent_orders", "id", "host_id refused created", "created"),
    _record(model.Precedent, "precedents", "kind key", "sha256"),
    _record(model.Ring, "rings", "sha256"),
    _record(model.Pass, "passes", "host_id sha256"),
    _record(model.Tool, "tools", "sha256"),
    _record(model.AuditLine, "audit_lines", "number", "at", "who at", "subject at"),
)

RECORDS: Mapping[type[Any], RecordType] = {record.kind: record for record in _ALL}


def record_type(kind: type[Any]) -> RecordType:
    """How `kind` is kept. TypeError names a kind that is not registered here."""
    found = RECORDS.get(kind)
    if found is None:
        raise TypeError(f"{kind.__name__} is no kind of record: register it in radius_policy/store/schema.py")
    return found

"""How long what is kept: days per kind of data, pseudonyms instead of users, and forgetting one host or user on request.

Guarantees: each function does one short piece of work and says whether there is more, so a running service is not held
up; what decides now (hosts, states, open reasons, lists, orders under way) has no age and is never pruned; a pseudonym is
the same for one user wherever the name stands, so that reports still tell one person from another.

What it does not do: ids of messages are forgotten by the ingest within hours; it has no clock and no key; a pseudonym is undone only with the key, which is not in the database.
"""

import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, Final, TypeVar

from radius_policy.facts.places import HOMES
from radius_policy.judgement import inventory
from radius_policy.model import (
    OPEN_STATES,
    AuditLine,
    BreakerTrip,
    Delivery,
    Escalation,
    Event,
    Execution,
    Host,
    HostExecutable,
    HostId,
    HostState,
    Joined,
    ListEntry,
    Login,
    MacAccess,
    MacBinding,
    Micros,
    Neighbour,
    Order,
    OrderState,
    PostureReason,
    ScriptRun,
    Session,
    TenantId,
)
from radius_policy.store.interface import Tx
from radius_policy.store.schema import RECORDS

T = TypeVar("T")

PIECE: Final = 500
DAY: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Aged:
    """One kind of data that grows old: by which field, for how many days by default, and what else must hold."""

    kind: type[Any]
    field: str
    days: int
    what: str
    only: Mapping[str, Any] | None = None


_OVER: Final = tuple(state for state in OrderState if state not in OPEN_STATES)
AGED: Final[dict[str, Aged]] = {
    "executions": Aged(
        Execution, "received", 400, "starts, by when they were told, with user, path and parents; sightings stay"
    ),
    "events": Aged(Event, "at", 400, "what people were told"),
    "messages": Aged(Delivery, "created", 90, "mails and other messages that are sent or given up"),
    "orders": Aged(Order, "created", 400, "moves that are over", {"state": _OVER}),
    "sessions": Aged(Session, "ended", 400, "network sessions that ended: where a host was"),
    "neighbours": Aged(
        Neighbour, "at", 400, "where an endpoint was plugged in, by LLDP, CDP or a switch's table of MACs"
    ),
    "logins": Aged(Login, "expires", 1, "console logins that expired"),
    "audit": Aged(AuditLine, "at", 3650, "who did what"),
}
"""What `retention` sets days for; docs/reference/retention is made from it."""
LEAST: Final = {"audit": 90}
"""Less than this would break a promise: an incident that is still looked into."""


def checked(value: Mapping[str, Any]) -> dict[str, int]:
    """The days by kind, from the setting `retention` (`{"executions": 90, "users": 30}`), defaults filled in.

    `users` is after how many days names of users become pseudonyms (0 = at once; left out: never). Raises ValueError.
    """
    days = {name: aged.days for name, aged in AGED.items()}
    for name, number in value.items():
        if name not in AGED and name != "users":
            raise ValueError(f"retention: there is no {name!r}; there are {', '.join((*AGED, 'users'))}")
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise ValueError(f"retention: {name} is a number of days, not {number!r}")
        if number < LEAST.get(name, 0):
            raise ValueError(f"retention: {name} is kept at least {LEAST[name]} days")
        days[name] = number
    return days


def prune(tx: Tx, tenant: TenantId, name: str, before: Micros, limit: int = PIECE) -> int:
    """Delete up to `limit` records of a kind that are older than `before`; how many. 0: that was all."""
    aged = AGED[name]
    if name == "audit":
        raise ValueError("the audit is chained: `api.audit.prune` takes its oldest lines")
    if name == "messages":
        return _messages(tx, tenant, before, limit)
    return tx.prune(aged.kind, aged.field, before, limit=limit, tenant=tenant, **dict(aged.only or {}))


def _messages(tx: Tx, tenant: TenantId, before: Micros, limit: int) -> int:
    """Messages with what joined them. One that still waits is late, not old."""
    old = tx.find(Delivery, tenant=tenant, state=["sent", "given_up"], order="created", before=before, limit=limit)
    for each in old:
        tx.delete(Joined, tenant=tenant, delivery_id=each.id)
        tx.delete(Delivery, tenant=tenant, id=each.id)
    return len(old)


# --- users --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Names of users become `user-` and 12 hexadecimal digits, in the field of the user and in paths of home folders.
    `only` is the one user meant ('' = all of them)."""

    key: bytes
    only: str = ""

    def of(self, user: str) -> str:
        """The pseudonym of `DOMAIN\\name` or `name` (without case, as Windows compares them)."""
        if not user or _is_pseudonym(user) or _is_machine(user) or not self._means(user):
            return user
        return self._named(user)

    def path(self, path: str) -> str:
        """The path with the user's name in it replaced."""

        def named(found: re.Match[str]) -> str:
            name = found["name"]
            spared = _is_pseudonym(name) or name.casefold() in _SHARED_HOMES or not self._means(name)
            return found[0] if spared else f"{found['before']}{self._named(name)}"

        return _HOME.sub(named, path)

    def _named(self, user: str) -> str:
        digest = hmac.digest(self.key, _short(user).encode(), "sha256").hex()
        return f"user-{digest[:12]}"

    def _means(self, user: str) -> bool:
        return not self.only or _short(user) == _short(self.only)

    def record(self, one: T) -> T:
        """The record (or a part of one) with every name replaced, in fields called `user` and in paths within texts."""
        return self._in(one, "")  # type: ignore[no-any-return]

    def _in(self, value: Any, name: str) -> Any:
        if isinstance(value, Enum):
            return value
        if isinstance(value, str):
            return self.of(value) if name == "user" else self.path(value)
        if isinstance(value, tuple | list):
            return type(value)(self._in(each, name) for each in value)
        if isinstance(value, dict):
            return {key: self._in(each, str(key)) for key, each in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            new = {each.name: self._in(getattr(value, each.name), each.name) for each in fields(value)}
            return type(value)(**new)
        return value


_HOME: Final = re.compile(
    rf"(?P<before>(?:[\\/]|^)(?:{'|'.join(map(re.escape, HOMES))})[\\/])(?P<name>[^\\/:*?\"<>|]+)(?=[\\/]|$)",
    re.IGNORECASE,
)
_SHARED_HOMES: Final = frozenset(("public", "default", "default user", "all users", "shared", "lost+found"))
_MACHINES: Final = frozenset(("system", "local service", "network service", "root", "localsystem", "nt authority"))


def _short(user: str) -> str:
    """The name without its domain, as it is compared: `CORP\\Anna`, `anna@corp` and `anna` are one."""
    return user.rpartition("\\")[2].partition("@")[0].casefold()


def _is_pseudonym(user: str) -> bool:
    return re.fullmatch(r"user-[0-9a-f]{12}", user) is not None


def _is_machine(user: str) -> bool:
    return _short(user) in _MACHINES or user.casefold().startswith(("nt authority\\", "uid:"))


def pseudonymise(
    tx: Tx,
    tenant: TenantId,
    names: Pseudonyms,
    *,
    before: Micros | None = None,
    after: tuple[str, str] = ("", ""),
    limit: int = PIECE,
) -> tuple[int, tuple[str, str] | None]:
    """Replace users' names in some records; how many changed, and where to go on (None at the end).

    `before` spares what is younger. Everything is looked through, in the order of keys: no index knows names.
    """
    stages = tuple(_STAGES)
    stage, position = after
    stage = stage or stages[0]
    kind, key, age, change = _STAGES[stage]
    found = tx.find(kind, tenant=tenant, order=key, after=position or None, limit=limit)
    changed = 0
    for one in found:
        young = before is not None and age is not None and getattr(one, age) >= before
        new = [] if young else [new for new in change(tx, names, one, before) if new is not None]
        if new:
            tx.put(*new)
            changed += len(new)
    if len(found) == limit:
        return changed, (stage, str(getattr(found[-1], key)))
    following = stages.index(stage) + 1
    return changed, (stages[following], "") if following < len(stages) else None


def _plainly(tx: Tx, names: Pseudonyms, one: Any, before: Micros | None) -> Iterator[Any]:
    yield _other(one, names.record(one))


def _host(tx: Tx, names: Pseudonyms, one: Host, before: Micros | None) -> Iterator[Any]:
    """What was seen on a host, and why it stands as it does; its present user only where that one or everybody is meant."""
    if names.only or before is None:
        yield _other(one, names.record(one))
    for kind, age in _ON_HOST.items():
        for here in tx.find(kind, tenant=one.tenant, host_id=one.host_id):
            if before is None or getattr(here, age) < before:
                yield _other(here, names.record(here))


def _other(old: Any, new: Any) -> Any:
    return new if new != old else None


_ON_HOST: Final[dict[type[Any], str]] = {HostExecutable: "last", PostureReason: "at", HostState: "since"}
_STAGES: Final[dict[str, tuple[type[Any], str, str | None, Callable[..., Iterator[Any]]]]] = {
    "executions": (Execution, "id", "started", _plainly),
    "events": (Event, "id", "at", _plainly),
    "lists": (ListEntry, "id", "created", _plainly),
    "escalations": (Escalation, "id", "opened", _plainly),
    "scripts": (ScriptRun, "id", "created", _plainly),
    "trips": (BreakerTrip, "at", "at", _plainly),
    "hosts": (Host, "host_id", None, _host),
}


# --- one host -----------------------------------------------------------------------------------------------------


def of_host() -> list[type[Any]]:
    """The kinds of record that belong to one host, itself last."""
    named = [kind for kind, record in RECORDS.items() if "host_id" in record.findable and kind not in (Host, MacAccess)]
    return [*(kind for kind in named if any(field.name == "host_id" for field in fields(kind))), Host]


def forget_host(tx: Tx, tenant: TenantId, host_id: HostId, limit: int = PIECE) -> int:
    """Delete up to `limit` records about a host; how many. 0: nothing is left of it.

    Its MAC addresses become unlisted, and RADIUS is told so. How many hosts ran an executable stays a number.
    """
    for binding in tx.find(MacBinding, tenant=tenant, host_id=host_id):
        if len(tx.find(MacBinding, tenant=tenant, mac=binding.mac)) == 1:
            tx.delete(MacAccess, tenant=tenant, mac=binding.mac)
            tx.delete(Session, tenant=tenant, mac=binding.mac)
            tx.note(tenant, "access", binding.mac)
    if listed := inventory.forget_share(tx, tenant, host_id):
        return listed
    for kind in of_host():
        record = RECORDS[kind]
        keys = tx.pick(kind, record.key, tenant=tenant, host_id=host_id, limit=limit)
        for key in keys:
            tx.delete(kind, **dict(zip(record.key, key, strict=True)))
        if keys:
            if kind is Host:
                tx.note(tenant, "host", host_id)
            return len(keys)
    return 0

"""The prepared index over the allow and deny lists: which entry holds for a start? One dictionary look-up per kind.

Guarantees: an entry that is unconfirmed, expired or of another scope decides nothing; a signer's *name* counts only
where the signature is valid, a certificate on the deny list also where it is invalid or expired; a package counts only
where the agent proved it (tables.md, Verdict 1 to 3). An index is a value: another list makes another index.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from radius_policy.facts.table import Facts, Value
from radius_policy.lists.versions import at_least
from radius_policy.model import ListEntry, ListKind, Micros


class Reference(Protocol):
    """An attached set of known hashes. `allows`: an admin set it to count as allowed (known is not good)."""

    @property
    def name(self) -> str: ...
    @property
    def allows(self) -> bool: ...
    def lookup(self, sha256: str) -> str | None:
        """What the set says about a hash ('' where it says nothing more), or None where it does not know it."""
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """The entry that holds and a sentence why."""

    entry: ListEntry
    text: str


Key = Callable[[Facts], Iterable[str]]


def _plain(fact: str) -> Key:
    def key(facts: Facts) -> Iterable[str]:
        value = facts[fact]
        return (str(value),) if value is not None else ()

    return key


def _valid_signer(facts: Facts) -> Iterable[str]:
    name = facts["signer.name"]
    return (str(name).casefold(),) if name is not None and facts["signer.state"] == "valid" else ()


def _product(facts: Facts) -> Iterable[str]:
    product = facts["product"]
    return (f"{signer}|{str(product).casefold()}" for signer in _valid_signer(facts)) if product is not None else ()


def _package(facts: Facts) -> Iterable[str]:
    """`channel:package@version` answers to itself, and to the same without version, without channel, without both."""
    detail = facts["provenance.detail"]
    if not isinstance(detail, str) or facts["provenance.proven"] is not True:
        return ()
    channel, colon, rest = detail.rpartition(":")
    package = rest.partition("@")[0]
    return (detail, rest, package, *((f"{channel}:{package}",) if colon else ()))


_ALLOW_KEYS: Final[tuple[tuple[ListKind, Key, str], ...]] = (
    (ListKind.HASH, _plain("hash"), "this executable is on the {list} list"),
    (ListKind.PRODUCT, _product, "{value} is on the {list} list"),
    (ListKind.SIGNER, _valid_signer, "signer {value} is on the {list} list"),
    (ListKind.CERTIFICATE, _plain("signer.certificate"), "the certificate that signed it is on the {list} list"),
    (ListKind.PACKAGE, _package, "package {value} is on the {list} list"),
    (ListKind.INSTALLER, _plain("writer.hash"), "written by an installer that is on the {list} list"),
)
_DENY_KEYS: Final = tuple(
    row for row in _ALLOW_KEYS if row[0] in (ListKind.HASH, ListKind.CERTIFICATE, ListKind.SIGNER)
)
DENIABLE: Final = frozenset(kind for kind, _, _ in _DENY_KEYS)
"""What may stand on the deny list."""


class Lists:
    """The index. `deny`, `allow` and `reference` each answer for one start at `now`; None where nothing holds."""

    __slots__ = ("_allow", "_deny", "references")

    def __init__(self, entries: Iterable[ListEntry] = (), references: Iterable[Reference] = ()) -> None:
        self.references = tuple(references)
        by: dict[str, dict[ListKind, dict[str, tuple[ListEntry, ...]]]] = {"allow": {}, "deny": {}}
        for entry in entries:
            if entry.confirmed and entry.action in by:
                rows = by[entry.action].setdefault(entry.kind, {})
                key = _entry_key(entry)
                rows[key] = (*rows.get(key, ()), entry)
        self._allow = _prepared(_ALLOW_KEYS, by["allow"], "allow")
        self._deny = _prepared(_DENY_KEYS, by["deny"], "deny")

    def deny(self, facts: Facts, now: Micros) -> Hit | None:
        """The first deny entry in force at `now` that hits, kind by kind in the order of `_DENY_KEYS`."""
        return _first(self._deny, facts, now)

    def allow(self, facts: Facts, now: Micros) -> Hit | None:
        """The first allow entry in force at `now` that hits, kind by kind in the order of `_ALLOW_KEYS`."""
        return _first(self._allow, facts, now)

    def reference(self, sha256: str | None) -> tuple[str, str] | None:
        """(set, what it says) for the first attached set that counts as allowed and knows the hash."""
        if sha256 is not None:
            for known in self.references:
                if known.allows and (said := known.lookup(sha256)) is not None:
                    return known.name, said
        return None


_Rows = Mapping[str, tuple[ListEntry, ...]]
_Prepared = tuple[tuple[Key, str, _Rows], ...]


def _prepared(table: tuple[tuple[ListKind, Key, str], ...], by: Mapping[ListKind, _Rows], action: str) -> _Prepared:
    """The kinds that have entries, in the table's order."""
    return tuple((key, text.replace("{list}", action), by[kind]) for kind, key, text in table if kind in by)


def _first(prepared: _Prepared, facts: Facts, now: Micros) -> Hit | None:
    for key, text, rows in prepared:
        for value in key(facts):
            for entry in rows.get(value, ()):
                if _holds(entry, facts, now):
                    return Hit(entry, text.replace("{value}", entry.value))
    return None


def _holds(entry: ListEntry, facts: Mapping[str, Value | None], now: Micros) -> bool:
    if entry.expires is not None and now >= entry.expires:
        return False
    if entry.kind is ListKind.CERTIFICATE and entry.action == "allow" and facts["signer.state"] != "valid":
        return False
    if entry.kind is ListKind.PRODUCT and not at_least(facts["version"], entry.value.rpartition("|")[2]):
        return False
    kind, _, name = entry.scope.partition(":")
    if kind == "fleet":
        return True
    if kind == "group":
        groups = facts["host.groups"]
        return isinstance(groups, tuple) and name in groups
    return kind in ("site", "host") and facts["host.site" if kind == "site" else "host.id"] == name


def _entry_key(entry: ListEntry) -> str:
    if entry.kind is ListKind.SIGNER:
        return entry.value.casefold()
    if entry.kind is ListKind.PRODUCT:
        return entry.value.rpartition("|")[0].casefold()
    return entry.value

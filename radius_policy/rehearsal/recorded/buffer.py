"""A transaction in front of another: what was read is not asked for again, what was written goes out in one piece.

Guarantees: whoever uses it sees what the transaction beneath would show, because a question that needs an index sends
the writes of that kind out first. `flush` is the last thing to do; without it nothing of what is buffered is written.

It is for many small works in one transaction (loading history), where a statement for each read and write is most of
the cost. Notes of events are dropped: what is past is in the reports, not in the mail.
"""

from typing import Any, Final

from radius_policy.model import TenantId
from radius_policy.store.interface import Change, Tx
from radius_policy.store.schema import RECORDS, record_type

_KEYS: Final = {kind: record.key for kind, record in RECORDS.items()}
Key = tuple[Any, ...]


class Buffered:
    """`Tx` over a `Tx`."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._known: dict[type[Any], dict[Key, Any]] = {}
        self._waiting: dict[type[Any], dict[Key, Any]] = {}

    def get(self, kind: type[Any], *key: Any) -> Any:
        known = self._known.get(kind)
        if known is None:
            known = self._known[kind] = {}
        elif key in known:
            return known[key]
        found = known[key] = self._tx.get(kind, *key)
        return found

    def put(self, *records: Any) -> None:
        for record in records:
            kind = type(record)
            key = tuple([getattr(record, name) for name in _KEYS[kind]])
            self._known.setdefault(kind, {})[key] = record
            self._waiting.setdefault(kind, {})[key] = record

    def add(self, record: Any) -> bool:
        key = tuple([getattr(record, name) for name in record_type(type(record)).key])
        if self.get(type(record), *key) is not None:
            return False
        self.put(record)
        return True

    def find(self, kind: type[Any], /, **question: Any) -> Any:
        return self._asked(kind).find(kind, **question)

    def pick(self, kind: type[Any], fields: tuple[str, ...], /, **question: Any) -> Any:
        return self._asked(kind).pick(kind, fields, **question)

    def count(self, kind: type[Any], /, **equals: Any) -> int:
        return self._asked(kind).count(kind, **equals)

    def delete(self, kind: type[Any], /, **equals: Any) -> int:
        tx = self._asked(kind)
        self._known.pop(kind, None)
        return tx.delete(kind, **equals)

    def prune(self, kind: type[Any], field: str, before: Any, *, limit: int = 1000, **equals: Any) -> int:
        tx = self._asked(kind)
        self._known.pop(kind, None)
        return tx.prune(kind, field, before, limit=limit, **equals)

    def flush(self) -> None:
        for kind in list(self._waiting):
            self._asked(kind)

    def _asked(self, kind: type[Any]) -> Tx:
        """The transaction beneath, once it has what was written of this kind."""
        waiting = self._waiting.pop(kind, None)
        if waiting:
            self._tx.put(*waiting.values())
        return self._tx

    def note(self, tenant: TenantId, kind: str, key: str) -> None:
        if kind != "event":
            self._tx.note(tenant, kind, key)

    def changes_since(self, sequence: int, limit: int = 1000) -> list[Change]:
        return self._tx.changes_since(sequence, limit)

    def first_change(self) -> int:
        return self._tx.first_change()

    def last_change(self) -> int:
        return self._tx.last_change()

    def forget_changes(self, before: int) -> int:
        return self._tx.forget_changes(before)

    def next_generation(self, tenant: TenantId) -> int:
        return self._tx.next_generation(tenant)

    def raise_generation(self, tenant: TenantId, at_least: int) -> None:
        self._tx.raise_generation(tenant, at_least)

    def serialize(self, tenant: TenantId) -> None:
        self._tx.serialize(tenant)

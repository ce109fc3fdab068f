"""Who did what: lines chained by SHA-256, so that a changed or removed line shows.

Guarantees: `append` runs inside the transaction of the deed itself, so there is no deed without its line; numbers
are without gaps; `chain` of a line covers everything in it and the chain of the line before. `verify` finds the first
line that does not fit.

It does not stop somebody who can write the whole database from writing the whole chain anew: for that the last
chain value is also in the log, which belongs elsewhere.
"""

import hashlib
from dataclasses import replace
from typing import Any

import msgspec

from radius_policy.model import AuditLine, Micros, Setting, TenantId
from radius_policy.store.interface import Reading, Tx

ANCHOR = "audit_anchor"
_BATCH = 1000


def append(
    tx: Tx,
    tenant: TenantId,
    *,
    at: Micros,
    who: str,
    what: str,
    subject: str = "",
    detail: dict[str, Any] | None = None,
) -> AuditLine:
    """Add a line. `what` is a word such as `allow.add`, `subject` what it was done to. `detail` carries no secret."""
    tx.serialize(tenant)
    last = tx.find(AuditLine, tenant=tenant, order="number", descending=True, limit=1)
    before = last[0].chain if last else ""
    number = last[0].number + 1 if last else 1
    line = AuditLine(tenant, number, at, who, what, subject, detail or {})
    line = replace(line, chain=link(before, line))
    tx.put(line)
    return line


def link(before: str, line: AuditLine) -> str:
    """The chain value of `line` after a line whose chain value is `before`: 64 hexadecimal digits."""
    content = [int(line.tenant), line.number, line.at, line.who, line.what, line.subject, line.detail]
    return hashlib.sha256(before.encode() + msgspec.json.encode(content, order="sorted")).hexdigest()


def prune(tx: Tx, tenant: TenantId, before: Micros, limit: int = _BATCH) -> int:
    """Delete up to `limit` of the oldest lines that are older than `before`, but never the newest; how many.

    The chain goes on from the anchor, a setting that names the last line that is gone."""
    tx.serialize(tenant)
    chain, number = _begin(tx, tenant)
    lines = tx.find(AuditLine, tenant=tenant, order="number", limit=limit + 1)
    gone = 0
    for line in lines[: min(limit, len(lines) - 1)]:
        if line.at >= before or line.number != number + 1 or line.chain != link(chain, line):
            break  # young, or one that does not fit: that must stay to be seen
        chain, number, gone = line.chain, line.number, gone + 1
    if gone:
        tx.prune(AuditLine, "number", number + 1, limit=gone, tenant=tenant)
        known = tx.get(Setting, tenant, ANCHOR)
        value: dict[str, object] = {"number": number, "chain": chain}
        tx.put(Setting(tenant, ANCHOR, value, known.version + 1 if known else 1, "retention", before))
    return gone


def _begin(tx: Reading, tenant: TenantId) -> tuple[str, int]:
    """Chain value and number of the last line that is past its retention; ('', 0) where none is."""
    anchor = tx.get(Setting, tenant, ANCHOR)
    return (str(anchor.value["chain"]), int(str(anchor.value["number"]))) if anchor else ("", 0)


def verify(tx: Reading, tenant: TenantId) -> int | None:
    """The number of the first line that does not fit the one before it (or stands where one is missing), else None.

    Lines past their retention are gone: then the first that is kept must fit the anchor that was written when they went.
    """
    before, number = _begin(tx, tenant)
    while True:
        lines = tx.find(AuditLine, tenant=tenant, order="number", after=number, limit=_BATCH)
        for line in lines:
            if line.number != number + 1 or line.chain != link(before, line):
                return number + 1
            before, number = line.chain, line.number
        if len(lines) < _BATCH:
            return None

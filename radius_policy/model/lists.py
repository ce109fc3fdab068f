"""The allow and deny lists, and the slots of a grace."""

from dataclasses import dataclass
from enum import StrEnum

from radius_policy.model.words import HostId, Micros, TenantId


class ListKind(StrEnum):
    """On what a list entry matches (tables.md, Verdict 1 and 2)."""

    HASH = "hash"
    SIGNER = "signer"
    CERTIFICATE = "certificate"
    PRODUCT = "product"
    PACKAGE = "package"
    INSTALLER = "installer"


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One line of the allow or deny list. `scope` is `fleet`, `site:NAME`, `group:NAME` or `host:ID`.

    `value` is the hash, signer name, …; for `product` it is `SIGNER|PRODUCT|MINIMUM-VERSION`.
    `confirmed` is False for an unconfirmed inventory line or a `proposed` wide deny: such a line decides nothing.
    `name` says what the value is called, for people: the path of an inventory line. `proven`: an installed package owns
    what an inventory line lists, unmodified, on some host.
    """

    tenant: TenantId
    id: str
    action: str
    kind: ListKind
    value: str
    scope: str = "fleet"
    author: str = ""
    why: str = ""
    ticket: str = ""
    created: Micros = 0
    expires: Micros | None = None
    confirmed: bool = True
    batch: str = ""
    name: str = ""
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What the baseline scans of one endpoint list, as far as the hashes stand in `part` (their first six bits).

    `lines` are sorted and 33 octets each: the hash, and 1 where an installed package owns it there, unmodified (else 0).
    Millions of lines are kept, so a line is no record of its own.
    """

    tenant: TenantId
    host_id: HostId
    part: int
    lines: bytes


@dataclass(frozen=True, slots=True)
class PastEntry:
    """A list entry that was taken away, and when: what was allowed or denied at an earlier time stays known."""

    tenant: TenantId
    id: str
    removed: Micros
    kind: ListKind
    value: str
    entry: ListEntry


@dataclass(frozen=True, slots=True)
class GraceSlot:
    """One host's use of a grace: a slot is never given back; hours count from its first graced start."""

    tenant: TenantId
    rule: str
    sha256: str
    host_id: HostId
    at: Micros
    until: Micros

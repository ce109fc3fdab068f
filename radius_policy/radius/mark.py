"""Our Class attribute (25): which generation and access an Accept gave, so that accounting can prove it.

A NAS copies Class from the Accept into its accounting (RFC 2865 5.25), so a Start that carries a valid mark of
generation g proves that the port obeys the answer of g. Nobody else can make one: it is signed over tenant, MAC,
generation and access with a key of this installation. 30 octets (at most 32 are safe with all makes):
version (1), tenant (4), generation (8), access (1), the first 16 of HMAC-SHA256.
"""

import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from radius_policy.model import Access, Mac, TenantId

VERSION = 1
SIZE = 30
_ACCESSES = tuple(Access)
_PLACE = {access: access.strictness for access in Access}


class Mark(NamedTuple):
    """What a valid Class says."""

    generation: int
    access: Access


@lru_cache(maxsize=65_536)
def write_mark(key: bytes, tenant: TenantId, mac: Mac, generation: int, access: Access) -> bytes:
    """The Class value for an Accept."""
    head = bytes((VERSION,)) + tenant.to_bytes(4, "big") + generation.to_bytes(8, "big") + bytes((_PLACE[access],))
    return head + _sign(key, head, mac)


def read_mark(key: bytes, tenant: TenantId, mac: Mac, classes: Iterable[bytes]) -> Mark | None:
    """The first of a packet's Class values that is a valid mark of ours for this tenant and MAC, else None.

    Other servers' Class values may stand beside it; they are passed over.
    """
    for value in classes:
        if len(value) != SIZE or value[0] != VERSION or int.from_bytes(value[1:5], "big") != tenant:
            continue
        if value[13] < len(_ACCESSES) and hmac.compare_digest(_sign(key, value[:14], mac), value[14:]):
            return Mark(int.from_bytes(value[5:13], "big"), _ACCESSES[value[13]])
    return None


def _sign(key: bytes, head: bytes, mac: Mac) -> bytes:
    return hmac.digest(key, head + mac.encode("ascii"), "sha256")[:16]

"""The keys of enrolled endpoints, in memory: what a signature is checked with, without asking the store each time.

Guarantees: bounded; a host that was removed or changed in any process is forgotten with the change feed (`host`), and
the deciding transaction looks at the host again anyway. An unknown id is not remembered, so that an endpoint can talk as
soon as it is enrolled.
"""

import base64
import binascii
from typing import Final

from cachetools import LRUCache
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from radius_policy.model import Host, HostId, TenantId
from radius_policy.store.interface import Change, Store

CAPACITY: Final = 50_000


class HostKeys:
    """host_id → key, for one tenant."""

    def __init__(self, store: Store, tenant: TenantId) -> None:
        self._store = store
        self._tenant = tenant
        self._keys: LRUCache[str, Ed25519PublicKey] = LRUCache(CAPACITY)

    async def key(self, host_id: str) -> Ed25519PublicKey | None:
        """The public key of an endpoint, None where none of that id is enrolled."""
        key = self._keys.get(host_id)
        if key is None:
            host = await self._store.read(lambda tx: tx.get(Host, self._tenant, HostId(host_id)))
            if host is None or not host.public_key:
                return None
            key = self._keys[host_id] = Ed25519PublicKey.from_public_bytes(host.public_key)
        return key

    def changed(self, changes: list[Change]) -> None:
        """Forget what changed: called by the change feed."""
        for change in changes:
            if change.kind == "host":
                self._keys.pop(change.key, None)


def signed_by(key: Ed25519PublicKey, signature: str, body: bytes) -> bool:
    """Whether `signature` (base64) is the key's over exactly these octets."""
    try:
        key.verify(base64.b64decode(signature, validate=True), body)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True

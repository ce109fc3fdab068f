"""Precedents: what executables of this fleet did before, as far as rules may ask about it.

One small record for each (kind, key): a signer that has an allowed executable here, a place, parent or writer that an
allowed executable of that signer used, the versions that a place has seen, the images that a content belongs to. They
are written when a start is judged or an inventory is confirmed and read when the next one is.

Guarantees: only allowed executables set a precedent for their signer; a version keeps the best verdict that it ever
had. A precedent never decides: it is a fact for rules. When an executable is denied, the precedents it set are gone.

What it does not do: it knows nothing of hosts or prevalence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from radius_policy.facts.places import Place, place
from radius_policy.model import Execution, Micros, Precedent, Ring, Sha256, TenantId, VerdictWord

if TYPE_CHECKING:  # the store's schema names the records below, so it must be able to import them first
    from radius_policy.store.interface import Reading, Tx

SIGNER: Final = "signer"
SIGNER_PLACE: Final = "signer-place"
SIGNER_PARENT: Final = "signer-parent"
SIGNER_WRITER: Final = "signer-writer"
VERSION: Final = "version"
SIGNED: Final = "signed-version"
IMAGE: Final = "image"
TOLD: Final = "told"
DENIED_TOLD: Final = "denied-told"
MOST_USERS: Final = 16
_BETWEEN: Final = "\x1f"
"""Between the parts of a key; never NUL, which PostgreSQL keeps in no text."""

_BEST: Final = {VerdictWord.ALLOWED: 3, VerdictWord.GRACED: 2, VerdictWord.UNKNOWN: 1}


def pair(one: str, other: str | None) -> str:
    """One key of two parts."""
    return f"{_part(one)}{_BETWEEN}{other}"


def version_key(here: Place, signer: str | None) -> str:
    """Versions of one program: same name at the same normalised place, told apart by signer."""
    return f"{_part(here.root)}{_BETWEEN}{_part(here.name)}{_BETWEEN}{signer or ''}"


def _part(text: str) -> str:
    """A text that cannot look like two parts, whatever an endpoint sends."""
    return text.replace(_BETWEEN, " ") if _BETWEEN in text else text


@dataclass(frozen=True, slots=True)
class Deed:
    """One judged start (or inventory line), as far as it can set precedents. `signer` only where validly signed."""

    tenant: TenantId
    sha256: Sha256
    place: Place
    at: Micros
    verdict: VerdictWord
    signer: str | None = None
    signer_state: str | None = None
    product: str | None = None
    parent: str | None = None
    writer: str | None = None


def deed_of(execution: Execution, verdict: VerdictWord, at: Micros) -> Deed:
    """The deed that one start is, by its own report."""
    return Deed(
        execution.tenant,
        execution.sha256 or Sha256(""),
        place(execution.path),
        at,
        verdict,
        execution.signer if execution.signer_state == "valid" else None,
        execution.signer_state,
        execution.product,
        execution.parents[0].sha256 if execution.parents else None,
        execution.writer.sha256 if execution.writer is not None else None,
    )


def remember(tx: Tx, deed: Deed) -> None:
    """Set what precedents a deed sets that are not there yet, or not as good."""
    if deed.verdict not in _BEST:
        return
    tenant, signer, root = deed.tenant, deed.signer, deed.place.root
    wanted: list[tuple[str, str]] = []
    if signer:
        if deed.verdict is VerdictWord.ALLOWED:
            wanted = [(SIGNER, signer), (SIGNER_PLACE, pair(signer, root))]
            if deed.parent:
                wanted.append((SIGNER_PARENT, pair(signer, deed.parent)))
            if deed.writer:
                wanted.append((SIGNER_WRITER, pair(signer, deed.writer)))
        if deed.verdict is not VerdictWord.UNKNOWN:
            wanted.append((SIGNED, version_key(deed.place, None)))
    for kind, key in wanted:
        if tx.get(Precedent, tenant, kind, key) is None:
            tx.put(Precedent(tenant, kind, key, deed.sha256, deed.at))
    for by in (signer, None) if signer else (None,):
        key = version_key(deed.place, by)
        before = tx.get(Precedent, tenant, VERSION, key)
        if before is None or _BEST[deed.verdict] > _BEST[before.verdict]:
            tx.put(
                Precedent(
                    tenant, VERSION, key, deed.sha256, deed.at, deed.verdict, deed.signer_state, deed.product
                )
            )  # fmt: skip


def has(reading: Reading, tenant: TenantId, kind: str, key: str, *, but: str | None = None) -> bool:
    """Whether there is such a precedent that another executable than `but` has set."""
    found = reading.get(Precedent, tenant, kind, key)
    return found is not None and found.sha256 != but


def version_before(
    reading: Reading, tenant: TenantId, here: Place, signer: str | None, sha256: str | None
) -> Precedent | None:
    """The best earlier version at this place, by the same signer where one is given; never the executable itself."""
    found = reading.get(Precedent, tenant, VERSION, version_key(here, signer))
    return found if found is not None and found.sha256 != sha256 else None


def forget(tx: Tx, tenant: TenantId, sha256: Sha256) -> None:
    """A denied executable sets no precedents."""
    tx.delete(Precedent, tenant=tenant, sha256=sha256)


def mark(
    tx: Tx, tenant: TenantId, kind: str, key: str, at: Micros, sha256: Sha256 | None = None, *, new: bool = False
) -> bool:
    """Set a mark once; whether it was set now. `new`: it cannot be there yet, so nobody has to look."""
    if not new and tx.get(Precedent, tenant, kind, key) is not None:
        return False
    tx.put(Precedent(tenant, kind, key, sha256 or Sha256(""), at))
    return True


def ran_on_pilot(tx: Tx, tenant: TenantId, sha256: Sha256, host_id: str, user: str, at: Micros) -> None:
    """A pilot host ran it, allowed or graced."""
    ring = tx.get(Ring, tenant, sha256) or Ring(tenant, sha256, (), (), at)
    if host_id in ring.hosts:
        return
    users = ring.users if user in ring.users or not user or len(ring.users) >= MOST_USERS else (*ring.users, user)
    tx.put(Ring(tenant, sha256, (*ring.hosts, host_id), users, min(ring.first, at), ring.incident))


def incident(tx: Tx, tenant: TenantId, sha256: Sha256) -> None:
    """A pilot host that ran it is compromised: it earns nothing from the ring any more."""
    ring = tx.get(Ring, tenant, sha256)
    if ring is not None and not ring.incident:
        tx.put(Ring(tenant, sha256, ring.hosts, ring.users, ring.first, True))

"""The inventory: what lay on the endpoints before watching began, and what leaving `learn` makes of it.

Guarantees: a hash has one line in the allow list, whatever the number of hosts it lies on; the line decides nothing
until a person confirms it. Which endpoint listed what, and whether a package owns it there, is kept with that endpoint
alone (`Listing`): a claim of one never counts for another. What nobody has any more is neither confirmed nor offered.

What it does not do: it trusts nothing and knows no rules; who may confirm is asked by its callers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from radius_policy.model import Host, HostExecutable, HostId, ListEntry, Listing, ListKind, Micros, Sha256, TenantId
from radius_policy.store.interface import Reading, Tx, first

INVENTORY: Final = "inventory"
FEW_HOSTS: Final = 3
"""A line without proof on at most so many hosts is confirmed by a person only, one by one (J23)."""
_HASH: Final = 32
_WIDTH: Final = _HASH + 1
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One program as an endpoint's scan lists it. `proven`: an installed package owns it there, unmodified."""

    sha256: Sha256
    path: str
    package: str = ""
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """An unconfirmed line: on how many hosts (listed, or started there), and whether it is proven on one of them."""

    sha256: Sha256
    hosts: int
    proven: bool

    @property
    def speaks_for_itself(self) -> bool:
        """Leaving `learn` confirms it, with no word about it in particular (J23)."""
        return self.proven or self.hosts > FEW_HOSTS


def line_id(sha256: str) -> str:
    """The id of the one line that the allow list has for a hash of the inventory."""
    return f"{INVENTORY}-{sha256}"


def part_of(sha256: str) -> int:
    """In which of the 64 parts of a listing a hash stands."""
    return int(sha256[:2], 16) >> 2


def listing(tenant: TenantId, host_id: HostId, part: int, told: dict[bytes, bool]) -> Listing:
    """A part of what a host lists: `told` says of each hash (32 octets) whether it is proven there."""
    lines = b"".join(key + (b"\1" if told[key] else b"\0") for key in sorted(told))
    return Listing(tenant, host_id, part, lines)


def take(tx: Tx, host: Host, lines: Iterable[Line], *, now: Micros) -> None:
    """Record some lines of a scan. What was listed stays listed, and what was proven stays proven."""
    told: dict[Sha256, Line] = {}
    for line in lines:  # a content at several places is one line
        known = told.setdefault(line.sha256, line)
        told[line.sha256] = replace(known, proven=known.proven or line.proven)
    parts: dict[int, dict[bytes, bool]] = {}
    for line in told.values():
        parts.setdefault(part_of(line.sha256), {})[bytes.fromhex(line.sha256)] = line.proven
    tx.serialize(host.tenant)
    for part, new in parts.items():
        before = tx.get(Listing, host.tenant, host.host_id, part)
        if before is not None:
            for key, proven in proofs(before.lines):
                new[key] = new.get(key, False) or proven
        now_listed = listing(host.tenant, host.host_id, part, new)
        if now_listed != before:
            tx.put(now_listed)
    ids = [line_id(sha) for sha in told]
    there = dict(tx.pick(ListEntry, ("value", "proven"), tenant=host.tenant, id=ids)) if ids else {}
    tx.put(*(_entry(host.tenant, line, now) for sha, line in told.items() if sha not in there))
    for sha, line in told.items():
        if line.proven and there.get(sha) is False:
            entry = tx.get(ListEntry, host.tenant, line_id(sha))
            if entry is not None:
                tx.put(replace(entry, proven=True))


def learned(tx: Tx, tenant: TenantId, sha256: Sha256, *, proven: bool, now: Micros) -> None:
    """What was started in mode learn is offered for confirmation too."""
    tx.add(replace(_entry(tenant, Line(sha256, "", "", proven), now), why="learned"))


def _entry(tenant: TenantId, line: Line, now: Micros) -> ListEntry:
    return ListEntry(
        tenant, line_id(line.sha256), "allow", ListKind.HASH, line.sha256, author=INVENTORY, why=line.package,
        created=now, confirmed=False, batch=INVENTORY, name=line.path, proven=line.proven,
    )  # fmt: skip


def lists(reading: Reading, tenant: TenantId, host_id: HostId, sha256: str) -> bool | None:
    """Whether a host's own scan proves a content; None where it does not list it."""
    found = reading.get(Listing, tenant, host_id, part_of(sha256))
    return None if found is None else _listed(found.lines, bytes.fromhex(sha256))


def listed_by(reading: Reading, tenant: TenantId, sha256: str, host_ids: Iterable[HostId]) -> int:
    """How many of these hosts list a content in their own scan."""
    wanted, key = list(host_ids), bytes.fromhex(sha256)
    rows = reading.pick(Listing, ("lines",), tenant=tenant, host_id=wanted, part=part_of(sha256)) if wanted else []
    return sum(_listed(lines, key) is not None for (lines,) in rows)


def unconfirmed(reading: Reading, tenant: TenantId) -> Iterator[Open]:
    """The lines that wait for a person. One part of the hashes after another, so that a large fleet needs little memory."""
    parts: dict[int, dict[bytes, bool]] = {}
    for sha, proven in reading.pick(ListEntry, ("value", "proven"), tenant=tenant, batch=INVENTORY, confirmed=False):
        parts.setdefault(part_of(sha), {})[bytes.fromhex(sha)] = proven
    for part, lines in parts.items():
        listed = dict(reading.pick(Listing, ("host_id", "lines"), tenant=tenant, part=part))
        hosts = Counter[bytes]()
        for text in listed.values():
            hosts.update([text[at : at + _HASH] for at in range(0, len(text), _WIDTH)])
        few = [key for key, proven in lines.items() if not proven and hosts[key] <= FEW_HOSTS]
        for sha, host_id in _ran(reading, tenant, few):
            key = bytes.fromhex(sha)
            if _listed(listed.get(host_id, b""), key) is None:
                hosts[key] += 1
        for key, proven in lines.items():
            if hosts[key] or proven:
                yield Open(Sha256(key.hex()), hosts[key], proven)


def as_stored(reading: Reading, tenant: TenantId, shas: Iterable[Sha256]) -> list[Sha256]:
    """Those of these lines that wait for a person, in the order in which they lie in the store: to change them in that
    order touches far fewer pages."""
    wanted = set(shas)
    rows = reading.pick(ListEntry, ("value",), tenant=tenant, batch=INVENTORY, confirmed=False)
    return [sha for (sha,) in rows if sha in wanted]


def confirm(tx: Tx, tenant: TenantId, shas: Iterable[Sha256], *, author: str, now: Micros) -> list[ListEntry]:
    """A person confirms lines: from now on they allow. The entries as they are now; those confirmed before stay as they
    are and are not among them."""
    done = []
    for some in _pieces(shas):
        waiting = tx.find(ListEntry, tenant=tenant, id=[line_id(sha) for sha in some], confirmed=False)
        done += [
            replace(entry, confirmed=True, why=f"confirmed by {author} when leaving learn", created=now)
            for entry in waiting
        ]
    tx.put(*done)
    return done


def forget_share(tx: Tx, tenant: TenantId, host_id: HostId) -> int:
    """Forget a part of what a host listed, and the unconfirmed lines that it alone had (their paths may name its
    users); how many records. 0: nothing is left of it."""
    own = first(tx.find(Listing, tenant=tenant, host_id=host_id, limit=1))
    if own is None:
        return 0
    others: set[bytes] = set()
    for other, text in tx.pick(Listing, ("host_id", "lines"), tenant=tenant, part=own.part):
        if other != host_id:
            others.update(text[at : at + _HASH] for at in range(0, len(text), _WIDTH))
    alone = [key for key, _ in proofs(own.lines) if key not in others]
    ran = {sha for sha, other in _ran(tx, tenant, alone) if other != host_id}
    gone = 0
    for some in _pieces(key.hex() for key in alone):
        ids = [line_id(sha) for sha in some if sha not in ran]
        gone += tx.delete(ListEntry, tenant=tenant, id=ids, confirmed=False) if ids else 0
    tx.delete(Listing, tenant=tenant, host_id=host_id, part=own.part)
    return gone + 1


def _ran(reading: Reading, tenant: TenantId, keys: Iterable[bytes]) -> Iterator[tuple[Sha256, HostId]]:
    for some in _pieces(key.hex() for key in keys):
        yield from reading.pick(HostExecutable, ("sha256", "host_id"), tenant=tenant, sha256=some)


def _pieces(of: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(of)
    while piece := list(islice(rest, _AT_ONCE)):
        yield piece


def proofs(lines: bytes) -> Iterator[tuple[bytes, bool]]:
    """The lines of a part of a listing: each hash (32 octets), and whether it is proven there."""
    for at in range(0, len(lines), _WIDTH):
        yield lines[at : at + _HASH], lines[at + _HASH] == 1


def _listed(lines: bytes, key: bytes) -> bool | None:
    at = lines.find(key)
    while at >= 0 and at % _WIDTH:  # the end of one line and the beginning of the next may look like it
        at = lines.find(key, at + 1)
    return None if at < 0 else lines[at + _HASH] == 1

"""Where a host is, or was, on the network: the one answer for alerts, scripts and reports.

What accounting says of that moment goes before what a switch told the endpoint (`lldp`, `cdp`) or a script found
(`mac-table`); those go before what accounting said of an earlier time, unless they are older still. Every answer names its
`source` and `seen`, when that was last so.

Guarantees: reading only, in chunks; what is not known is empty, never guessed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from radius_policy.model import SECOND, HostId, MacBinding, Micros, Nas, Neighbour, Session, TenantId
from radius_policy.store.interface import Reading

ACCOUNTING: Final = "accounting"
CHUNK: Final = 500
HOLDS: Final[Micros] = 10 * 60 * SECOND
"""A stay that was heard of so lately holds still: switches repeat themselves every 30 to 60 seconds, agents every 30."""
_SOURCES: Final = ("mac-table", "cdp", "lldp")
"""Of two that say the same time, the later one is believed."""


@dataclass(frozen=True, slots=True)
class Place:
    """`switch` is the name people know, `nas_id` the switch's own where it is one of ours, `open` whether its session is
    (accounting alone knows). All is empty where nothing is known but the MAC."""

    mac: str = ""
    nas_id: str = ""
    switch: str = ""
    address: str = ""
    port: str = ""
    source: str = ""
    seen: Micros | None = None
    open: bool = False


def place(reading: Reading, tenant: TenantId, host_id: str, at: Micros | None = None) -> Place:
    """Where one host was at `at`; None = where it is."""
    return places(reading, tenant, {host_id: at})[host_id]


def places(reading: Reading, tenant: TenantId, at: Mapping[str, Micros | None]) -> dict[str, Place]:
    """Where each host was at its time."""
    ids = [HostId(each) for each in sorted(at)]
    macs = _by(_all(reading, MacBinding, tenant, "host_id", ids), "host_id")
    sessions = _by(
        _all(reading, Session, tenant, "mac", sorted({b.mac for each in macs.values() for b in each})), "mac"
    )
    heard = _by(_all(reading, Neighbour, tenant, "host_id", ids), "host_id")
    switches = _Switches(reading.find(Nas, tenant=tenant) if sessions or heard else [])
    return {
        host_id: _place(macs.get(host_id, []), sessions, heard.get(host_id, []), switches, moment)
        for host_id, moment in at.items()
    }


def _all(reading: Reading, kind: type[Any], tenant: TenantId, name: str, values: list[Any]) -> Iterable[Any]:
    for start in range(0, len(values), CHUNK):
        equals: dict[str, Any] = {name: values[start : start + CHUNK]}
        yield from reading.find(kind, tenant=tenant, **equals)


def _by(found: Iterable[Any], name: str) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for each in found:
        grouped.setdefault(getattr(each, name), []).append(each)
    return grouped


class _Switches:
    """The switches we know, by all that a frame may call them."""

    def __init__(self, known: list[Nas]) -> None:
        self._by_id = {nas.nas_id: nas for nas in known}
        self._by_name = {name.casefold(): nas for nas in known for name in (nas.name, nas.nas_id, nas.address) if name}

    def of(self, nas_id: str) -> Nas | None:
        return self._by_id.get(nas_id)

    def named(self, one: Neighbour) -> Nas | None:
        """By name, with or without a domain, or by its address."""
        switch = one.switch.casefold()
        names = (switch, switch.partition(".")[0], one.address)
        return next((self._by_name[name] for name in names if name and name in self._by_name), None)


def _place(
    bindings: list[MacBinding],
    sessions: Mapping[str, list[Session]],
    heard: list[Neighbour],
    switches: _Switches,
    at: Micros | None,
) -> Place:
    theirs = [session for binding in bindings for session in sessions.get(binding.mac, [])]
    session = max(theirs, key=lambda one: _session_fits(one, at), default=None)
    stay = max(heard, key=lambda one: _stay_fits(one, at), default=None)
    if session is not None and (stay is None or _session_fits(session, at)[:2] >= _stay_fits(stay, at)[:2]):
        nas = switches.of(session.nas_id)
        return Place(
            session.mac, session.nas_id, (nas.name if nas else "") or session.nas_id, nas.address if nas else "",
            session.port, ACCOUNTING, session.ended or session.updated or session.started, session.ended is None,
        )  # fmt: skip
    if stay is not None:
        nas = switches.named(stay)
        return Place(
            stay.mac, nas.nas_id if nas else "", (nas.name or nas.nas_id) if nas else stay.switch,
            nas.address if nas else stay.address, stay.port, stay.source, stay.at,
        )  # fmt: skip
    newest = max(bindings, key=lambda one: one.proved_at, default=None)
    return Place(newest.mac) if newest is not None else Place()


_Fit = tuple[int, Micros, Micros]
_NOW, _THEN, _BEFORE, _AFTER = 4, 3, 2, 1


def _session_fits(one: Session, at: Micros | None) -> _Fit:
    """Open then, before begun before then, before later ones; of each the latest."""
    if at is None:
        last = one.ended or one.updated or one.started
        return (_NOW, 0, last) if one.ended is None else (_BEFORE, one.ended, one.started)
    if one.started > at:
        return _AFTER, -one.started, 0
    there = one.ended is None or one.ended >= at
    return (_NOW, 0, one.started) if there else (_BEFORE, one.ended or 0, one.started)


def _stay_fits(one: Neighbour, at: Micros | None) -> _Fit:
    """Heard around then, before heard before then, before later ones. `at` None: the newest, however old."""
    source = _SOURCES.index(one.source) if one.source in _SOURCES else -1
    if at is None:
        return _BEFORE, one.at, source
    if one.since > at:
        return _AFTER, -one.since, source
    return (_THEN, 0, one.since) if one.at + HOLDS >= at else (_BEFORE, one.at, source)

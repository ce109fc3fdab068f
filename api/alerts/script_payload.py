"""What a script is told: one JSON object on its standard input, gathered when it starts.

Guarantees: reads only; the members and their types are always the same (docs/how-to/scripts), and what is not known
is null or empty, never guessed. Names that an endpoint chose are in it as they are: they are data, and a script must treat
them as that.

Where the host is: by its session at a switch (accounting), else by what the switch told the endpoint (LLDP, CDP), else by
what a script found before; `port_source` names which, `port_age_s` how old that is. Where nothing is known, `switch` and
`port` are null, and a script may ask the switches themselves for the MAC.
"""

from dataclasses import asdict
from typing import Any, Final

from api import whereabouts, words
from radius_policy.model import (
    SECOND,
    Event,
    Execution,
    Host,
    HostId,
    HostState,
    MacBinding,
    Micros,
    Nas,
    PostureReason,
    ScriptRun,
)
from radius_policy.store.interface import Reading

VERSION: Final = 1
PARENTS: Final = 8
RUNS: Final = 50


def payload(reading: Reading, event: Event, *, script: str, attempt: int, dry_run: bool, now: Micros) -> dict[str, Any]:
    """The object for one run of `script`."""
    host = reading.get(Host, event.tenant, event.host_id) if event.host_id else None
    return {
        "v": VERSION,
        "script": script,
        "attempt": attempt,
        "dry_run": dry_run,
        "event": str(event.kind),
        "event_id": event.id,
        "at": words.iso(event.at),
        "severity": event.severity.name.lower(),
        "text": event.text,
        "topic": event.topic,
        "site": event.site,
        "facts": event.facts,
        "last": _last(reading, event, script),
        **_host(reading, event, host),
        **_place(reading, event, now),
        **_program(reading, event),
    }


def _last(reading: Reading, event: Event, script: str) -> dict[str, Any] | None:
    """What this script did last for this host, where it did it: that is how a release finds what was shut."""
    if not event.host_id:
        return None
    runs = reading.find(
        ScriptRun, tenant=event.tenant, host_id=event.host_id, order="sequence", descending=True, limit=RUNS
    )
    last = next((run for run in runs if run.script == script and run.state == "done"), None)
    return {"event": last.kind, "at": words.iso(last.ended or last.created), "output": last.output} if last else None


def _host(reading: Reading, event: Event, host: Host | None) -> dict[str, Any]:
    state = reading.get(HostState, event.tenant, event.host_id) if event.host_id else None
    return {
        "host": host.name if host else None,
        "host_id": str(event.host_id) or None,
        "groups": list(host.groups) if host else [],
        "never_quarantine": bool(host and host.never_quarantine),
        "posture": str(state.posture) if state else None,
        "access": str(state.access) if state else None,
    }


def _place(reading: Reading, event: Event, now: Micros) -> dict[str, Any]:
    """MACs, and the switch port, with where that is known from."""
    macs = sorted(binding.mac for binding in _bindings(reading, event))
    where = whereabouts.place(reading, event.tenant, event.host_id) if event.host_id else whereabouts.Place()
    told = event.facts.get("mac")
    first = where.mac if where.source else str(told) if told in macs else macs[0] if macs else None
    return {
        "mac": first,
        "macs": macs,
        "switch": where.nas_id or where.switch or None,
        "switch_address": where.address or None,
        "port": where.port or None,
        "port_source": where.source or None,
        "port_age_s": max(0, (now - where.seen) // SECOND) if where.seen is not None else None,
        "session_open": where.open,
        "nas": [one.nas_id for one in reading.find(Nas, tenant=event.tenant, order="nas_id")],
    }


def _bindings(reading: Reading, event: Event) -> list[MacBinding]:
    return reading.find(MacBinding, tenant=event.tenant, host_id=event.host_id) if event.host_id else []


def _program(reading: Reading, event: Event) -> dict[str, Any]:
    """The executable that it is about; for a move the newest reason of its host."""
    sha = event.sha256 or _reason(reading, event)
    start = _start(reading, event, sha) if sha else None
    return {
        "sha256": sha or None,
        "path": start.path if start else None,
        "name": words.base_name(start.path) if start else None,
        "user": start.user if start else None,
        "started": words.iso(start.started) if start else None,
        "parents": [asdict(parent) for parent in start.parents[:PARENTS]] if start else [],
    }


def _reason(reading: Reading, event: Event) -> str:
    reasons = reading.find(PostureReason, tenant=event.tenant, host_id=event.host_id) if event.host_id else []
    newest = max(reasons, key=lambda reason: reason.at, default=None)
    return newest.key if newest is not None and len(newest.key) == 64 else ""


def _start(reading: Reading, event: Event, sha: str) -> Execution | None:
    equals: dict[str, Any] = {"host_id": HostId(event.host_id)} if event.host_id else {}
    found = reading.find(
        Execution, tenant=event.tenant, sha256=sha, order="started", descending=True, limit=1, **equals
    )
    return found[0] if found else None

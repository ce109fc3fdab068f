"""The runs of scripts in the store: made from events, taken when they may begin, written when they ended.

Guarantees: an event's runs are stored in one transaction with the cursor behind it, so none is lost and none is made
twice; runs of one host follow each other in the order of their events; every end is an audit line with exit code and
output, and a run that failed for good is an event for people. While no script is set nothing is written; what happened
before the first one was set runs nothing.

Pure but for the transaction; time and settings are arguments.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Final

from api import audit, words
from api.alerts.script_process import Ended
from api.alerts.scripts import SETTING, TIGHTENING, Script, ScriptSettings, wanted
from radius_policy.grace import RuleSet
from radius_policy.model import (
    SECOND,
    Cursor,
    Event,
    EventKind,
    Host,
    HostId,
    MacBinding,
    Micros,
    Neighbour,
    ScriptRun,
    Setting,
    Severity,
    TenantId,
)
from radius_policy.store.interface import Change, Reading, Tx

MAC_TABLE: Final = "mac-table"
_FOUND: Final = re.compile(rf"(?:^|⏎ )(?P<port>\S+) of (?P<switch>\S+) is shut \(known by {MAC_TABLE}\)$")
CURSOR: Final = "scripts"
BATCH: Final = 500
LOOKED_AT: Final = 500
RETRY_S: Final = (2, 10, 60)
TRY_AGAIN: Final = 75
"""EX_TEMPFAIL of sysexits.h: the script could not do it now."""
KEPT: Final = 4096
"""So many characters of a run's output stand in the store and in the audit."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A run to begin now, with all that it needs."""

    run: ScriptRun
    script: Script
    event: Event


@dataclass(slots=True)
class Taken:
    """What is begun now, and how many runs were ended without one."""

    begun: list[Ready] = field(default_factory=list)
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the store. There is nothing to route up to sequence `looked`. Events from before `since` run nothing:
    the first script was set then. `stale`: the cursor is of a time when there were scripts."""

    settings: ScriptSettings
    looked: int
    since: Micros
    new: bool
    stale: bool
    waiting: bool


def look(
    reading: Reading,
    tenant: TenantId,
    looked: int,
    read: Callable[[Setting | None], ScriptSettings],
    busy: Collection[str],
    now: Micros,
) -> Look:
    """What there is to do. `looked`: what an earlier look found; `busy` are the hosts for which a script runs now."""
    stored = reading.get(Setting, tenant, SETTING)
    settings = read(stored)
    cursor = reading.get(Cursor, tenant, CURSOR)
    position, new = max(cursor.sequence if cursor else 0, looked), False
    while changes := reading.changes_since(position, BATCH):
        new = bool(settings.scripts) and any(_is_event(change, tenant) for change in changes)
        if new:
            break
        position = changes[-1].sequence
    return Look(
        settings,
        position,
        since=stored.at if stored is not None and cursor is None else 0,
        new=new,
        stale=cursor is not None and not settings.scripts,
        waiting=any(_may_begin(one, busy, now) for one in _waiting(reading, tenant)),
    )


def again(tx: Tx, tenant: TenantId, running: Collection[str]) -> None:
    """What is marked as running, but is none of these, was interrupted: it waits anew."""
    for one in tx.find(ScriptRun, tenant=tenant, state="running"):
        if one.id not in running:
            tx.put(replace(one, state="waiting", note="interrupted, so it is run again"))


def plan(tx: Tx, tenant: TenantId, seen: Look, rules: RuleSet, now: Micros) -> bool:
    """Store the runs that new events ask for, and move the cursor; whether there is more."""
    cursor = tx.get(Cursor, tenant, CURSOR) or Cursor(tenant, CURSOR, 0)
    changes = tx.changes_since(max(cursor.sequence, seen.looked), BATCH)
    if not changes:
        return False
    for change in changes:
        event = tx.get(Event, tenant, change.key) if _is_event(change, tenant) else None
        if event is None or event.at < seen.since:
            continue
        host = tx.get(Host, tenant, event.host_id) if event.host_id else None
        for script in wanted(seen.settings, event, host.groups if host else (), rules):
            tx.add(
                ScriptRun(
                    tenant, f"{event.id}.{script.name}", script.name, event.id, event.host_id, event.kind, "waiting",
                    created=now, not_before=now, sequence=change.sequence,
                )
            )  # fmt: skip
    tx.put(replace(cursor, sequence=changes[-1].sequence))
    return len(changes) == BATCH


def take(
    tx: Tx,
    tenant: TenantId,
    settings: ScriptSettings,
    *,
    room: int,
    busy: Collection[str],
    paused: bool,
    now: Micros,
) -> Taken:
    """Runs to begin now, at most `room`, marked as running; what cannot run any more is ended."""
    taken = Taken()
    for one in _waiting(tx, tenant):
        if len(taken.begun) >= room or not _may_begin(one, busy, now):
            continue
        script, event = settings.named(one.script), tx.get(Event, tenant, one.event_id)
        if script is None or event is None:
            end(tx, replace(one, note="the setting has no such script any more"), "skipped", now)
            taken.skipped += 1
        elif paused and one.kind in TIGHTENING:
            end(tx, replace(one, note="automatic moves are paused"), "skipped", now)
            taken.skipped += 1
        else:
            begun = replace(one, state="running", started=now, tries=one.tries + 1, note="")
            tx.put(begun)
            taken.begun.append(Ready(begun, script, event))
    return taken


def end(tx: Tx, one: ScriptRun, state: str, now: Micros) -> None:
    """Write the end of a run, with its line in the audit; people are told of one that failed."""
    tx.put(replace(one, state=state, ended=now))
    detail = {
        "run": one.id, "event": one.event_id, "kind": one.kind, "host": one.host_id, "state": state,
        "attempt": one.tries, "exit_code": one.exit_code, "output": one.output, "note": one.note,
    }  # fmt: skip
    if state == "done" and one.host_id:
        _keep_place(tx, one, now)
    audit.append(tx, one.tenant, at=now, who="scripts", what="script.run", subject=one.script, detail=detail)
    if state != "failed":
        return
    host = tx.get(Host, one.tenant, one.host_id) if one.host_id else None
    text = f"The script {one.script}{f' for {host.name}' if host else ''} failed: {one.note}"
    event = Event(
        one.tenant, f"script-{one.id}", now, EventKind.SCRIPT_FAILED, Severity.WARNING, f"script:{one.script}", text,
        one.host_id, site=host.site if host else "",
        facts={"script": one.script, "run": one.id, "exit_code": one.exit_code, "event": one.event_id},
    )  # fmt: skip
    tx.put(event)
    tx.note(one.tenant, "event", event.id)


def _keep_place(tx: Tx, one: ScriptRun, now: Micros) -> None:
    """Where a script found the host in a switch's table of MACs: known from now on, where nobody else says better."""
    found = _FOUND.search(one.output)
    bound = tx.find(MacBinding, tenant=one.tenant, host_id=one.host_id)
    if found is None or not bound:
        return
    mac = max(bound, key=lambda binding: binding.proved_at).mac
    tx.put(Neighbour(one.tenant, HostId(one.host_id), mac, MAC_TABLE, now, now, found["switch"], found["port"]))


def later(tx: Tx, one: ScriptRun, now: Micros) -> None:
    """It could not do it now: it waits for its next try."""
    tx.put(replace(one, state="waiting", not_before=now + RETRY_S[min(one.tries, len(RETRY_S)) - 1] * SECOND))


def after(one: ScriptRun, script: Script, ended: Ended) -> tuple[str, ScriptRun]:
    """What a run's end makes of it: the state, and the run with code, output and a note."""
    output = words.visible(" ⏎ ".join(ended.output.split("\n")).strip(" ⏎"), KEPT)
    done = replace(one, exit_code=ended.code, output=output, note=_note(script, ended))
    if ended.code == TRY_AGAIN and one.tries < script.tries:
        return "waiting", done
    return ("done" if ended.code == 0 else "failed"), done


def _waiting(reading: Reading, tenant: TenantId) -> list[ScriptRun]:
    """For each host the next run that waits, in the order of their events."""
    found = reading.find(ScriptRun, tenant=tenant, state="waiting", order="sequence", limit=LOOKED_AT)
    first: dict[str, ScriptRun] = {}
    for one in found:
        first.setdefault(one.host_id or one.id, one)  # what is later for a host waits for it
    return list(first.values())


def _may_begin(one: ScriptRun, busy: Collection[str], now: Micros) -> bool:
    return one.host_id not in busy and one.not_before <= now


def _is_event(change: Change, tenant: TenantId) -> bool:
    return change.kind == "event" and change.tenant == tenant


def _note(script: Script, ended: Ended) -> str:
    if ended.code is None:
        how = f"killed at its time limit of {script.timeout_s:g} s"
    elif ended.code < 0:
        how = f"killed by signal {-ended.code}"
    else:
        how = f"ended with {ended.code} after {ended.seconds:.1f} s"
    return how + (", its output was cut" if ended.truncated else "")

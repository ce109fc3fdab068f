"""The runs of scripts as people read them, and what a script would be told: one set of functions for console, REST and
command line.

Guarantees: reading only; somebody who sees some sites alone sees no run for a host of another one. A trial starts nothing:
it gives the command line and the JSON of a made-up event.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from api import words
from api.alerts.script_payload import payload
from api.alerts.scripts import FOLDER, SETTING, SHIPPED, Script, ScriptSettings, command, parse, shipped
from api.auth.roles import Identity
from api.errors import NotFound
from radius_policy.model import Event, EventKind, Host, HostId, Micros, ScriptRun, Setting, Severity, TenantId
from radius_policy.store.interface import Reading

SHOWN: Final = 100
PIECE: Final = 500
LOOKED_AT: Final = 20_000
"""A search by script or kind of event looks through so many of the newest runs."""
TRIAL: Final = "trial"


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `event` is the kind of its event; times are microseconds, `code` is None where nothing ended by itself."""

    id: str
    script: str
    event: str
    event_id: str
    host_id: str
    host: str
    state: str
    tries: int
    created: Micros
    started: Micros | None
    ended: Micros | None
    code: int | None
    output: str
    note: str


def settings(reading: Reading, who: Identity) -> ScriptSettings:
    """What is configured. Raises BadScripts."""
    stored = reading.get(Setting, who.tenant, SETTING)
    return parse(stored.value if stored else None)


def named(reading: Reading, who: Identity, name: str) -> Script:
    """A configured script. Raises NotFound or BadScripts."""
    known = settings(reading, who)
    found = known.named(name)
    if found is None:
        names = ", ".join(script.name for script in known.scripts)
        raise NotFound(f"there is no script {name}; configured are {names or 'none (pratique setting set scripts)'}")
    return found


def shipped_with() -> dict[str, str]:
    """What comes with the product: its name, and what it does in a sentence."""
    return {name: _summary(FOLDER / f"{name.removeprefix(SHIPPED)}.py") for name in shipped()}


def _summary(file: Path) -> str:
    told = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return " ".join(told.partition("\n\n")[0].split()).partition(": `")[0]


def runs(
    reading: Reading, who: Identity, *, host_id: str = "", event: str = "", script: str = "", limit: int = SHOWN
) -> list[Run]:
    """The newest first. `event` is a kind of event or the id of one, `host_id` a host's."""
    fits: Callable[[ScriptRun], bool] = lambda one: (  # noqa: E731 - it is read where it is used
        (not event or event in (one.kind, one.event_id)) and (not script or one.script == script)
    )
    hosts: dict[str, Host | None] = {}
    found: list[Run] = []
    for one in _newest(reading, who, host_id):
        if not fits(one):
            continue
        if one.host_id and one.host_id not in hosts:
            hosts[one.host_id] = reading.get(Host, who.tenant, one.host_id)
        host = hosts.get(one.host_id)
        if who.sites and (host is None or not who.sees(host.site)):
            continue
        found.append(_run(one, host))
        if len(found) == limit:
            break
    return found


def _newest(reading: Reading, who: Identity, host_id: str) -> Iterator[ScriptRun]:
    """Runs of one host, or of all, piece by piece, so that a few need few."""
    order, equals = ("sequence", {"host_id": HostId(host_id)}) if host_id else ("created", {})
    before: int | None = None
    seen: set[str] = set()
    for _ in range(LOOKED_AT // PIECE):
        asked: dict[str, Any] = {**equals, **({"before": before} if before is not None else {})}
        piece = reading.find(ScriptRun, tenant=who.tenant, order=order, descending=True, limit=PIECE, **asked)
        fresh = [one for one in piece if one.id not in seen]
        yield from fresh
        if len(piece) < PIECE or not fresh:
            return
        seen = {one.id for one in piece}
        before = getattr(piece[-1], order) + 1


def _run(one: ScriptRun, host: Host | None) -> Run:
    return Run(
        one.id, one.script, str(one.kind), one.event_id, str(one.host_id), words.visible(host.name) if host else "",
        one.state, one.tries, one.created, one.started, one.ended, one.exit_code, words.visible(one.output, 4096),
        words.visible(one.note, 500),
    )  # fmt: skip


def shown(run: Run) -> dict[str, Any]:
    """JSON-ready data."""
    return asdict(run)


def trial(
    reading: Reading, script: Script, host: Host | None, *, tenant: TenantId, folder: Path, user: str, now: Micros
) -> dict[str, Any]:
    """What would be started, and what it would be told, for the first kind of event it is set up for; nothing is started.

    Raises BadScripts where the file cannot be used.
    """
    kind = script.events[0] if script.events else EventKind.UNKNOWN_RAN
    facts: dict[str, object] = {"access": "remediation"} if kind is EventKind.MOVED else {}
    event = Event(
        host.tenant if host else tenant,
        TRIAL, now, kind, Severity.WARNING, TRIAL, "This is a trial: nothing happened.",
        host.host_id if host else HostId(""), site=host.site if host else "", facts=facts,
    )  # fmt: skip
    made = command(script, folder, user)
    told = payload(reading, event, script=script.name, attempt=1, dry_run=True, now=now)
    return {"argv": list(made.argv), "user": made.user, "timeout_s": made.timeout_s, "stdin": told}

"""The page of the events: what people are told, how urgently, and what a script finds in it.

Kinds are `radius_policy.model.EventKind`, titles `api.words.EVENT`. Severity and meaning stand here; a test reads the
code's own calls and says where they differ. A kind that no code tells yet is listed as that.
"""

import ast
from functools import cache
from pathlib import Path
from typing import Final

from api.words import event_title
from docs.pages import table
from radius_policy.model import EventKind

ROOT: Final = Path(__file__).resolve().parents[2]
K = EventKind

MEANINGS: Final[dict[EventKind, tuple[str, str]]] = {
    K.UNKNOWN_RAN: ("warning · info", "An unknown executable was started and its outcome is a move. Warning for the first one of its executable or family and for each host that is moved for it; info for further hosts, for contained starts and in mode learn"),
    K.DENIED_RAN: ("urgent", "A denied executable ran: the endpoint is compromised"),
    K.DENIED_REFUSED: ("warning", "A denied executable was refused before it ran; no posture follows"),
    K.UNJUDGEABLE: ("warning · info", "Something was started whose source never tells what (a 4688 without hash)"),
    K.HELD: ("warning · info", "An unknown was started and its rule asks for no move. Info where the rule asks for neither alert nor hold"),
    K.GRACED: ("warning · info", "A grace rule let a new executable run on this host. Warning where the rule says alert"),
    K.GRACE_ENDING: ("warning", "A grace ends within a day (or the last quarter of a shorter one) and nobody has decided; once for each executable and rule, those of half a day in one warning"),
    K.GRACE_ENDED: ("warning", "A grace ended and nobody has decided; nobody is moved for that"),
    K.LATE_UNKNOWN: ("info", "A start of an unknown became known that is older than the last clear of its host"),
    K.LATE_DENIED: ("urgent", "The same of a denied executable; the host was not moved for that"),
    K.BREAKER_TRIPPED: ("urgent", "A limit on automatic moves was reached; what it names is contained instead"),
    K.TRIP_UNANSWERED: ("urgent", "Nobody answered a trip within the minutes of the setting `trips`, so the site's choice holds: hosts were released or quarantined by it, or all stays; the next person is called"),
    K.TIED: ("urgent", "A graced or unknown program started or wrote one that is denied; it is contained"),
    K.PROTECTED: ("urgent", "An endpoint would have been moved and was not: it is on the never-quarantine list, or its group needs it"),
    K.MOVED: ("info", "The access of an endpoint became stricter; orders to the network follow"),
    K.RELEASED: ("info", "The access of an endpoint became less strict; orders to the network follow"),
    K.CLEARED: ("info", "A person looked at an endpoint and ended its reasons"),
    K.MOVE_CONFIRMED: ("info", "The network proved that the endpoint is where it should be"),
    K.MOVE_NOT_CONFIRMED: ("warning · info", "The network said that it did, or nothing, and no proof came in time. Info where the switch's profile says that it can prove nothing"),
    K.MOVE_FAILED: ("urgent", "No method is left to move the endpoint"),
    K.HOST_ENROLLED: ("info", "A machine became an endpoint, with a one-time token"),
    K.AGENT_SILENT: ("warning", "No accepted evidence came from an endpoint for three heartbeats: it is unmonitored"),
    K.AGENT_BACK: ("info", "It is heard again"),
    K.EVIDENCE_REFUSED: ("warning · urgent", "A message was not accepted: its signature, its endpoint, its clock. Urgent when the service's own CA is not the one that endpoints were enrolled with"),
    K.ORDER_REFUSED: ("warning", "An agent was asked to do something and cannot, with the reason that it gave"),
    K.ALLOWED: ("info", "A person put something on the allow list"),
    K.DENIED: ("info", "A person put something on the deny list"),
    K.PAUSED: ("warning", "A person stopped all automatic moves"),
    K.RESUMED: ("warning", "A person let them go on"),
    K.CHANNEL_FAILED: ("info", "An alert channel fails; what it would have told waits or takes another channel"),
    K.CHANNEL_BACK: ("info", "It works again"),
    K.SCRIPT_FAILED: ("warning", "A script that an event ran ended with an error, or could not be started"),
    K.ESCALATED: ("info", "Nobody acknowledged an urgent alert in time, so the next person is told"),
    K.ACKNOWLEDGED: ("info", "Somebody said that they have an urgent alert, or answered a breaker trip; nobody else is told of it"),
}  # fmt: skip
"""Severities (the usual one first) and meaning of each kind."""

NOT_TELLERS: Final = ("model", "words.py", "routes.py", "content.py", "console")
"""Files that name kinds without telling them."""


def page() -> str:
    """The whole page."""
    told = [kind for kind in MEANINGS if kind in tellers()]
    silent = [kind for kind in MEANINGS if kind not in tellers()]
    rows = ((f"`{kind}`", event_title(kind), *MEANINGS[kind]) for kind in told)
    rest = ", ".join(f"`{kind}`" for kind in silent)
    later = f"\nReserved, and told by nothing in this release: {rest}.\n" if silent else ""
    return f"""# Events

What people are told. An event is stored in the transaction that decides it and delivered afterwards: none is told
that is not on disk, none is lost when a channel is away. `info` waits for the reports and the console, `warning` is
mailed at once, `urgent` is mailed at once and marked so ([Alerts](../how-to/alerts.md) says to whom).

Each has `id`, `at` (microseconds, UTC), `kind`, `severity`, `text`, `topic` (what belongs together: a hash, a host, a
breaker level), `site`, where it is about one `host_id` and `sha256`, and `facts`: plain JSON for templates, scripts
and log collectors.

{table(("kind", "title", "severity", "meaning"), rows)}
{later}"""


@cache
def tellers() -> dict[EventKind, tuple[str, ...]]:
    """Kind → the files whose code tells it, as the syntax tree shows: the enumeration's member or its word in a call or
    an assignment of a kind."""
    found: dict[EventKind, list[str]] = {}
    for room in ("radius_policy", "api"):
        for file in sorted((ROOT / room).rglob("*.py")):
            if not any(part in NOT_TELLERS for part in (file.name, *file.parts)):
                for kind in _named(ast.parse(file.read_text(encoding="utf-8"))):
                    found.setdefault(kind, []).append(file.relative_to(ROOT).as_posix())
    return {kind: tuple(dict.fromkeys(files)) for kind, files in found.items()}


def _named(tree: ast.AST) -> list[EventKind]:
    kinds = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "EventKind":
            kinds += [kind for kind in EventKind if kind.name == node.attr]
        elif isinstance(node, ast.Call) and _called(node) in ("tell", "_tell") and node.args:
            kinds += _words(node.args[0])
        elif isinstance(node, ast.Assign) and _about_kinds(node):
            kinds += _words(node.value)
    return kinds


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _about_kinds(assignment: ast.Assign) -> bool:
    names = {node.id for target in assignment.targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return bool(names & {"kind", "PROTECTED"})


def _words(node: ast.AST) -> list[EventKind]:
    known = set(EventKind)
    texts = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
    return [EventKind(text) for text in texts if text in known]

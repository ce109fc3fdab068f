"""The page of the tables that decide: posture, access, held start, breaker; read off the code's own tables.

Each row carries its words beside its functions. For access a test puts a situation before the real table for each row.
"""

from typing import Final

from docs.pages import table
from radius_policy import access, held, posture
from radius_policy.breaker import Limit, Limits
from radius_policy.model import SECOND

LEVELS: Final[dict[str, str]] = {
    "executable": "one executable, or family",
    "site": "one site",
    "fleet": "all sites",
    "tenant": "the whole tenant",
}
"""The levels of the breaker, in words."""


def page() -> str:
    """The whole page."""
    return f"""# The tables that decide

Each is one table in one file of the code; this page is made from them. From top to bottom, first match wins.

1. [The verdict](verdict.md): what is this executable, here and now?
2. [Posture](#posture): what do its open reasons make of an endpoint?
3. [The breaker](#the-breaker): how many may be moved automatically?
4. [Access](#access): what does the network give the endpoint?
5. [A held start](#a-held-start): what becomes of the start while the kernel waits?
6. [A move](move.md): where does an order to the network stand?

## Posture

A posture clears only when no reason is left. A person's *clear* ends the reasons that are older than it.

{table(("posture", "when"), ((f"**{row.posture}**", row.when) for row in posture.TABLE))}

## The breaker

A move takes one place at each level, stored in the transaction that decides it. Where a place is missing that limit trips:
the start is contained instead of its host being moved, people get one urgent alert, and allow or deny answers it
everywhere. A host takes one place at a level however much it reports. The smaller of number and percent counts, but
never less than *at least*. The setting `breaker` changes them.

{_breaker()}

## Access

*Now* is the last access that an Accept gave or a sent order carries. *Cap*: what rows 5 to 9 give if that is not stricter than
now, else now; so nobody is moved, and whose causes are gone is released. Strictness: production < guest < remediation <
blocked.

{_access()}

## A held start

What becomes of a start while the kernel waits for the verdict (operation `hold`), and what an agent that only watches
(operation `notify`) does instead. The result is no verdict: an undecided start leaves the executable unknown. The agent of
this release only watches.

{_held()}
"""


def _breaker() -> str:
    limits = Limits()
    rows = []
    for name, words in LEVELS.items():
        limit: Limit = getattr(limits, name)
        rows.append((words, str(limit.number), f"{limit.percent:g} %", str(limit.least), _window(limit)))
    return table(("level", "hosts", "of the hosts there", "at least", "within"), rows)


def _window(limit: Limit) -> str:
    if limit.window is None:
        return "ever (until decided)"
    minutes = limit.window // SECOND // 60
    return f"{minutes} minutes" if minutes < 60 else f"{minutes // 60} h"


def _access() -> str:
    rows = ((str(row.number), row.name, row.when, row.says) for row in access.TABLE)
    return table(("#", "row", "what holds", "access"), rows)


def _held() -> str:
    words = {each: f"`{each}`" for each in held.Held}
    rows = ((row.when, words[row.held], row.notify or "nothing") for row in held.TABLE)
    return table(("judged", "the held start", "in notify operation"), rows)

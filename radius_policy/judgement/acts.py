"""What a judged start asks of the agent on its host: to cut the program's network, or to isolate the host.

Guarantees: nothing in mode learn or monitor (tables.md, Grace rules); an automatic isolation never while moves are paused, of
a host on the never-quarantine list, or of the last working one of a group: it is a quarantine by other means.

What it does not do: it sends no order (`api.ingest` does, which tells people what an agent refuses) and takes no place of
the breaker.
"""

from collections.abc import Iterable
from typing import Final

from radius_policy.judgement.standing import Desk, short_group
from radius_policy.model import Mode, Outcome

BY_AGENT: Final = frozenset({Outcome.CUT, Outcome.ISOLATE})
"""Outcomes that an agent has to carry out."""
NOTHING: Final[frozenset[Outcome]] = frozenset()
_WORDS: Final = {
    Outcome.CUT: "its agent is asked to cut its network",
    Outcome.ISOLATE: "its agent is asked to isolate the host",
}


def of(desk: Desk, outcomes: frozenset[Outcome]) -> frozenset[Outcome]:
    """Those of the outcomes that the agent of this host is to carry out now."""
    asked = outcomes & BY_AGENT
    if not asked or desk.mode is not Mode.ENFORCE:
        return NOTHING
    if Outcome.ISOLATE in asked and (desk.host.never_quarantine or desk.policy.paused or short_group(desk)):
        return asked - {Outcome.ISOLATE}
    return asked


def said(asked: Iterable[Outcome]) -> str:
    """`; its agent is asked to cut its network`, or nothing."""
    return "".join(f"; {_WORDS[each]}" for each in sorted(asked))

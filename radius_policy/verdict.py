"""The verdict on one start: a table walked from the top, first match wins (tables.md, Verdict).

Guarantees: deny stands before every trust; an empty policy allows nothing; a missing fact earns nothing; the answer
carries its reason and depends on (facts, lists, rules, slots, now) alone. Posture, access and slots are the caller's:
a graced verdict names its rule in `reason.ref` and its end in `until`, which together are the slot to take.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from radius_policy.facts.table import Facts
from radius_policy.grace.rules import HOUR, NoSlots, RuleSet, Slots
from radius_policy.lists.index import Lists
from radius_policy.model import Micros, Outcome, Reason, Verdict, VerdictWord
from radius_policy.quick import maker

MOVE: Final = frozenset((Outcome.MOVE,))
SETS_A_VERDICT: Final = {
    Outcome.DENY: VerdictWord.DENIED,
    Outcome.ALLOW: VerdictWord.ALLOWED,
    Outcome.GRACE: VerdictWord.GRACED,
}
"""The outcomes of a rule that set a verdict, the strictest first; with any other the start stays unknown."""


@dataclass(slots=True)
class Asked:
    """One question to the table; made for each start, so it is not frozen, which would cost more than the rest of it."""

    facts: Facts
    lists: Lists
    rules: RuleSet
    slots: Slots
    now: Micros
    unknown: frozenset[Outcome]


@dataclass(frozen=True, slots=True)
class Level:
    """One row: its number and name, what it looks at, the verdict it gives, and the function that gives it."""

    number: int
    name: str
    looks_at: str
    gives: str
    decide: Callable[[Asked], Verdict | None]


_verdict: Callable[..., Verdict] = maker(Verdict)
_reason: Callable[..., Reason] = maker(Reason)


def _deny(asked: Asked) -> Verdict | None:
    hit = asked.lists.deny(asked.facts, asked.now)
    if hit is None:
        return None
    return _verdict(VerdictWord.DENIED, _reason("deny", hit.text, hit.entry.id, hit.entry.author), None, MOVE)


def _allow(asked: Asked) -> Verdict | None:
    hit = asked.lists.allow(asked.facts, asked.now)
    if hit is None:
        return None
    return _verdict(VerdictWord.ALLOWED, _reason("allow", hit.text, hit.entry.id, hit.entry.author))


def _reference(asked: Asked) -> Verdict | None:
    sha256 = asked.facts["hash"]
    known = asked.lists.reference(sha256) if asked.lists.references and isinstance(sha256, str) else None
    if known is None:
        return None
    text = f"known in reference set {known[0]}" + (f" as {known[1]}" if known[1] else "")
    return _verdict(VerdictWord.ALLOWED, _reason("reference", text, known[0], "reference"))


@dataclass(frozen=True, slots=True)
class Proof:
    """One kind of proof: its test, a sentence, and the fact that is named in it."""

    name: str
    test: Callable[[Facts], bool]
    text: str
    names: str


def _source(source: str) -> Callable[[Facts], bool]:
    return lambda facts: facts["provenance.proven"] is True and facts["provenance.source"] == source


def _in_replay(facts: Facts) -> bool:
    return facts["replay"] is True and facts["provenance.proven"] is True and facts["provenance.source"] == "installer"


def _deployed(facts: Facts) -> bool:
    return facts["writer.trust"] == "proof" and facts["writer.chain_deployment"] is True


def _made(facts: Facts) -> bool:
    if facts["family"] is None or not _good_maker(facts):
        return False
    template = facts["made_by.template"]
    return facts["made_by.inputs"] == "allowed" or (template is not None and template == facts["family.template"])


def _good_maker(facts: Facts) -> bool:
    return facts["writer.verdict"] == "allowed" or facts["writer.proven"] is True


PROOFS: Final[tuple[Proof, ...]] = (
    Proof("package", _source("package"), "owned by package {} and unmodified", "provenance.detail"),
    Proof("image", _source("image"), "part of the host's image {}", "provenance.detail"),
    Proof("replay", _in_replay, "brought by {}, which counts as proven in a replay", "provenance.detail"),
    Proof(
        "deployment", _deployed, "written by a deployment tool trusted as proof, or its descendant: {}", "writer.path"
    ),
    Proof("family", _made, "{}, made by an allowed maker from what is all allowed or proven", "family.template"),
)
"""What is a proof (row 4). One of them is enough."""


def _proven(asked: Asked) -> Verdict | None:
    facts = asked.facts
    for proof in PROOFS:
        if proof.test(facts):
            text = proof.text.format(facts[proof.names] or "(no name told)")
            return _verdict(VerdictWord.ALLOWED, _reason("provenance", text, proof.name, "provenance"))
    return None


def _rules(asked: Asked) -> Verdict | None:
    match = asked.rules.first_match(asked.facts, asked.slots, asked.now)
    if match is None:
        return None
    rule = match.rule
    word, outcomes = _meaning(rule.outcomes)
    text = f"rule {rule.name}"
    if match.until is not None:
        text += f" graces it here for {(match.until - asked.now) / HOUR:.1f} more hours"
    return _verdict(word, _reason("rule", text, rule.name, "rule"), match.until, outcomes)


@cache
def _meaning(outcomes: frozenset[Outcome]) -> tuple[VerdictWord, frozenset[Outcome]]:
    """The verdict that a rule's outcomes set, and what they ask for besides."""
    word = next((word for outcome, word in SETS_A_VERDICT.items() if outcome in outcomes), VerdictWord.UNKNOWN)
    rest = outcomes - frozenset(SETS_A_VERDICT)
    return word, rest | MOVE if word is VerdictWord.DENIED else rest


def _unknown(asked: Asked) -> Verdict | None:
    return _nothing(asked.unknown)


@cache
def _nothing(outcomes: frozenset[Outcome]) -> Verdict:
    """Every unknown that nothing knows has the same verdict; values are not made anew for each start."""
    return Verdict(
        VerdictWord.UNKNOWN, Reason("unknown", "no list, proof or rule knows it", "", "default"), outcomes=outcomes
    )


LEVELS: Final[tuple[Level, ...]] = (
    Level(1, "deny", "deny: hash, signer, deny set", "denied", _deny),
    Level(2, "allow", "admin allow list", "allowed", _allow),
    Level(3, "reference", "reference sets that count as allowed", "allowed", _reference),
    Level(4, "provenance", "proven provenance", "allowed", _proven),
    Level(5, "rule", "grace rules in order", "allowed, graced or denied by the rule", _rules),
    Level(6, "unknown", "nothing matched", "unknown", _unknown),
)
"""The table (tables.md, Verdict), in order."""


def judge(
    facts: Facts,
    lists: Lists,
    rules: RuleSet,
    now: Micros,
    *,
    slots: Slots | None = None,
    unknown: frozenset[Outcome] = MOVE,
) -> Verdict:
    """The verdict on one start. `unknown` is what an unknown that no rule knows brings: by default the move; a site that
    gives unknown programs no network adds `cut`."""
    asked = Asked(facts, lists, rules, slots or NoSlots(), now, unknown)
    for level in LEVELS:
        verdict = level.decide(asked)
        if verdict is not None:
            return verdict
    raise AssertionError("the last row of the table always decides")  # pragma: no cover, no mutate


UNJUDGEABLE: Final = Verdict(
    VerdictWord.UNJUDGEABLE, Reason("unjudgeable", "its source never tells what was started", "", "default")
)
"""For a start whose source carries no identity at all (a 4688 without hash); shown, never healthy (tables.md)."""

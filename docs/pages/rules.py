"""The reference pages about verdicts, facts and rules, made from the tables in the code.

`pages()` maps each path below `docs/` to its text; `python -m docs.pages.rules docs` writes them. A test
compares what is on disk with this, so the pages never say anything else than the code.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from radius_policy.facts.roles import proposals
from radius_policy.facts.table import FACTS, Fact, Type, Worth
from radius_policy.grace.builtin import builtin
from radius_policy.grace.conditions import OPERATORS
from radius_policy.grace.rules import Grace, Rule
from radius_policy.model import Outcome, VerdictWord
from radius_policy.verdict import LEVELS, PROOFS, SETS_A_VERDICT

OUTCOMES = {
    Outcome.ALLOW: "verdict *allowed*",
    Outcome.GRACE: "verdict *graced*: `{ hours, max_hosts }`, per executable and host; each a number or the name of a number fact",
    Outcome.OBSERVE: "an event for the digest, no mail at once",
    Outcome.ALERT: "an alert at once",
    Outcome.HOLD: "the start waits for a decision and is refused at its deadline; nobody is moved. Agents of this release only notify: it runs, and people are told",
    Outcome.DENY: "verdict *denied*",
    Outcome.CUT: "the agent is asked to cut the program's network (not in `learn` and `monitor`). Agents of this release refuse it with a reason: people are told (`order_refused`), `pratique why` shows it",
    Outcome.ISOLATE: "the agent is asked to cut all but the policy service (not in `learn` and `monitor`, never while moves are paused or on a protected host; it takes no breaker place). Agents of this release refuse it, as `cut`",
    Outcome.MOVE: "the host goes to remediation; the default where no rule matches",
    Outcome.RUN_SCRIPT: "the named script of the setting `scripts` runs, for each host",
}
"""What each outcome means, in the words of the page."""

_WORTH = {
    Worth.IDENTITY: "identity", Worth.LINEAGE: "where it came from", Worth.SIGNATURE: "signature", Worth.NAME: "name and path",
    Worth.PREVALENCE: "prevalence", Worth.CONTEXT: "host, user, time",
}  # fmt: skip


def pages() -> dict[str, str]:
    """Every page, by its path below the docs' folder."""
    made = {
        "reference/verdict.md": _verdict(),
        "reference/facts.md": _facts(),
        "reference/grace-rules.md": _rules(),
        "reference/tool-roles.md": _roles(),
    }
    for rule in builtin().rules:
        made[f"reference/grace-rules/{rule.name}.md"] = _page(rule)
    return {path: text.rstrip("\n") + "\n" for path, text in made.items()}


def outcome_words(rule: Rule) -> str:
    """What a rule does, on one line."""
    words = [_grace(rule.grace)] if rule.grace is not None else []
    words += [str(outcome) for outcome in Outcome if outcome in rule.outcomes and outcome is not Outcome.GRACE]
    return ", ".join(words)


def _grace(grace: Grace) -> str:
    hours = grace.hours if isinstance(grace.hours, str) else f"{grace.hours:g} h"
    return f"grace {hours}, at most {grace.max_hosts} hosts"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *(list(row) for row in rows)]
    out = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([out[0], "|" + "---|" * len(lines[0]), *out[1:]])


def _verdict() -> str:
    levels = _table(("#", "level", "verdict"), ((str(level.number), level.looks_at, level.gives) for level in LEVELS))
    proofs = _table(
        ("proof", "what it says"), ((proof.name, proof.text.format(f"`{proof.names}`")) for proof in PROOFS)
    )
    return f"""# The verdict

First match wins. Deny stands before every trust: vulnerable drivers are signed and packaged.

{levels}

An execution whose source never carries an identity (a 4688 event without hash) is `unjudgeable`: it is shown and is
never healthy. An entry of a list that is unconfirmed, expired or of another scope decides nothing.

## What counts as proven

{proofs}
"""


def _facts() -> str:
    rows = (
        (f"`{fact.name}`", _type(fact), fact.source, _WORTH[fact.worth], "yes" if fact.replay else "", fact.doc)
        for fact in FACTS.values()
    )
    return f"""# Facts

What [grace rules](grace-rules.md) may ask about. A fact that is not known is *missing* and makes no condition true,
negated ones included. *Evidence* is the kind of evidence it is: a rule that trusts needs a fact of kind *identity* or
*where it came from*, or several of the other kinds; each of those alone is refused. *Replay* says whether recorded
events tell it, where the parent stands for the writer.

{_table(("fact", "type", "source", "evidence", "replay", "meaning"), rows)}
"""


def _type(fact: Fact) -> str:
    if fact.words:
        return ", ".join(f"`{word}`" for word in fact.words)
    name = "set of texts" if fact.type in (Type.TEXTS, Type.PATHS) else str(fact.type)
    return f"{name} ({fact.unit})" if fact.unit and fact.unit != name else name


def _rules() -> str:
    shipped = _table(
        ("rule", "conditions", "outcome", "proved by"),
        (
            (
                f"[{r.name}](grace-rules/{r.name}.md)",
                "; ".join(f"`{c.words()}`" for c in r.when),
                outcome_words(r),
                r.cases,
            )
            for r in builtin().rules
        ),
    )
    operators = _table(
        ("operator", "means", "goes with", "value"),
        (
            (f"`{o.name}`", o.words, "all" if len(o.types) == len(Type) else ", ".join(sorted(o.types)), o.wants)
            for o in OPERATORS.values()
        ),
    )
    outcomes = _table(("outcome", "means"), ((f"`{outcome}`", text) for outcome, text in OUTCOMES.items()))
    *most, last = (f"`{outcome}`" for outcome in Outcome if outcome in SETS_A_VERDICT)
    setting = f"{', '.join(most)} and {last}"
    return f"""# Grace rules

Rules judge what no list and no proof decided ([verdict](verdict.md), row 5). They are tried in order; the first whose
conditions all hold is the one. `pratique policy show` prints them, `edit` changes them, `check` names what is wrong,
`test` rehearses them on cases.

```toml
[[rule]]
name = "same-signer-new-version"
[rule.when]
"signer.state" = "valid"                      # a bare value means equal
"previous_version.verdict" = "allowed"
"prevalence.site.hosts" = {{ le = 2000 }}
[rule.then]
grace = {{ hours = 72, max_hosts = 2000 }}      # distinct hosts; for further hosts the next rule is tried
alert = true
```

A rule may have `doc` and `cases` (texts) and a `scope`: `fleet`, `site:NAME`, `group:NAME` or `host:ID`. Grace is
bounded trust for one executable on one host: it expires, it is in every report, and it never comes from a name or path,
from prevalence or from a signature alone. A rule that would trust by one of those alone is refused.

## The shipped rules

{shipped}

## Operators

On a set of texts `eq` and `in` mean that one of them is equal, `ne` and `not_in` that none is.

{operators}

## Outcomes

Only {setting} set a verdict; with any other outcome the start stays unknown.

{outcomes}
"""


def _page(rule: Rule) -> str:
    conditions = "\n".join(f"- `{c.words()}`: {c.fact.doc}" for c in rule.when)
    word = next((word for outcome, word in SETS_A_VERDICT.items() if outcome in rule.outcomes), VerdictWord.UNKNOWN)
    return f"""# {rule.name}

{rule.doc}

All of these must hold; a fact that is missing makes none of them true:

{conditions}

Then the verdict is **{word}**: {outcome_words(rule)}. Proved by {rule.cases}, as a test of this name.

See [all rules](../grace-rules.md) and [all facts](../facts.md).
"""


def _roles() -> str:
    rows = ((f"`{role}`", ", ".join(f"`{name}`" for name in names)) for role, names in proposals())
    return f"""# Tool roles

What an inventoried program is trusted to do. A role belongs to a *content* (SHA-256): the names below only propose one
for a hash that the inventory lists; an admin confirms it. A program of the same name with another hash has no role, and
one that has a home folder has its role only there. Only `deployment` carries a trust, `proof` or `grace`, and only once
confirmed. Patterns are regular expressions over the whole name without `.exe`.

{_table(("role", "names that propose it"), rows)}
"""


def main(folder: str) -> None:
    """Write every page below `folder`."""
    for path, text in pages().items():
        target = Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "docs")

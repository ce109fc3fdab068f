"""The page of testing: what is tested how, the deliberate faults with the tests that catch them (`tests/faults`), and the
mutants that no test notices with the reason (`tests/mutation`)."""

from docs.pages import table
from tests.faults import faults
from tests.mutation import LEAST, listed


def page() -> str:
    """The whole page."""
    mutants = listed()
    survivors = ((each.file, f"`{each.function}`", f"`{each.code}`", each.reason) for each in mutants.survivors)
    rows = ((fault.name, fault.room, f"`{fault.caught_by.rsplit('::', 1)[1]}`") for fault in faults())
    return f"""# Testing

`make test` proves everything. What stands where:

| folder | what it holds |
|---|---|
| `tests/unit/` | mirrors the rooms, a file for each module. Tables row by row, cores as dialogues: event in, command out, `now` passed in |
| `tests/contract/` | one suite over every store: memory, SQLite, PostgreSQL |
| `tests/integration/` | real peers: FreeRADIUS, Postfix, rsyslog, an sshd, PostgreSQL, Chromium, fanotify, network namespaces |
| `tests/acceptance/` | the stories of the product, and the cases of complaints about others (J01 to J29) |
| `tests/fuzz/` | hostile datagrams and long random lives of a move; they assert invariants |
| `tests/faults/` | deliberate faults, and which test catches each |

A test that needs a peer carries the marker `peer`; where `CI` is set a missing peer fails it, elsewhere it is skipped and
counted. Timing decides no test. Warnings are errors.

## Deliberate faults

`python -m tests.faults` (part of `make nightly`) plants each of these in a copy of the tree and expects the named test to fail.

{table(("fault", "where", "caught by"), rows)}

## Mutants

`python -m tests.mutation` (part of `make nightly`) changes the pure cores one small thing at a time (mutmut: verdict, held
start, grace, posture, breaker, access, enforcement, explain, CoA core, agent core) and counts how many changes a test
notices. It fails below {LEAST:.0%}, in all or in one module, and names every survivor that is not listed here. When this list
was made, tests noticed {mutants.killed} of {mutants.mutants} ({mutants.killed / mutants.mutants:.1%}). These may live:

{table(("file", "function", "what is changed", "why"), survivors)}
"""

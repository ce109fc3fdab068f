"""The table of a move, as tables.md has it: every cell of it is written out here once more, and read off the page."""

import re
from pathlib import Path

import pytest

from radius_policy.model import OrderState
from radius_policy.move_table import COLUMNS, TABLE, Happens, Rule

S, H, R = OrderState, Happens, Rule

PAGE_WORDS = {
    # what a cell of the page says → what stands in the table
    "late: acknowledged": S.ACKNOWLEDGED,
    "acknowledged": S.ACKNOWLEDGED,
    "answered": R.ANSWER,
    "confirmed": S.CONFIRMED,
    "waiting_for_session": S.WAITING_FOR_SESSION,
    "superseded": S.SUPERSEDED,
    "planned": R.PLAN,
    "not_confirmed": S.NOT_CONFIRMED,
    "·": R.STAY,
    "noted": R.NOTED,
    "new order": R.NEW_ORDER,
    "end": R.NOTED,
    "· (session appears → planned)": R.STAY,
    "marked; answer or time-out → superseded": R.MARK,
    "planned (next method) · none left: failed · no session: waiting_for_session": R.NEXT_METHOD,
    "no session: waiting_for_session · a method whose Access-Request we should have seen: not_confirmed · else by profile not_confirmable": R.UNPROVED_UNANSWERED,
    "no session: waiting_for_session · not_confirmed · by profile not_confirmable": R.UNPROVED,
}


def test_every_state_meets_every_event() -> None:
    assert set(TABLE) == {(state, what) for state in OrderState for what in Happens}


@pytest.mark.parametrize("state", [S.SUPERSEDED, S.ENDED])
def test_what_is_over_meets_nothing_any_more(state: OrderState) -> None:
    assert {TABLE[state, what] for what in Happens} == {R.STAY}


def test_a_move_is_confirmed_by_proof_alone() -> None:
    by = {what for (_, what), found in TABLE.items() if found is S.CONFIRMED}
    assert by == {H.PROOF}


def test_the_table_is_the_one_of_the_page() -> None:
    pages = [
        path for path in Path(__file__).resolve().parents[3].glob("docs/**/*.md") if "**planned**" in path.read_text()
    ]
    if not pages:
        pages = [path for path in [Path(__file__).resolve().parents[4] / "shared" / "tables.md"] if path.is_file()]
    if not pages:
        pytest.fail("no page in docs/ has the table of a move: the code cannot be compared with it")
    rows = re.findall(r"^\| (\*\*.+?) \|(.+)\|$", pages[0].read_text("utf-8"), re.MULTILINE)
    compared = 0
    for head, cells in rows:
        states = [S(name) for name in re.findall(r"\*\*(\w+)\*\*", head) if name in set(OrderState)]
        words = [cell.strip() for cell in cells.split("|")]
        if not states or len(words) != len(COLUMNS):
            continue
        for state in states:
            for what, word in zip(COLUMNS, words, strict=True):
                expected = PAGE_WORDS[word]
                # two cells have more to say than the page's word: a Reject's last Stop proves `blocked`, and what is
                # confirmed is confirmed once
                if (state, what) == (S.ANSWERED, H.SESSION_ENDED):
                    assert TABLE[state, what] is R.LAST_STOP
                    assert expected is R.NOTED
                elif (state, what) == (S.CONFIRMED, H.PROOF):
                    assert TABLE[state, what] is R.STAY
                else:
                    assert TABLE[state, what] == expected, f"{state} × {what}: the page says {word!r}"
                compared += 1
    assert compared == 9 * len(COLUMNS)

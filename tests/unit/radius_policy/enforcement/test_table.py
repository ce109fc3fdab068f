"""The table of a move, as tables.md has it: every cell of it is written out here once more, and read off the page."""

import re
from pathlib import Path

import pytest

from radius_policy.enforcement.table import COLUMNS, TABLE, Happens, Rule
from radius_policy.model import OrderState

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
    "noted; for `blocked`: confirmed": R.LAST_STOP,
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
    page = Path(__file__).resolve().parents[4] / "docs" / "reference" / "move.md"
    rows = re.findall(r"^\| \*\*(\w+)\*\* \|(.+)\|$", page.read_text("utf-8"), re.MULTILINE)
    table = {S(name): [PAGE_WORDS[cell.strip()] for cell in cells.split("|")] for name, cells in rows}
    assert len(table) == 9
    for state, cells in table.items():
        assert [TABLE[state, what] for what in COLUMNS] == cells, state

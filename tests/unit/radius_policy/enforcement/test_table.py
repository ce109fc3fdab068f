"""The table of a move, as tables.md has it: every cell of it is written out here once more, and read off the page."""

import re
from pathlib import Path

import pytest

from radius_policy.enforcement.table import COLUMNS, TABLE, Happens, Rule, cell
from radius_policy.model import OrderState

S, H, R = OrderState, Happens, Rule
PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "move.md"

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
    assert {(state, what): cell(state, what) for state in OrderState for what in Happens} == TABLE


@pytest.mark.parametrize("state", [S.SUPERSEDED, S.ENDED])
def test_what_is_over_meets_nothing_any_more(state: OrderState) -> None:
    assert {cell(state, what) for what in Happens} == {R.STAY}


def test_a_move_is_confirmed_by_proof_alone() -> None:
    by = {what for (_, what), found in TABLE.items() if found is S.CONFIRMED}
    assert by == {H.PROOF}


def test_the_table_is_the_one_of_the_page() -> None:
    rows = re.findall(r"^\| \*\*(\w+)\*\* \|(.+)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    table = {S(name): [PAGE_WORDS[words.strip()] for words in cells.split("|")] for name, cells in rows}
    assert len(table) == 9
    for state, cells in table.items():
        assert [cell(state, what) for what in COLUMNS] == cells, state


LINES = {
    # a row of "The lines below the table" → the event, and the states that its text names as those it changes
    "sent": (H.SENT, {S.PLANNED}),
    "NAK 503": (H.NAKED, {S.SENT}),
    "not_confirmed, after": (H.RETRY, {S.NOT_CONFIRMED}),
    "a session appears": (
        H.APPEARED,
        {S.PLANNED, S.WAITING_FOR_SESSION, S.SENT, S.ACKNOWLEDGED, S.ANSWERED, S.NOT_CONFIRMED, S.FAILED},
    ),
    "pause": (H.PAUSED, {S.PLANNED, S.WAITING_FOR_SESSION, S.NOT_CONFIRMED}),
    "restart": (H.RESTARTED, {S.SENT}),
    "switch or profile removed": (H.NO_WAY, {S.PLANNED, S.WAITING_FOR_SESSION, S.NOT_CONFIRMED}),
}


def test_every_event_is_a_column_or_a_line_of_the_page() -> None:
    rest = PAGE.read_text("utf-8").split("## The lines below the table", 1)[1]
    lines = re.findall(r"^\| (.+?) \| (.+) \|$", rest, re.MULTILINE)[1:]
    for start, (what, states) in LINES.items():
        assert any(event.startswith(start) for event, _ in lines), start
        assert {state for state in OrderState if cell(state, what) is not R.STAY} == states, what
    assert {what for what, _ in LINES.values()} == set(Happens) - set(COLUMNS)
    removed = next(does for event, does in lines if event.startswith("switch or profile"))
    assert {S(word) for word in re.findall(r"\w+", removed.split("→")[0]) if word != "and"} == LINES[
        "switch or profile removed"
    ][1]

"""The table of a move: what each event makes of an order in each state (tables.md, "A move: the states"). Data alone.

Read it beside tables.md: the first eight columns and the nine rows are its. The lines below that table are the second
table here. `core.py` carries it out.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from radius_policy.model import OrderState


class Happens(StrEnum):
    """The events: the table's columns, then what the lines below it name."""

    ACKED = "acked"
    NO_ANSWER = "no_answer"
    ANSWERED = "answered"
    LESS = "less"
    PROOF = "proof"
    CONFIRM_OVER = "confirm_over"
    SESSION_ENDED = "session_ended"
    NEWER = "newer"
    SENT = "sent"
    NAKED = "naked"
    RETRY = "retry"
    APPEARED = "appeared"
    PAUSED = "paused"
    NO_WAY = "no_way"
    RESTARTED = "restarted"


class Rule(StrEnum):
    """What a cell does where it is more than "go to that state"."""

    STAY = "stay"
    NOTED = "noted"
    SEND = "send"
    NEXT_METHOD = "next_method"
    TRY_AGAIN = "try_again"
    ANSWER = "answer"
    MARK = "mark"
    UNPROVED = "unproved"
    UNPROVED_UNANSWERED = "unproved_unanswered"
    LAST_STOP = "last_stop"
    NAK = "nak"
    ADOPT = "adopt"
    PLAN = "plan"
    PAUSE = "pause"
    ASSUME_SENT = "assume_sent"
    NEW_ORDER = "new_order"


S, H, R = OrderState, Happens, Rule
Cell = OrderState | Rule

COLUMNS: Final = (H.ACKED, H.NO_ANSWER, H.ANSWERED, H.LESS, H.PROOF, H.CONFIRM_OVER, H.SESSION_ENDED, H.NEWER)
"""The columns of the table in tables.md, in its order."""

_TABLE: Final[dict[OrderState, tuple[Cell, ...]]] = {
    # state: ACK or NAK 507, no answer, answered with g, less, proof, confirm_s over, last session ended, newer generation
    S.PLANNED: (S.ACKNOWLEDGED, R.STAY, R.ANSWER, R.STAY, S.CONFIRMED, R.STAY, S.WAITING_FOR_SESSION, S.SUPERSEDED),
    S.WAITING_FOR_SESSION: (R.STAY, R.STAY, R.ANSWER, R.PLAN, S.CONFIRMED, R.STAY, R.STAY, S.SUPERSEDED),
    S.SENT: (S.ACKNOWLEDGED, R.NEXT_METHOD, R.ANSWER, R.NOTED, S.CONFIRMED, R.STAY, R.NOTED, R.MARK),
    S.ACKNOWLEDGED: (
        R.STAY, R.STAY, R.ANSWER, S.NOT_CONFIRMED, S.CONFIRMED, R.UNPROVED_UNANSWERED, R.NOTED, S.SUPERSEDED,
    ),
    S.ANSWERED: (R.STAY, R.STAY, R.STAY, S.NOT_CONFIRMED, S.CONFIRMED, R.UNPROVED, R.LAST_STOP, S.SUPERSEDED),
    S.NOT_CONFIRMED: (
        S.ACKNOWLEDGED, R.STAY, R.ANSWER, R.STAY, S.CONFIRMED, R.STAY, S.WAITING_FOR_SESSION, S.SUPERSEDED,
    ),
    S.FAILED: (R.STAY, R.STAY, R.ANSWER, R.STAY, S.CONFIRMED, R.STAY, S.WAITING_FOR_SESSION, S.SUPERSEDED),
    S.NOT_CONFIRMABLE: (R.STAY, R.STAY, R.STAY, R.NEW_ORDER, S.CONFIRMED, R.STAY, R.NOTED, R.NOTED),
    S.CONFIRMED: (R.STAY, R.STAY, R.STAY, R.NEW_ORDER, R.STAY, R.STAY, R.NOTED, R.NOTED),
}  # fmt: skip

_LINES: Final[dict[Happens, dict[OrderState, Cell]]] = {
    # The lines below the table. A state that is not named stays.
    H.SENT: {S.PLANNED: R.SEND},
    H.NAKED: {S.SENT: R.NAK},
    H.RETRY: {S.NOT_CONFIRMED: R.TRY_AGAIN},
    H.APPEARED: {
        S.WAITING_FOR_SESSION: R.PLAN,
        **dict.fromkeys((S.PLANNED, S.SENT, S.ACKNOWLEDGED, S.ANSWERED, S.NOT_CONFIRMED, S.FAILED), R.ADOPT),
    },
    H.PAUSED: dict.fromkeys((S.PLANNED, S.WAITING_FOR_SESSION, S.NOT_CONFIRMED), R.PAUSE),
    H.NO_WAY: dict.fromkeys((S.PLANNED, S.WAITING_FOR_SESSION, S.NOT_CONFIRMED), S.FAILED),
    H.RESTARTED: {S.SENT: R.ASSUME_SENT},
}


def cell(state: OrderState, what: Happens) -> Cell:
    """What the table says for an event in a state. Ended and superseded orders meet nothing any more."""
    if what in COLUMNS:
        row = _TABLE.get(state)
        return row[COLUMNS.index(what)] if row else R.STAY
    return _LINES[what].get(state, R.STAY)


TABLE: Final[Mapping[tuple[OrderState, Happens], Cell]] = {(s, h): cell(s, h) for s in OrderState for h in Happens}
"""Every state and event with its cell."""

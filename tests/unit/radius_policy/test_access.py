"""The access table: a test per row, and what the cap promises."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_policy.access import TABLE, Choices, Ordered, Situation, access, below
from radius_policy.model import DEFAULT_TENANT, Access, HostId, Mode, Posture, PostureReason, Reason

WHY = Reason("test", "something was started")
PLACED = PostureReason(DEFAULT_TENANT, HostId("pc"), "n", Posture.POTENTIAL_PROBLEM, 1, WHY, placed=True)
CONTAINED = replace(PLACED, key="c", placed=False, contained=True)
HELD = replace(PLACED, key="h", move=False, placed=False)
HEALTHY = Situation(Posture.HEALTHY, WHY)
PROBLEM = Situation(Posture.POTENTIAL_PROBLEM, WHY, reasons=(PLACED,))
COMPROMISED = Situation(Posture.COMPROMISED, WHY, reasons=(replace(PLACED, posture=Posture.COMPROMISED),))
MOVED = Access.REMEDIATION


def test_the_rows_stand_in_the_order_of_their_numbers() -> None:
    numbers = [row.number for row in TABLE]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 10))


@pytest.mark.parametrize(
    ("situation", "row", "expected"),
    [
        (replace(COMPROMISED, never_quarantine=True), "never-quarantine", Access.PRODUCTION),
        (replace(PROBLEM, min_available_of="tills"), "min-available", Access.PRODUCTION),
        (replace(HEALTHY, ordered=Ordered(True, "ann")), "ordered", MOVED),
        (replace(COMPROMISED, ordered=Ordered(False, "ann")), "ordered", Access.PRODUCTION),
        (replace(PROBLEM, mode=Mode.MONITOR), "no-automatic-move", Access.PRODUCTION),
        (replace(PROBLEM, mode=Mode.LEARN), "no-automatic-move", Access.PRODUCTION),
        (replace(COMPROMISED, paused=True), "no-automatic-move", Access.PRODUCTION),
        (replace(PROBLEM, reasons=(CONTAINED,)), "no-automatic-move", Access.PRODUCTION),
        (COMPROMISED, "compromised", MOVED),
        (replace(COMPROMISED, choices=Choices(compromised=Access.BLOCKED)), "compromised", Access.BLOCKED),
        (PROBLEM, "move-outstanding", MOVED),
        (replace(PROBLEM, reasons=(PLACED, CONTAINED)), "move-outstanding", MOVED),
        (replace(PROBLEM, reasons=(HELD,)), "other-outcomes", Access.PRODUCTION),
        (replace(HEALTHY, posture=Posture.UNMONITORED), "unmonitored", Access.PRODUCTION),
        (replace(HEALTHY, listed=False), "unlisted", Access.GUEST),
        (HEALTHY, "healthy", Access.PRODUCTION),
    ],
)
def test_each_row_gives_its_access_and_names_itself(situation: Situation, row: str, expected: Access) -> None:
    given_, reason = access(situation)
    assert (given_, reason.level) == (expected, row)


def test_an_admins_quarantine_of_a_group_at_its_minimum_does_not_act_and_a_release_does() -> None:
    last = replace(PROBLEM, min_available_of="tills")
    assert access(replace(last, ordered=Ordered(True, "ann")))[1].level == "min-available"
    assert access(replace(last, ordered=Ordered(False, "ann")))[1].level == "ordered"


def test_an_order_passes_mode_and_pause() -> None:
    paused = replace(HEALTHY, mode=Mode.MONITOR, paused=True, ordered=Ordered(True, "ann", "she asked for it"))
    given_, reason = access(paused)
    assert given_ is MOVED
    assert "she asked for it" in reason.text


def test_a_pause_stops_the_sites_own_quarantine_and_never_its_release() -> None:
    ordered = replace(HEALTHY, ordered=Ordered(True, "site"))
    assert access(ordered)[0] is MOVED
    assert access(replace(ordered, paused=True))[1].level == "no-automatic-move"
    release = replace(COMPROMISED, ordered=Ordered(False, "site"), paused=True)
    assert access(release)[1].level == "ordered"


def test_the_cap_keeps_who_was_moved_and_releases_whose_causes_are_gone() -> None:
    assert access(replace(PROBLEM, mode=Mode.MONITOR, now=MOVED))[0] is MOVED
    assert access(replace(HEALTHY, mode=Mode.MONITOR, now=MOVED))[0] is Access.PRODUCTION


SITUATIONS = st.builds(
    Situation,
    posture=st.sampled_from(Posture),
    posture_reason=st.just(WHY),
    now=st.sampled_from(Access),
    reasons=st.lists(st.sampled_from([PLACED, CONTAINED, HELD]), max_size=3).map(tuple),
    mode=st.sampled_from(Mode),
    paused=st.booleans(),
    min_available_of=st.sampled_from(["", "tills"]),
    listed=st.booleans(),
    choices=st.builds(Choices, *[st.sampled_from(Access)] * 3),
)


@given(SITUATIONS)
def test_nobody_is_moved_in_learn_or_monitor_or_while_paused(situation: Situation) -> None:
    given_, _ = access(situation)
    if situation.mode is not Mode.ENFORCE or situation.paused or situation.min_available_of:
        assert given_.strictness <= situation.now.strictness


@given(SITUATIONS)
def test_without_protection_order_or_mode_the_rows_below_decide(situation: Situation) -> None:
    free = replace(situation, mode=Mode.ENFORCE, paused=False, min_available_of="", reasons=(PLACED,))
    assert access(free)[0] is below(free)[0]


def test_every_combination_of_posture_and_mode_has_an_answer() -> None:
    for posture, mode in product(Posture, Mode):
        assert access(Situation(posture, WHY, mode=mode))[1].level


@pytest.mark.parametrize(
    ("situation", "text"),
    [
        (replace(PROBLEM, mode=Mode.MONITOR),
         "mode monitor moves nobody; something was started, which would have meant remediation"),
        (replace(PROBLEM, paused=True),
         "automatic moves are paused; something was started, which would have meant remediation"),
        (replace(PROBLEM, reasons=(CONTAINED,)),
         "what it started is contained instead; something was started, which would have meant remediation"),
        (replace(PROBLEM, paused=True, now=MOVED), "automatic moves are paused; something was started"),
        (replace(PROBLEM, min_available_of="tills"),
         "group 'tills' would fall below its minimum; something was started, which would have meant remediation"),
        (replace(HEALTHY, ordered=Ordered(True, "ann", "ticket 4711")), "quarantined by ann: ticket 4711"),
        (replace(HEALTHY, ordered=Ordered(True)), "quarantined by an administrator"),
        (replace(HEALTHY, ordered=Ordered(False, "ann")), "released by ann until there is a new reason"),
        (replace(PROBLEM, never_quarantine=True), "it stands on the never-quarantine list; something was started"),
        (replace(PROBLEM, reasons=(HELD,)), "something was started; its rule asks for no move"),
        (replace(HEALTHY, listed=False), "no endpoint has proved this MAC"),
        (COMPROMISED, "something was started"),
    ],
)  # fmt: skip
def test_each_row_says_why_in_one_sentence(situation: Situation, text: str) -> None:
    assert access(situation)[1].text == text

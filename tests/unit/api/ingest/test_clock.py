"""How far an endpoint's clock is off."""

from hypothesis import given
from hypothesis import strategies as st

from api.ingest import clock
from radius_policy.model import SECOND


def test_a_slow_message_does_not_move_the_estimate_much_and_the_next_prompt_one_repairs_it() -> None:
    known = clock.first(1000)
    slow = clock.follow(known, 1000 + 60 * SECOND)
    assert abs(slow.offset_us - 1000) < 8 * SECOND
    assert slow.uncertainty_us == 60 * SECOND
    prompt = clock.follow(slow, 1000)
    assert prompt.offset_us == 1000
    assert clock.follow(prompt, 1000) == known


def test_a_clock_that_was_set_is_followed_at_once_and_that_message_is_uncertain_by_the_step() -> None:
    stepped = clock.follow(clock.first(0), -600 * SECOND)
    assert stepped == (-600 * SECOND, 600 * SECOND)
    assert clock.follow(stepped, -600 * SECOND).uncertainty_us == clock.BASE_US
    back = clock.follow(clock.first(0), 86_400 * SECOND)
    assert back.offset_us == 86_400 * SECOND


def test_a_clock_set_back_a_little_is_followed_within_some_heartbeats() -> None:
    known = clock.first(0)
    for _ in range(60):
        known = clock.follow(known, 60 * SECOND)
    assert abs(known.offset_us - 60 * SECOND) < SECOND


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 290 * SECOND), min_size=1, max_size=30))
def test_a_steady_clock_stays_within_its_uncertainty_whatever_the_way(true: int, ways: list[int]) -> None:
    known = clock.first(true + ways[0])
    for way in ways[1:]:
        known = clock.follow(known, true + way)
        assert known.offset_us >= true
        if way == 0:
            assert known.offset_us == true

"""Learning the service's clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health_agent.clock import ServiceClock

DAY = 86_400_000_000


@pytest.mark.parametrize("skew", [DAY, -DAY, 600_000_000])
def test_a_clock_that_is_far_off_is_learned_from_one_exchange(skew: int) -> None:
    clock = ServiceClock()
    assert clock.learn(1000, 3000, 2000 + skew)
    assert clock.offset_us == skew


def test_a_slow_answer_does_not_spoil_what_is_known() -> None:
    clock = ServiceClock(5)
    assert not clock.learn(0, 4_000_000, 3_900_000)
    assert clock.offset_us == 5


@given(offset=st.integers(-(10**12), 10**12), there=st.integers(0, 10**7), back=st.integers(0, 10**7))
def test_the_offset_is_never_further_off_than_half_the_round_trip(offset: int, there: int, back: int) -> None:
    clock = ServiceClock()
    clock.learn(0, there + back, there + offset)
    assert abs(clock.offset_us - offset) <= there + back

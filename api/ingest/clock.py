"""By how much an endpoint's clock is off, learned from its messages. Pure.

What is seen at receipt, `received - clock_us`, is never less than the true offset: the way here only adds to it. So
the smallest value counts. A larger one may be a slow way (a retry is the same signed body, so it may be minutes old)
or a clock that was set back: the estimate follows it slowly and says meanwhile how uncertain it is. A difference that
freshness would not allow for a way is a clock that was set.
"""

from typing import Final, NamedTuple

from health_agent.contract import FRESHNESS_US

BASE_US: Final = 50_000
"""What stays uncertain at best: half a slow round trip."""


class Offset(NamedTuple):
    """Add `offset_us` to the endpoint's clock; the truth lies within `uncertainty_us` of that."""

    offset_us: int
    uncertainty_us: int


def first(observed_us: int) -> Offset:
    """From the first message."""
    return Offset(observed_us, BASE_US)


def follow(known: Offset, observed_us: int) -> Offset:
    """The estimate after a message that showed `observed_us`; its uncertainty holds for what this message reports."""
    difference = observed_us - known.offset_us
    slower_way = 0 < difference <= FRESHNESS_US
    offset = known.offset_us + difference // 8 if slower_way else observed_us
    return Offset(offset, max(BASE_US, abs(difference)))

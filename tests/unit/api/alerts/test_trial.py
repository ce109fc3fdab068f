"""Trying a channel says what came of it, and never raises."""

from typing import Any

import pytest

from api.alerts import trial
from api.alerts.channels import ChannelDown, ChannelRefused
from api.alerts.render import render

from .conftest import T0

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("fails", "took", "said"),
    [
        (None, True, "taken"),
        (ChannelDown("no answer"), False, "not now: no answer"),
        (ChannelRefused("bad password"), False, "refused: bad password"),
        (TimeoutError(), False, "no answer in 60 seconds"),
    ],
)
async def test_it_says_what_came_of_it(receiver: Any, fails: Exception | None, took: bool, said: str) -> None:
    channel = receiver()
    channel.fails = fails
    assert await trial.send(channel, "https://nac.example.org", "otto", T0) == (took, said)


async def test_the_message_says_that_it_is_a_trial_and_by_whom(receiver: Any) -> None:
    channel = receiver()
    await trial.send(channel, "https://nac.example.org", "otto", T0)
    text = render(channel.taken[0]).text
    assert "otto tries this channel. Nothing happened, nothing is to be done." in text

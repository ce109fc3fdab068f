"""Which message an event joins, and what becomes of one that failed."""

from dataclasses import replace
from itertools import pairwise

from api.alerts.joining import (
    FALL_OVER_AFTER,
    GIVE_UP_S,
    SETTLE,
    after_failure,
    conversation,
    is_repeat,
    is_update,
    place,
)
from api.alerts.routes import Route
from radius_policy.model import DEFAULT_TENANT, SECOND, Delivery, Event, EventKind, Severity

MINUTE = 60 * SECOND
T0 = 1_795_246_860 * SECOND
ROUTE = Route("needs-a-person", ("mail", "phone"))
HASH = "3f" * 32


def ran(number: int, kind: EventKind = EventKind.UNKNOWN_RAN) -> Event:
    return Event(DEFAULT_TENANT, f"e{number}", T0, kind, Severity.WARNING, HASH, "x")


def tell(times: list[int]) -> list[Delivery]:
    """The messages that events at these moments make, in the order of their making."""
    messages: list[Delivery] = []
    for number, now in enumerate(times):
        last = messages[-1] if messages else None
        message = place(ran(number), ROUTE, now, last=last, known=bool(messages))
        if message is not last:
            messages.append(message)
    return messages


def test_the_first_run_is_told_as_soon_as_the_move_can_be_confirmed() -> None:
    [message] = tell([T0])
    assert (message.not_before, message.channel, message.chain) == (T0 + SETTLE, "mail", ("mail", "phone"))


def test_further_hosts_join_one_message_that_goes_a_minute_after_the_first() -> None:
    first, update = tell([T0, T0 + SECOND, T0 + 2 * SECOND, T0 + 59 * SECOND])
    assert update.not_before == T0 + MINUTE
    assert (first.number, update.number) == (1, 2)
    assert (is_update(first), is_update(update)) == (False, True)


def test_hosts_in_the_same_instant_are_in_the_first_message() -> None:
    [message] = tell([T0, T0 + SETTLE // 2])
    assert message.not_before == T0 + SETTLE


def test_1500_hosts_within_ten_minutes_make_one_mail_and_at_most_four_updates() -> None:
    messages = tell([T0 + i * 10 * MINUTE // 1500 for i in range(1500)])
    assert messages[0].not_before == T0 + SETTLE
    assert 1 <= len(messages) - 1 <= 4
    assert [m.not_before - T0 for m in messages[1:]] == [MINUTE, 3 * MINUTE, 10 * MINUTE]


def test_nothing_joins_a_message_whose_time_has_come() -> None:
    _, second, third = tell([T0, T0 + SECOND, T0 + MINUTE])
    assert third.not_before > second.not_before == T0 + MINUTE


def test_after_quiet_a_further_host_is_a_new_message_at_once() -> None:
    _, later = tell([T0, T0 + 11 * MINUTE])
    assert later.not_before - SETTLE == later.opened == T0 + 11 * MINUTE


def test_hosts_that_keep_coming_are_told_every_ten_minutes() -> None:
    messages = tell([T0 + i * MINUTE for i in range(61)])
    gaps = [b.not_before - a.not_before for a, b in pairwise(messages[3:])]
    assert gaps
    assert set(gaps) == {10 * MINUTE}


def test_a_run_outside_working_hours_is_news_although_the_conversation_is_young() -> None:
    [first] = tell([T0])
    message = place(ran(2), ROUTE, T0 + MINUTE, last=first, known=True, phase_changed=True)
    assert message.not_before == T0 + MINUTE + SETTLE


def test_a_route_that_does_not_join_sends_each_on_its_own() -> None:
    alone = Route("each", ("mail",), join_s=0)
    first = place(ran(1), alone, T0, last=None, known=False)
    second = place(ran(2), alone, T0, last=first, known=True)
    assert second.id != first.id
    assert second.not_before == T0 + SETTLE


def test_the_first_message_of_a_topic_carries_the_conversations_own_id() -> None:
    first, update = tell([T0, T0 + SECOND])
    assert first.id == conversation(DEFAULT_TENANT, ROUTE.name, HASH) != update.id
    denied = place(ran(3, EventKind.DENIED_RAN), ROUTE, T0 + SECOND, last=None, known=True)
    assert denied.id != first.id
    assert denied.not_before == T0 + SECOND + SETTLE


def test_placing_the_same_event_again_gives_the_same_message() -> None:
    assert tell([T0, T0 + SECOND]) == tell([T0, T0 + SECOND])


def test_a_failure_is_retried_with_growing_pauses_and_the_reason_is_kept() -> None:
    [message] = tell([T0])
    alone = replace(message, chain=("mail",))
    pauses = []
    for _ in range(9):
        tried = after_failure(alone, "mail server away", alone.not_before)
        pauses.append((tried.not_before - alone.not_before) // SECOND)
        alone = tried
    assert pauses == [1, 5, 15, 60, 120, 300, 600, 600, 600]
    assert (alone.state, alone.error, alone.channel) == ("waiting", "mail server away", "mail")


def test_a_channel_that_keeps_failing_hands_over_to_the_next_and_the_message_says_so() -> None:
    [message] = tell([T0])
    for _ in range(FALL_OVER_AFTER):
        message = after_failure(message, "no answer", T0)
    assert message.channel == "phone"
    assert message.failed == ("mail: no answer",)
    assert message.not_before == T0


def test_a_refusal_for_good_hands_over_at_once() -> None:
    [message] = tell([T0])
    assert after_failure(message, "550 no such user", T0, permanent=True).channel == "phone"


def test_when_all_channels_failed_the_first_is_tried_again_but_not_in_a_hurry() -> None:
    [message] = tell([T0])
    second = after_failure(message, "550", T0, permanent=True)
    again = after_failure(second, "410 gone", T0, permanent=True)
    assert again.channel == "mail"
    assert again.not_before > T0
    assert again.failed == ("mail: 550", "phone: 410 gone")


def test_a_message_is_given_up_only_after_a_week_and_never_vanishes() -> None:
    [message] = tell([T0])
    late = after_failure(message, "still away", T0 + GIVE_UP_S * SECOND)
    assert (late.state, late.error) == ("given_up", "still away")


def test_the_same_again_on_the_same_host_is_no_news_for_half_a_day_but_for_a_run_outside_working_hours() -> None:
    first = ran(1)
    soon, late = replace(first, at=T0 + 60 * MINUTE), replace(first, at=T0 + 13 * 60 * MINUTE)
    assert is_repeat(soon, first, phase_changed=False)
    assert not is_repeat(soon, first, phase_changed=True)
    assert not is_repeat(late, first, phase_changed=False)
    assert not is_repeat(first, None, phase_changed=False)

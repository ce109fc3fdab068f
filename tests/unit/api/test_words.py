"""Sentences for people: an order that is not confirmed is never worded as done."""

import unicodedata
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import words
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    Access,
    EventKind,
    HostId,
    HostState,
    Mac,
    Order,
    OrderState,
    Posture,
    Reason,
)

WHY = Reason("6", "because")
STATE = HostState(DEFAULT_TENANT, HostId("h"), Posture.POTENTIAL_PROBLEM, WHY, Access.REMEDIATION, WHY, 7, 0)
ORDER = Order(
    DEFAULT_TENANT, "o", HostId("h"), Mac("02:00:00:00:00:01"), Access.REMEDIATION, 7, OrderState.CONFIRMED, 0, 0
)


def test_every_state_of_an_order_and_every_kind_of_event_has_words() -> None:
    assert set(words.ORDER) == set(OrderState)
    assert set(words.EVENT) == set(EventKind)


@pytest.mark.parametrize("state", OrderState)
def test_only_a_confirmed_order_is_worded_as_done(state: OrderState) -> None:
    said, tone = words.done(STATE, [replace(ORDER, state=state)])
    assert said.startswith("moved to") is (state is OrderState.CONFIRMED)
    assert (tone == "good") is (state is OrderState.CONFIRMED)


@pytest.mark.parametrize(
    "state", [s for s in OrderState if s not in (OrderState.CONFIRMED, OrderState.SUPERSEDED, OrderState.ENDED)]
)
def test_a_host_with_two_cards_is_moved_only_when_both_are(state: OrderState) -> None:
    said, _ = words.done(STATE, [ORDER, replace(ORDER, id="o2", state=state)])
    assert not said.startswith("moved")


def test_an_order_of_an_older_generation_says_nothing() -> None:
    assert words.done(STATE, [replace(ORDER, generation=6)])[0] == "remediation: no order to the network yet"


def test_a_host_that_was_never_moved_stays_and_one_that_came_back_is_back() -> None:
    production = replace(STATE, access=Access.PRODUCTION)
    assert words.done(production, [])[0] == "stays in production"
    assert words.done(production, [replace(ORDER, access=Access.PRODUCTION)])[0] == "back in production, confirmed"
    assert words.done(None, []) == ("nothing decided yet", "quiet")


@given(st.text(max_size=200))
def test_visible_text_has_no_character_that_moves_hides_or_breaks_a_line(text: str) -> None:
    shown = words.visible(text)
    assert all(c.isprintable() or unicodedata.category(c) == "Zs" for c in shown)
    assert not set(shown) & set("\r\n\x00\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200b\u2028\u2029")
    assert words.visible(shown) == shown


def test_times_are_in_the_sites_zone_on_both_sides_of_daylight_saving() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = 1_792_887_600 * SECOND  # 2026-10-25 00:20 UTC, summer time still
    assert words.moment(before, berlin).endswith("CEST")
    assert words.moment(before + 7200 * SECOND, berlin).endswith("CET")
    assert words.iso(before).endswith("Z")


def test_the_last_part_of_a_path_of_either_kind_of_system() -> None:
    assert words.base_name(r"C:\Users\anna\x.exe") == "x.exe"
    assert words.base_name("/usr/bin/x") == "x"
    assert words.base_name("") == ""

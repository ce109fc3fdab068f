"""Retransmissions get the same octets; a new generation is never hidden by them."""

from radius_policy.model import SECOND
from radius_policy.radius.duplicates import LIFE_US, Duplicates, Standing

KEY = ("default", "10.0.0.1", 1645, 7)
WHO = (1, "02:00:00:00:00:10")
FIRST, OTHER = b"a" * 16, b"b" * 16


def test_the_same_request_gets_the_same_octets() -> None:
    cache = Duplicates()
    assert cache.look(KEY, FIRST, 0) is Standing.NEW
    cache.keep(KEY, FIRST, b"answer", WHO, 0)
    assert cache.look(KEY, FIRST, SECOND) == b"answer"


def test_another_authenticator_is_a_new_request_and_takes_the_place() -> None:
    cache = Duplicates()
    cache.keep(KEY, FIRST, b"answer", WHO, 0)
    assert cache.look(KEY, OTHER, 1) is Standing.NEW
    cache.keep(KEY, OTHER, b"second", WHO, 1)
    assert cache.look(KEY, FIRST, 2) is Standing.NEW
    assert cache.look(KEY, OTHER, 2) == b"second"


def test_listener_and_source_are_part_of_what_a_request_is() -> None:
    cache = Duplicates()
    cache.keep(KEY, FIRST, b"answer", WHO, 0)
    assert cache.look(("second", *KEY[1:]), FIRST, 1) is Standing.NEW
    assert cache.look((*KEY[:2], 9, 7), FIRST, 1) is Standing.NEW


def test_while_the_first_is_in_work_its_repetitions_wait() -> None:
    cache = Duplicates()
    cache.keep(KEY, FIRST, None, None, 0)
    assert cache.look(KEY, FIRST, 1) is Standing.IN_WORK
    cache.forget(KEY, OTHER)
    assert cache.look(KEY, FIRST, 1) is Standing.IN_WORK
    cache.forget(KEY, FIRST)
    assert cache.look(KEY, FIRST, 2) is Standing.NEW


def test_after_its_life_it_is_new() -> None:
    cache = Duplicates()
    cache.keep(KEY, FIRST, b"answer", WHO, 0)
    assert cache.look(KEY, FIRST, LIFE_US) is Standing.NEW


def test_a_new_generation_forgets_all_answers_of_that_mac_and_of_no_other() -> None:
    cache = Duplicates()
    other = (*KEY[:3], 8)
    second = (*KEY[:3], 9)
    cache.keep(KEY, FIRST, b"one", WHO, 0)
    cache.keep(second, FIRST, b"two", WHO, 0)
    cache.keep(other, FIRST, b"other's", (2, WHO[1]), 0)
    assert cache.forget_mac(*WHO) == 2
    assert cache.look(KEY, FIRST, 1) is Standing.NEW
    assert cache.look(second, FIRST, 1) is Standing.NEW
    assert cache.look(other, FIRST, 1) == b"other's"
    assert cache.forget_mac(*WHO) == 0


def test_the_index_by_mac_follows_what_expires_and_what_is_pushed_out() -> None:
    cache = Duplicates(most=4)
    for place in range(10):
        cache.keep((*KEY[:3], place), FIRST, b"x", (1, f"mac{place}"), place)
    assert len(cache) == 4
    assert len(cache._entries.by_mac) == 4
    cache.keep(KEY, FIRST, b"y", None, LIFE_US + 100)
    assert len(cache) == 1
    assert cache._entries.by_mac == {}
    assert cache.forget_mac(1, "mac9") == 0

"""Guessing is slowed, persons are not locked out."""

from api.auth.throttle import CAPACITY, PER_ADDRESS, PER_NAME, PER_PAIR, WINDOW, Throttle
from radius_policy.model import SECOND

NOW = 10 * WINDOW


def test_after_some_failures_the_pair_waits_until_the_oldest_is_out_of_the_window() -> None:
    throttle = Throttle()
    for n in range(PER_PAIR):
        assert throttle.wait("ann", "a", NOW) == 0
        throttle.failed("ann", "a", NOW + n * SECOND)
    assert throttle.wait("ann", "a", NOW + 4 * SECOND) == WINDOW // SECOND - 4
    assert throttle.wait("ann", "a", NOW + WINDOW) == 0


def test_the_person_still_gets_in_from_another_address() -> None:
    throttle = Throttle()
    for _ in range(PER_PAIR):
        throttle.failed("ann", "attacker", NOW)
    assert throttle.wait("ann", "attacker", NOW) > 0
    assert throttle.wait("ann", "desk", NOW) == 0


def test_one_address_cannot_try_many_names() -> None:
    throttle = Throttle()
    for n in range(PER_ADDRESS):
        throttle.failed(f"user{n}", "attacker", NOW)
    assert throttle.wait("fresh", "attacker", NOW) > 0


def test_many_addresses_cannot_try_one_name_for_ever() -> None:
    throttle = Throttle()
    for n in range(PER_NAME):
        throttle.failed("ann", f"address{n}", NOW)
    assert throttle.wait("ann", "one more", NOW) > 0


def test_a_success_forgets_the_typing_errors_before_it() -> None:
    throttle = Throttle()
    for _ in range(PER_PAIR):
        throttle.failed("ann", "a", NOW)
    throttle.succeeded("ann", "a")
    assert throttle.wait("ann", "a", NOW) == 0


def test_enrolments_from_many_addresses_never_block_one_another() -> None:
    throttle = Throttle()
    for n in range(10 * PER_NAME):
        throttle.failed("", f"address{n}", NOW)
    assert throttle.wait("", "fresh", NOW) == 0


def test_memory_is_bounded() -> None:
    throttle = Throttle()
    for n in range(CAPACITY):
        throttle.failed(f"u{n}", f"a{n}", NOW)
    assert len(throttle._failures) == CAPACITY

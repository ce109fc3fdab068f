"""Which refusals become events."""

from api.ingest.refusals import CAPACITY, MOST, QUIET, Refusals

NOW = 10 * QUIET


def test_the_first_refusal_is_told_and_repeats_are_counted_for_the_next() -> None:
    refusals = Refusals()
    assert [refusals.note("h", "bad-signature", NOW + n) for n in range(3)] == [1, None, None]
    assert refusals.note("h", "bad-signature", NOW + QUIET) == 3


def test_another_reason_or_host_is_told_by_itself() -> None:
    refusals = Refusals()
    assert refusals.note("h", "bad-signature", NOW) == 1
    assert refusals.note("h", "clock-skew", NOW) == 1
    assert refusals.note("g", "bad-signature", NOW) == 1


def test_invented_hosts_cannot_flood() -> None:
    refusals = Refusals()
    told = [refusals.note(f"h{n}", "unknown-host", NOW + n) for n in range(10 * MOST)]
    assert sum(count is not None for count in told) == MOST


def test_after_the_flood_the_next_window_tells_again() -> None:
    refusals = Refusals()
    for n in range(2 * MOST):
        refusals.note(f"h{n}", "unknown-host", NOW)
    assert refusals.note("h1", "unknown-host", NOW + QUIET) is not None
    assert refusals.note(f"h{2 * MOST - 1}", "unknown-host", NOW + QUIET) == 2


def test_memory_is_bounded() -> None:
    refusals = Refusals()
    for n in range(CAPACITY + 100):
        refusals.note(f"h{n}", "unknown-host", NOW)
    assert len(refusals._seen) == CAPACITY

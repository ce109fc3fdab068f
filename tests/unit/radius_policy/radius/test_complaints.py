"""What is dropped is counted each time and put into words once a minute."""

from radius_policy.radius.complaints import ADVICE, QUIET_US, Complaints
from radius_policy.radius.wire import Fault


def test_each_drop_counts_but_a_flood_fills_no_log() -> None:
    complaints = Complaints()
    said = [complaints.note(Fault.UNKNOWN_CLIENT, "10.0.0.9", "who is that", at) for at in range(1000)]
    assert complaints.counts[Fault.UNKNOWN_CLIENT] == 1000
    assert sum(line is not None for line in said) == 1
    again = complaints.note(Fault.UNKNOWN_CLIENT, "10.0.0.9", "who is that", QUIET_US)
    assert again is not None
    assert "999 more" in again


def test_the_sentence_says_from_whom_what_and_what_to_do() -> None:
    line = Complaints().note(Fault.BAD_MESSAGE_AUTHENTICATOR, "10.0.0.1", "it does not fit", 0)
    assert line is not None
    assert "10.0.0.1" in line
    assert "it does not fit" in line
    assert ADVICE[Fault.BAD_MESSAGE_AUTHENTICATOR] in line


def test_a_malformed_packet_has_advice_too_and_many_sources_are_bounded() -> None:
    complaints = Complaints()
    assert "malformed" in (complaints.note(Fault.ATTRIBUTE_CUT, "a", "text", 0) or "")
    for place in range(10_000):
        complaints.note(Fault.TOO_SHORT, str(place), "text", 1)
    assert len(complaints._last) <= 4096
    assert complaints.counts[Fault.TOO_SHORT] == 10_000

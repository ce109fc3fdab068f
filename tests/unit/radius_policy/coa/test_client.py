"""The CoA client as a dialogue: what it sends, when again, and whom it believes."""

import random
from itertools import pairwise

import pytest

from radius_policy.coa.client import (
    MOST_SENDINGS,
    WINDOW_US,
    Answer,
    CoaClient,
    Datagram,
    GaveUp,
    NoIdentifier,
    Request,
    Unfinished,
)
from radius_policy.model import SECOND
from radius_policy.radius.attributes import write_number
from radius_policy.radius.wire import Code, Fault, Secret, attribute, build_response, parse

SECRET, OTHER = Secret(b"coa-secret"), Secret(b"another")
NAS, LANE = ("10.0.0.1", 3799), 40000
T0 = 1_700_000_000 * SECOND


def client() -> CoaClient:
    made = CoaClient(lambda text: None, random.Random(1))
    made.add_lane(LANE)
    return made


def request(token: str = "o1", destination=NAS, seconds: int = 30) -> Request:
    return Request(token, Code.COA_REQUEST, destination, SECRET, attribute(44, b"0001"), seconds * SECOND)


def reply(sent: Datagram, code: Code = Code.COA_ACK, body: bytes = b"", secret: Secret = SECRET) -> bytes:
    return build_response(code, parse(sent.octets), secret, body)


def test_an_acknowledgement_ends_the_wait() -> None:
    coa = client()
    sent = coa.send(request(), T0)
    assert coa.receive(LANE, NAS, reply(sent), T0 + 1) == Answer("o1", sent.identifier, True, None, False)
    assert len(coa) == 0
    assert list(coa.expire(T0 + 60 * SECOND)) == []


def test_a_refusal_carries_its_cause() -> None:
    coa = client()
    sent = coa.send(request(), T0)
    body = attribute(101, write_number(503))
    assert coa.receive(LANE, NAS, reply(sent, Code.COA_NAK, body), T0) == Answer(
        "o1", sent.identifier, False, 503, False
    )
    assert coa.counts["naked_503"] == 1


def test_retransmissions_are_byte_identical_and_back_off() -> None:
    coa = client()
    sent = coa.send(request(seconds=60), T0)
    times, now = [], T0
    while (at := coa.next_at()) is not None and at < T0 + 60 * SECOND:
        now = at
        for due in coa.expire(now):
            assert due == sent
            times.append((now - T0) / SECOND)
    assert len(times) == MOST_SENDINGS - 1
    gaps = [b - a for a, b in pairwise([0.0, *times])]
    assert 1.8 <= gaps[0] <= 2.2
    assert all(1.6 * a <= b <= 2.5 * a for a, b in pairwise(gaps[:3]))
    assert max(gaps) <= 17.6
    assert list(coa.expire(T0 + 60 * SECOND)) == [GaveUp("o1")]
    assert coa.receive(LANE, NAS, reply(sent), T0 + 61 * SECOND) is None


def test_an_answer_after_a_retransmission_says_so() -> None:
    coa = client()
    sent = coa.send(request(), T0)
    assert len(list(coa.expire(T0 + 3 * SECOND))) == 1
    answer = coa.receive(LANE, NAS, reply(sent, Code.COA_NAK, attribute(101, write_number(503))), T0 + 3 * SECOND)
    assert answer == Answer("o1", sent.identifier, False, 503, True)


@pytest.mark.parametrize(
    ("lane", "source", "change", "fault"),
    [
        (LANE + 1, NAS, None, Fault.NOT_ASKED),
        (LANE, ("10.0.0.2", 3799), None, Fault.NOT_ASKED),
        (LANE, ("10.0.0.1", 3800), None, Fault.NOT_ASKED),
        (LANE, NAS, lambda sent: reply(sent, secret=OTHER), Fault.BAD_RESPONSE_AUTHENTICATOR),
        (LANE, NAS, lambda sent: reply(sent, Code.DISCONNECT_ACK), Fault.UNEXPECTED_CODE),
        (LANE, NAS, lambda sent: b"rubbish", Fault.TOO_SHORT),
        (
            LANE,
            NAS,
            lambda sent: reply(sent, body=attribute(55, write_number(T0 // SECOND - 301))),
            Fault.STALE_TIMESTAMP,
        ),
    ],
)
def test_a_wrong_answer_is_dropped_and_counted_and_the_right_one_still_counts(lane, source, change, fault) -> None:
    coa = client()
    sent = coa.send(request(), T0)
    octets = change(sent) if change else reply(sent)
    assert coa.receive(lane, source, octets, T0) is None
    assert coa.complaints.counts[fault] == 1
    assert coa.receive(LANE, NAS, reply(sent), T0) == Answer("o1", sent.identifier, True, None, False)


def test_a_fresh_timestamp_and_a_protocol_error_are_taken() -> None:
    coa = client()
    sent = coa.send(request(), T0)
    body = attribute(55, write_number(T0 // SECOND + 299))
    assert coa.receive(LANE, NAS, reply(sent, body=body), T0).ack
    sent = coa.send(request("o2"), T0)
    assert coa.receive(LANE, NAS, reply(sent, Code.PROTOCOL_ERROR), T0) == Answer(
        "o2", sent.identifier, False, None, False
    )


def test_stopped_requests_are_not_repeated_and_a_late_answer_is_no_complaint() -> None:
    coa = client()
    sent = coa.send(request(), T0)
    assert coa.waits("o1")
    assert coa.stop("o1")
    assert not coa.stop("o1")
    assert not coa.waits("o1")
    assert list(coa.expire(T0 + 5 * SECOND)) == []
    assert coa.receive(LANE, NAS, reply(sent), T0 + 5 * SECOND) == Answer("o1", sent.identifier, True, None, False)
    assert not coa.complaints.counts


def test_a_stopped_request_that_is_never_answered_is_not_given_up_but_forgotten() -> None:
    coa = client()
    coa.send(request(), T0)
    coa.stop("o1")
    while (at := coa.next_at()) is not None:
        assert list(coa.expire(at)) == []
    assert len(coa) == 0


def test_a_pause_stops_the_repetition_but_not_the_wait() -> None:
    coa = client()
    sent = coa.send(request(), T0)
    assert list(coa.expire(T0 + 3 * SECOND, lambda token: False)) == []
    assert coa.receive(LANE, NAS, reply(sent), T0 + 4 * SECOND) == Answer("o1", sent.identifier, True, None, False)


def test_identifiers_rest_before_they_are_used_again() -> None:
    coa = client()
    used = []
    for n in range(256):
        sent = coa.send(request(f"o{n}"), T0)
        used.append(sent.identifier)
        coa.receive(LANE, NAS, reply(sent), T0)
    assert sorted(used) == list(range(256))
    with pytest.raises(NoIdentifier, match=r"10\.0\.0\.1"):
        coa.send(request("more"), T0 + WINDOW_US)
    assert coa.send(request("elsewhere", ("10.0.0.2", 3799)), T0).lane == LANE, "another NAS has its own"
    coa.add_lane(LANE + 1)
    assert coa.send(request("more"), T0).lane == LANE + 1
    rested = coa.send(request("later"), T0 + 30 * SECOND + WINDOW_US)
    assert (rested.lane, rested.identifier) == (LANE, used[0]), "the one that rested longest"


def test_a_request_of_before_a_restart_goes_on_as_it_was() -> None:
    sent = client().send(request(), T0)
    coa = client()
    coa.resume(Unfinished("o1", LANE, NAS, SECRET, sent.octets, 10 * SECOND), T0 + 5 * SECOND)
    assert list(coa.expire(T0 + 8 * SECOND)) == [sent]
    for n in range(255):
        assert coa.send(request(f"x{n}"), T0).identifier != sent.identifier
    assert coa.receive(LANE, NAS, reply(sent), T0 + 9 * SECOND) == Answer("o1", sent.identifier, True, None, True)


def test_the_same_token_may_be_sent_again_while_its_first_request_is_still_remembered() -> None:
    coa = client()
    first = coa.send(request(), T0)
    coa.stop("o1")
    second = coa.send(request(), T0 + 1)
    assert first.identifier != second.identifier
    assert coa.waits("o1")
    assert coa.receive(LANE, NAS, reply(first), T0 + 2).ack
    assert coa.waits("o1")
    assert coa.receive(LANE, NAS, reply(second), T0 + 2).ack
    assert not coa.waits("o1")

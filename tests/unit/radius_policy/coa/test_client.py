"""The CoA client as a dialogue: what it sends, when again, and whom it believes."""

import random
from dataclasses import replace
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
    after,
)
from radius_policy.model import SECOND
from radius_policy.radius.attributes import Attribute, write_number
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


@pytest.mark.parametrize(
    ("previous", "rand", "wait"),
    [(2.0, 0.0, 4.0), (2.0, 0.1, 4.2), (2.0, -0.1, 3.8), (8.0, 0.0, 16.0), (8.0, 0.1, 17.6), (16.0, -0.1, 14.4)],
)
def test_the_time_to_the_next_sending_is_the_one_of_rfc_5080(previous: float, rand: float, wait: float) -> None:
    assert after(previous * SECOND, rand) == pytest.approx(wait * SECOND)


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
    body = attribute(55, write_number(T0 // SECOND + 300))
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


def test_a_request_carries_its_attributes_and_is_signed_unless_the_nas_cannot_bear_it() -> None:
    coa = client()
    signed = parse(coa.send(request(), T0).octets)
    plain = parse(coa.send(replace(request("o2"), message_authenticator=False), T0).octets)
    for packet in (signed, plain):
        assert (packet.code, packet.first(44)) == (Code.COA_REQUEST, b"0001")
    assert signed.first(Attribute.MESSAGE_AUTHENTICATOR) is not None
    assert plain.first(Attribute.MESSAGE_AUTHENTICATOR) is None


def test_every_deed_is_counted_by_its_name() -> None:
    coa = client()
    for token in ("a", "b"):
        coa.receive(LANE, NAS, reply(coa.send(request(token), T0)), T0)
    for token, body in {"c": attribute(101, write_number(503)), "d": b"", "e": b""}.items():
        coa.receive(LANE, NAS, reply(coa.send(request(token), T0), Code.COA_NAK, body), T0)
    for token in ("f", "g"):
        coa.send(request(token, seconds=3), T0)
        octets = client().send(request(token), T0).octets
        coa.resume(Unfinished(f"{token}, resumed", LANE + ord(token), NAS, SECRET, octets, 3 * SECOND), T0)
    assert len(list(coa.expire(T0 + 2_500_000))) == 4
    assert len(list(coa.expire(T0 + 3 * SECOND))) == 4
    assert coa.counts == {
        "sent": 7,
        "acked": 2,
        "naked_503": 1,
        "naked_without_cause": 2,
        "resumed": 2,
        "repeated": 4,
        "given_up": 4,
    }


def test_what_ends_at_the_same_moment_is_told_in_the_order_it_began() -> None:
    coa = client()
    tokens = [f"o{n}" for n in range(9)]
    for place, token in enumerate(tokens):
        coa.send(request(token, (f"10.0.0.{9 - place}", 3799), seconds=1), T0)
    assert coa.next_at() == T0 + SECOND
    assert list(coa.expire(T0 + SECOND - 1)) == []
    assert list(coa.expire(T0 + SECOND)) == [GaveUp(token) for token in tokens]
    assert coa.next_at() is None


def test_neither_an_answered_nor_an_ended_request_holds_up_those_that_are_due_after_it() -> None:
    coa = client()
    coa.receive(LANE, NAS, reply(coa.send(request("answered", seconds=1), T0)), T0)
    coa.send(request("lost", seconds=1), T0)
    sent = coa.send(request("waits"), T0)
    assert list(coa.expire(T0 + 3 * SECOND)) == [GaveUp("lost"), sent]


def test_the_sixth_sending_is_the_last_however_long_it_may_live() -> None:
    coa = client()
    coa.send(request(seconds=300), T0)
    coa.resume(Unfinished("resumed", LANE + 1, NAS, SECRET, client().send(request(), T0).octets, 300 * SECOND), T0)
    repeated = []
    while (at := coa.next_at()) is not None and at < T0 + 300 * SECOND:
        repeated += [due.lane for due in coa.expire(at)]
    assert sorted(repeated) == [LANE] * 5 + [LANE + 1] * 4, "the resumed one was sent once and repeated at once before"


def test_who_may_be_repeated_is_asked_by_token() -> None:
    coa = client()
    coa.send(request("paused"), T0)
    sent = coa.send(request("goes on"), T0)
    assert list(coa.expire(T0 + 3 * SECOND, lambda token: token != "paused")) == [sent]


def test_a_token_whose_request_ended_is_not_mistaken_for_the_one_that_has_its_identifier_now() -> None:
    coa = client()
    coa.receive(LANE, NAS, reply(coa.send(request("ended"), T0)), T0)
    for n in range(256):
        coa.send(request(f"o{n}"), T0 + 600 * SECOND)
    assert not coa.waits("ended")
    assert not coa.stop("ended")


def test_its_chances_are_those_of_the_generator_it_was_given() -> None:
    first, second = (client().send(request(), T0) for _ in range(2))
    assert first == second
    unlike = CoaClient(lambda text: None)
    unlike.add_lane(LANE)
    assert 0 <= unlike.send(request(), T0).identifier <= 255


def test_the_log_says_who_sent_what_was_dropped_and_why_once_a_minute() -> None:
    said: list[str] = []
    coa = CoaClient(said.append, random.Random(1))
    coa.add_lane(LANE)
    sent = coa.send(request(), T0)
    late = attribute(55, write_number(T0 // SECOND - 301))
    for octets in (reply(sent, Code.DISCONNECT_ACK), reply(sent, body=late), reply(sent)[:1], reply(sent)[:1]):
        coa.receive(LANE, NAS, octets, T0)
    coa.receive(LANE, ("10.0.0.2", 1700), reply(sent), T0)
    assert [line.partition(". ")[0] for line in said] == [
        "dropped a packet from 10.0.0.1:3799 (answer to CoA): code 41 answers no request of code 43",
        "dropped a packet from 10.0.0.1:3799 (answer to CoA): the answer's Event-Timestamp is more than 300 s off "
        "(RFC 5176 6.3)",
        "dropped a packet from 10.0.0.1:3799 (answer to CoA): 1 octets are less than the header's 20",
        "dropped a packet from 10.0.0.2:1700 (answer to CoA): nobody waits for an answer with this identifier",
    ]
    coa.receive(LANE, NAS, reply(sent)[:1], T0 + 60 * SECOND)
    assert "(1 more since the last such line)" in said[-1]


def test_requests_of_one_moment_are_not_repeated_in_step() -> None:
    coa = client()
    for n in range(40):
        coa.send(request(f"o{n}", seconds=60), T0)
    due: dict[int, list[float]] = {}
    while (at := coa.next_at()) is not None and at < T0 + 8 * SECOND:
        for repeated in coa.expire(at):
            assert isinstance(repeated, Datagram)
            due.setdefault(repeated.identifier, []).append((at - T0) / SECOND)
    first = [times[0] for times in due.values()]
    assert 1.8 <= min(first) < 1.9 < 2.1 < max(first) <= 2.2
    grown = [(times[1] - times[0]) / times[0] for times in due.values()]
    assert 1.9 <= min(grown) < 1.95 < 2.05 < max(grown) <= 2.1

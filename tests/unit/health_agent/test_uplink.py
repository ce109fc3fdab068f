"""One message and its answer, over real TLS."""

import dataclasses
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from health_agent import uplink as module
from health_agent.contract import Answer, Heartbeat, Operation, Report, Sensor
from health_agent.identity import Identity
from health_agent.uplink import ClockSkew, NotReady, Refused, Unreachable, Uplink, failure, problem_of
from tests.unit.health_agent.fake_service import FakeService, Refusal
from tests.unit.health_agent.makers import execution


def report(endpoint: Identity, number: int = 1) -> Report:
    return Report(
        host_id=endpoint.host_id,
        id=f"message-{number}",
        clock_us=time.time_ns() // 1000,
        executions=(execution(number),),
    )


@pytest.fixture
def link(endpoint: Identity) -> Iterator[Uplink]:
    made = Uplink(endpoint)
    yield made
    made.close()


class Scripted:
    """A line on which one thing is answered."""

    def __init__(self, reply: tuple[int, bytes] | Exception) -> None:
        self.reply = reply

    def post(self, path: str, headers: Iterable[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply

    def cut(self) -> None:
        raise AssertionError("nobody asked for it")

    def close(self) -> None:
        raise AssertionError("nobody asked for it")


def scripted(endpoint: Identity, reply: tuple[int, bytes] | Exception) -> Uplink:
    return Uplink(endpoint, Scripted(reply))


def test_a_report_is_signed_recorded_and_answered(service: FakeService, endpoint: Identity, link: Uplink) -> None:
    answer = link.send(report(endpoint))
    assert answer.id == "message-1"
    assert answer.verdicts[0].sha256 == execution(1).sha256
    assert list(service.executions) == ["execution-0001"]


def test_each_kind_of_message_has_its_own_path(service: FakeService, endpoint: Identity, link: Uplink) -> None:
    beat = Heartbeat(
        host_id=endpoint.host_id, id="message-2", clock_us=time.time_ns() // 1000,
        agent_version="0.1", sensor=Sensor.POLLING, operation=Operation.NOTIFY,
    )  # fmt: skip
    link.send(beat)
    assert service.heartbeats == [beat]


def test_one_connection_carries_many_messages(service: FakeService, endpoint: Identity, link: Uplink) -> None:
    before = service.connections
    for number in range(1, 6):
        link.send(report(endpoint, number))
    assert service.connections == before + 1


def test_a_message_that_is_not_safely_on_disk_is_not_sent(
    service: FakeService, endpoint: Identity, link: Uplink
) -> None:
    with pytest.raises(NotReady):
        link.send(report(endpoint), ready=lambda: False)
    assert not service.executions


def test_a_clock_that_is_off_gets_the_services_time(service: FakeService, endpoint: Identity, link: Uplink) -> None:
    service.clock = lambda: 12345
    with pytest.raises(ClockSkew) as raised:
        link.send(report(endpoint))
    assert raised.value.service_us == 12345


@pytest.mark.parametrize(
    ("status", "name"), [(401, "unknown-host"), (403, "other-endpoint"), (410, "gone"), (400, "malformed")]
)
def test_a_refusal_carries_status_and_reason(
    service: FakeService, endpoint: Identity, link: Uplink, status: int, name: str
) -> None:
    service.refuse = lambda path, message: Refusal(status, name)
    with pytest.raises(Refused, match=f"HTTP {status}.*test: {name}") as raised:
        link.send(report(endpoint))
    assert (raised.value.status, raised.value.problem) == (status, name)


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_a_service_in_trouble_may_be_asked_again(
    service: FakeService, endpoint: Identity, link: Uplink, status: int
) -> None:
    service.refuse = lambda path, message: Refusal(status, "internal")
    with pytest.raises(Unreachable, match=f"in trouble .HTTP {status}"):
        link.send(report(endpoint))
    service.refuse = lambda path, message: None
    assert link.send(report(endpoint)).id == "message-1"


def test_a_signature_by_another_key_is_refused(service: FakeService, endpoint: Identity) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    thief = Uplink(dataclasses.replace(endpoint, key=Ed25519PrivateKey.generate()))
    with pytest.raises(Refused, match="bad-signature"):
        thief.send(report(endpoint))
    thief.close()
    assert not service.executions


def test_a_service_with_another_certificate_gets_nothing(
    service: FakeService, endpoint: Identity, tmp_path: Path
) -> None:
    stranger = FakeService(tmp_path / "stranger")
    moved = dataclasses.replace(endpoint, endpoint=msgspec.structs.replace(endpoint.endpoint, url=stranger.url))
    link = Uplink(moved)
    with pytest.raises(Unreachable, match="is not the one this endpoint was enrolled with"):
        link.send(report(endpoint))
    link.close()
    stranger.close()
    assert not stranger.messages


def test_a_certificate_that_only_our_clock_refuses_sends_nobody_to_enrol_anew() -> None:
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused.verify_code, refused.verify_message = 9, "certificate is not yet valid"
    said = failure(ConnectionError("tls"), "nac")
    assert "cannot be reached" in said
    error = ConnectionError("tls")
    error.__cause__ = refused
    said = failure(error, "nac")
    assert "not valid by this machine's clock, which says 20" in said
    assert "set the clock right" in said
    assert "enrol" not in said


def test_nobody_there_is_a_sentence(service: FakeService, endpoint: Identity, link: Uplink) -> None:
    service.close()
    with pytest.raises(Unreachable, match=r"the policy service at 127.0.0.1:\d+ cannot be reached"):
        link.send(report(endpoint))


def test_an_answer_to_another_message_acknowledges_nothing(endpoint: Identity) -> None:
    link = scripted(endpoint, (200, msgspec.json.encode(Answer(id="message-9", service_us=1))))
    with pytest.raises(Unreachable, match="another message"):
        link.send(report(endpoint))


@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b'{"id": 7}'])
def test_an_answer_that_is_none_acknowledges_nothing(endpoint: Identity, content: bytes) -> None:
    with pytest.raises(Unreachable, match="not understood"):
        scripted(endpoint, (200, content)).send(report(endpoint))


def test_a_conflict_that_is_no_clock_skew_is_a_refusal(endpoint: Identity) -> None:
    with pytest.raises(Refused, match="no reason given"):
        scripted(endpoint, (409, b"?")).send(report(endpoint))


def test_silence_is_a_sentence(endpoint: Identity) -> None:
    with pytest.raises(Unreachable, match="does not answer in time"):
        scripted(endpoint, TimeoutError("The read operation timed out")).send(report(endpoint))


def test_a_reset_ends_a_request_that_is_waiting_and_the_next_one_connects_anew(
    service: FakeService, endpoint: Identity, link: Uplink
) -> None:
    waiting, release = threading.Event(), threading.Event()

    def hang(path: str, message: object) -> None:
        waiting.set()
        release.wait(10)

    service.refuse = hang
    outcome: list[Exception] = []

    def send() -> None:
        try:
            link.send(report(endpoint))
        except Unreachable as error:
            outcome.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    assert waiting.wait(5)
    started = time.monotonic()
    link.reset()
    thread.join(5)
    assert time.monotonic() - started < 1, "long before the read timeout"
    assert len(outcome) == 1
    release.set()
    service.refuse = lambda path, message: None
    assert link.send(report(endpoint, 2)).id == "message-2"


def test_a_reset_without_a_connection_does_no_harm(endpoint: Identity, link: Uplink) -> None:
    link.reset()
    assert link.send(report(endpoint)).id == "message-1"
    link.reset()
    link.reset()
    assert link.send(report(endpoint, 2)).id == "message-2"


def test_problems_are_read_as_far_as_they_are_problems() -> None:
    problem = problem_of(b'{"type": "urn:pratique:problem:token-used", "title": "T", "service_us": 5, "more": []}')
    assert (problem.name, problem.text, problem.service_us) == ("token-used", "T", 5)
    assert problem_of(b"<html>").name == ""


def test_every_kind_of_message_is_known() -> None:
    assert set(module.PATHS.values()) == {"/v1/sightings", "/v1/heartbeat", "/v1/inventory"}

"""The CoA client's sockets, against a mute and a talking peer on loopback."""

import asyncio
import random
import socket
import time
from collections.abc import Iterator

import pytest

from radius_policy.coa.client import Answer, CoaClient, GaveUp, Request, Unfinished
from radius_policy.coa.shell import CoaShell
from radius_policy.radius.wire import Code, Secret, build_response, parse

SECRET = Secret(b"coa-secret")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        yield made


class Desk:
    """Where answers go."""

    def __init__(self, source: str = "127.0.0.1") -> None:
        self.got: list[Answer | GaveUp] = []
        self.said: list[str] = []
        self.client = CoaClient(self.said.append, random.Random(1))
        self.shell = CoaShell(
            self.client,
            source,
            clock=lambda: time.time_ns() // 1000,
            on_answer=self.got.append,
            on_gave_up=self.got.append,
            may_repeat=lambda token: True,
            log=self.said.append,
        )


def request(token: str, peer: socket.socket, seconds: float = 5) -> Request:
    return Request(token, Code.COA_REQUEST, peer.getsockname(), SECRET, b"", round(seconds * 1_000_000))


@pytest.mark.anyio
async def test_an_answer_comes_back_to_who_asked(peer) -> None:
    desk = Desk()
    desk.shell.open_lane()
    desk.shell.send(request("o1", peer))
    octets, source = await asyncio.get_running_loop().sock_recvfrom(peer, 4096)
    peer.sendto(b"garbage", source)
    peer.sendto(build_response(Code.COA_ACK, parse(octets), SECRET), source)
    await asyncio.sleep(0.05)
    assert desk.got == [Answer("o1", octets[1], True, None, False)]
    assert "too_short" in desk.client.complaints.counts
    assert len(desk.said) == 1
    desk.shell.close()


@pytest.mark.anyio
async def test_silence_is_given_up_in_time(peer) -> None:
    desk = Desk()
    desk.shell.open_lane()
    desk.shell.send(request("o1", peer, 0.1))
    await asyncio.sleep(0.25)
    assert desk.got == [GaveUp("o1")]
    desk.shell.close()


@pytest.mark.anyio
async def test_another_source_port_is_opened_when_identifiers_run_out(peer) -> None:
    desk = Desk()
    first = desk.shell.open_lane()
    lanes = [desk.shell.send(request(str(n), peer)).lane for n in range(257)]
    assert lanes[:256] == [first] * 256
    assert lanes[256] != first
    desk.shell.close()


@pytest.mark.anyio
async def test_a_request_goes_on_from_its_old_source_port_or_says_that_it_cannot(peer) -> None:
    before = Desk()
    lane = before.shell.open_lane()
    sent = before.shell.send(request("o1", peer))
    unfinished = Unfinished("o1", lane, peer.getsockname(), SECRET, sent.octets, 5_000_000)
    after = Desk()
    assert not after.shell.resume(unfinished), "the port is still taken"
    assert str(lane) in after.said[0]
    before.shell.close()
    assert after.shell.resume(unfinished)
    peer.sendto(build_response(Code.COA_ACK, parse(sent.octets), SECRET), ("127.0.0.1", lane))
    await asyncio.sleep(0.05)
    assert after.got == [Answer("o1", sent.identifier, True, None, True)]
    after.shell.close()


@pytest.mark.anyio
async def test_an_address_that_cannot_be_sent_to_is_counted_and_told() -> None:
    desk = Desk()
    desk.shell.open_lane()
    odd = Request("o1", Code.COA_REQUEST, ("255.255.255.255", 3799), SECRET, b"", 5_000_000)
    assert desk.shell.send(odd) is not None, "a retransmission may yet succeed"
    assert desk.client.counts["send_errors"] == 1
    assert "could not be sent" in desk.said[0]
    desk.shell.close()


@pytest.mark.anyio
async def test_where_no_source_port_can_be_had_nothing_is_sent(peer) -> None:
    desk = Desk("192.0.2.1")
    assert desk.shell.send(request("o1", peer)) is None
    assert desk.client.counts["no_lane"] == 1
    assert "192.0.2.1" in desk.said[0]

"""The datagram check under arbitrary octets and mutated real datagrams: WireError or a packet, never anything else."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radius_policy.coa.client import CoaClient, Request
from radius_policy.model import Access, HostId, Mac, MacAccess, Nas, TenantId
from radius_policy.radius.attributes import parse_mac, read_vlan
from radius_policy.radius.dictionary import show
from radius_policy.radius.mark import read_mark
from radius_policy.radius.server import Listener, RadiusServer
from radius_policy.radius.snapshot import Delta, Snapshot
from radius_policy.radius.wire import (
    Code,
    Secret,
    WireError,
    attribute,
    build_request,
    build_response,
    join,
    parse,
    verify_request,
    verify_response,
)

SECRET = Secret(b"testing123")
TENANT, MAC = TenantId(1), Mac("02:00:00:00:00:10")
FUZZ = settings(max_examples=300, derandomize=True, deadline=None)
ATTRIBUTES = st.lists(st.tuples(st.integers(1, 255).filter(lambda n: n != 80), st.binary(max_size=40)), max_size=30)


def seeds(shared: Path) -> list[bytes]:
    folder = shared / "data" / "radius"
    return [
        bytes.fromhex(json.loads(line)["hex"])
        for name in ("datagrams.jsonl", "accept.jsonl", "refuse.jsonl")
        for line in (folder / name).read_text("utf-8").splitlines()
    ]


def take(octets: bytes) -> bool:
    """Whether the check takes it; every function that looks at what it took must stand it."""
    try:
        packet = parse(octets)
    except WireError:
        return False
    assert packet.data == octets[: len(packet.data)]
    assert packet.data[:4] + packet.authenticator + join(packet.attributes) == packet.data
    assert parse(packet.data) == packet
    if packet.mark:
        assert packet.data[packet.mark - 2 : packet.mark] == b"\x50\x12"
    show(packet)
    read_vlan(packet.attributes)
    read_mark(b"k" * 32, TENANT, MAC, packet.all(25))
    for _, value in packet.attributes:
        parse_mac(value)
    return True


def served() -> RadiusServer:
    snapshot = Snapshot()
    row = MacAccess(TENANT, MAC, HostId("h"), Access.REMEDIATION, 1)
    nas = Nas(TENANT, "sw", "10.0.0.1", SECRET.octets, require_message_authenticator=False)
    snapshot.apply(Delta(1, {(TENANT, MAC): row}, {(TENANT, "sw"): nas}))
    return RadiusServer(snapshot, b"k" * 32, lambda text: None)


@FUZZ
@given(st.binary(max_size=200))
def test_arbitrary_octets(octets: bytes) -> None:
    take(octets)


@FUZZ
@given(st.integers(0, 255), st.binary(min_size=16, max_size=16), st.binary(max_size=120))
def test_arbitrary_bodies_behind_a_fitting_header(code: int, authenticator: bytes, body: bytes) -> None:
    take(bytes((code, 1)) + (20 + len(body)).to_bytes(2, "big") + authenticator + body)


@FUZZ
@given(ATTRIBUTES, st.sampled_from([4, 40, 43]), st.integers(0, 255), st.booleans())
def test_what_we_build_reads_back_and_proves_itself(attributes, code: int, identifier: int, mark: bool) -> None:
    packet = parse(build_request(code, identifier, SECRET, join(attributes), mark=mark))
    assert [pair for pair in packet.attributes if pair[0] != 80] == attributes
    verify_request(packet, SECRET, require_message_authenticator=False)
    answer = parse(build_response(code + 1, packet, SECRET, join(attributes)))
    assert list(answer.attributes[1:]) == attributes
    verify_response(answer, packet.authenticator, SECRET)


@FUZZ
@given(ATTRIBUTES, st.binary(min_size=16, max_size=16), st.sampled_from([1, 4]))
def test_the_server_answers_or_drops_whatever_comes_with_a_right_secret(attributes, authenticator, code) -> None:
    server = served()
    listener = Listener("default", TENANT)
    try:
        octets = build_request(code, 1, SECRET, join(attributes), authenticator=authenticator if code == 1 else None)
    except ValueError:
        return
    serve = server.authentication if code == 1 else server.accounting
    reply, _ = serve(octets, ("10.0.0.1", 1), listener, 1_000_000)
    if reply is not None:
        verify_response(parse(reply), parse(octets).authenticator, SECRET)


@FUZZ
@given(st.binary(max_size=120))
def test_the_coa_client_drops_whatever_is_no_answer(octets: bytes) -> None:
    coa = CoaClient(lambda text: None, random.Random(1))
    coa.add_lane(1)
    request = Request("o", Code.COA_REQUEST, ("10.0.0.1", 3799), SECRET, attribute(44, b"1"), 30_000_000)
    sent = coa.send(request, 0)
    octets = octets[:1] + bytes((sent.identifier,)) + octets[2:]
    assert coa.receive(1, ("10.0.0.1", 3799), octets, 0) is None
    assert coa.waits("o")


@pytest.mark.shared
def test_mutated_real_datagrams(shared: Path) -> None:
    rng = random.Random(20)
    originals = seeds(shared)
    server, listener = served(), Listener("default", TENANT)
    taken = 0
    for turn in range(6000):
        octets = bytearray(originals[turn % len(originals)])
        for _ in range(rng.randrange(1, 4)):
            kind = rng.randrange(4)
            if kind == 0 and octets:
                octets[rng.randrange(len(octets))] = rng.randrange(256)
            elif kind == 1 and octets:
                del octets[rng.randrange(len(octets)) :]
            elif kind == 2:
                octets += rng.randbytes(rng.randrange(1, 30))
            elif len(octets) > 3:
                octets[2:4] = len(octets).to_bytes(2, "big")
        taken += take(bytes(octets))
        server.authentication(bytes(octets), ("10.0.0.1", 1), listener, turn)
        server.accounting(bytes(octets), ("10.0.0.1", 1), listener, turn)
    assert 500 < taken < 5500, "both ways must have been gone"

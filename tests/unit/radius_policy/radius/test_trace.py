"""A trace says in words what goes over the wire, and whose secret is wrong."""

import struct

import pytest

from radius_policy.radius.trace import Datagram, Trace, udp
from radius_policy.radius.wire import Code, Secret, attribute, build_request, build_response, parse

NAS, US = ("10.0.0.2", 40000), ("10.0.0.1", 1812)
SECRET, COA = Secret(b"the secret of the switch"), Secret(b"the secret of its CoA")
BODY = attribute(1, b"bob") + attribute(31, b"02-00-00-00-00-10")


def trace(secret: Secret = SECRET) -> Trace:
    return Trace({NAS[0]: secret}, {NAS[0]: COA})


def asked(secret: Secret = SECRET) -> bytes:
    return build_request(Code.ACCESS_REQUEST, 7, secret, BODY, authenticator=bytes(16))


def test_a_request_and_its_answer_are_shown_by_name_and_fit() -> None:
    seen, request = trace(), asked()
    first, *attributes = seen.lines(Datagram(NAS, US, request))
    assert first == "10.0.0.2:40000 → 10.0.0.1:1812  Access-Request 7  (fits the secret)"
    assert "    User-Name = bob" in attributes
    answer = build_response(Code.ACCESS_ACCEPT, parse(request), SECRET)
    assert seen.lines(Datagram(US, NAS, answer))[0].endswith("Access-Accept 7  (fits the secret)")


def test_a_wrong_secret_is_said() -> None:
    assert "does NOT fit: the Message-Authenticator" in trace(Secret(b"another")).lines(Datagram(NAS, US, asked()))[0]


def test_a_switch_that_is_not_listed_is_said() -> None:
    seen = Trace({}, {})
    assert "(of no NAS that is listed)" in seen.lines(Datagram(NAS, US, asked()))[0]


def test_what_we_send_has_the_secret_for_coa() -> None:
    seen = trace()
    request = build_request(Code.COA_REQUEST, 9, COA, attribute(44, b"1"))
    das = (NAS[0], 3799)
    assert "CoA-Request 9  (fits the secret)".lower() in seen.lines(Datagram(US, das, request))[0].lower()
    ack = build_response(Code.COA_ACK, parse(request), COA)
    assert "(fits the secret)" in seen.lines(Datagram(das, US, ack))[0]
    forged = build_response(Code.COA_ACK, parse(request), SECRET)
    assert "does NOT fit: the Response Authenticator" in seen.lines(Datagram(das, US, forged))[0]


def test_an_answer_without_its_request_and_a_request_without_signature_prove_nothing() -> None:
    answer = build_response(Code.ACCESS_ACCEPT, parse(asked()), SECRET)
    assert "(its request was not seen)" in trace().lines(Datagram(US, NAS, answer))[0]
    bare = struct.pack("!BBH16s", 1, 3, 20 + len(BODY), bytes(16)) + BODY
    assert "(unsigned: proves nothing)" in trace().lines(Datagram(NAS, US, bare))[0]


def test_what_is_no_radius_is_told_as_that() -> None:
    [line] = trace().lines(Datagram(NAS, US, b"hello"))
    assert "5 octets that are no RADIUS packet" in line


def ipv4(payload: bytes, flags: int = 0, protocol: int = 17) -> bytes:
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 0, 0, flags, 64, protocol, 0, bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1])
    )
    return head + struct.pack("!HHHH", 40000, 1812, 8 + len(payload), 0) + payload + b"padding of the frame"


def test_the_datagram_is_taken_out_of_its_packet_without_the_padding() -> None:
    assert udp(ipv4(b"radius")) == Datagram(NAS, US, b"radius")
    v6 = struct.pack("!IHBB16s16s", 6 << 28, 14, 17, 64, bytes(15) + b"\x01", bytes(15) + b"\x02")
    found = udp(v6 + struct.pack("!HHHH", 1, 2, 14, 0) + b"radius")
    assert found == Datagram(("::1", 1), ("::2", 2), b"radius")


@pytest.mark.parametrize(
    "packet", [b"", b"\x45", ipv4(b"x", flags=0x2000), ipv4(b"x", protocol=6), ipv4(b"")[:24], b"\x60" + bytes(45)]
)
def test_what_holds_no_datagram_is_passed_over(packet: bytes) -> None:
    assert udp(packet) is None


def test_only_so_many_requests_are_remembered() -> None:
    seen = trace()
    for number in range(1200):
        seen.lines(Datagram((NAS[0], number), US, asked()))
    assert len(seen._asked) == 1000

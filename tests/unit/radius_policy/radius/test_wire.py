"""The datagram check and the authenticators: by hand, and against the real datagrams of the evaluation data."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest

from radius_policy.radius.wire import (
    Code,
    Fault,
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
RANDOM = bytes(range(16))


def datagram(body: bytes = b"", code: int = 4, length: int | None = None) -> bytes:
    size = 20 + len(body) if length is None else length
    return bytes((code, 7)) + size.to_bytes(2, "big") + bytes(16) + body


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"\x01" * 19, Fault.TOO_SHORT),
        (datagram(length=19), Fault.BAD_LENGTH),
        (datagram(length=4097) + bytes(4077), Fault.BAD_LENGTH),
        (datagram(length=21), Fault.CUT_OFF),
        (datagram(code=6), Fault.UNKNOWN_CODE),
        (datagram(b"\x01"), Fault.ATTRIBUTE_CUT),
        (datagram(b"\x00\x02"), Fault.ATTRIBUTE_TYPE_ZERO),
        (datagram(b"\x01\x01"), Fault.ATTRIBUTE_LENGTH),
        (datagram(b"\x01\x04a"), Fault.ATTRIBUTE_OVERRUN),
        (datagram(b"\x01\x02" * 201), Fault.TOO_MANY_ATTRIBUTES),
        (datagram(b"\x50\x05abc"), Fault.MESSAGE_AUTHENTICATOR_LENGTH),
        (datagram((b"\x50\x12" + bytes(16)) * 2), Fault.MESSAGE_AUTHENTICATOR_TWICE),
        (datagram(b"\x4f\x03a", code=1), Fault.EAP_WITHOUT_MESSAGE_AUTHENTICATOR),
        (datagram(code=12), Fault.MISSING_MESSAGE_AUTHENTICATOR),
    ],
)
def test_each_malformed_datagram_is_refused_for_its_own_reason(octets: bytes, fault: Fault) -> None:
    with pytest.raises(WireError) as refused:
        parse(octets)
    assert refused.value.fault is fault


def test_octets_behind_the_length_are_padding() -> None:
    packet = parse(datagram(b"\x01\x03a") + b"rubbish")
    assert packet.attributes == ((1, b"a"),)
    assert len(packet.data) == 23


def test_a_vendor_attribute_whose_inside_does_not_add_up_is_kept_as_octets() -> None:
    assert parse(datagram(b"\x1a\x05abc")).first(26) == b"abc"


def test_the_keyed_digest_is_hmac_md5_also_for_long_secrets() -> None:
    for octets in (b"s", b"x" * 64, b"y" * 65, b"z" * 200):
        assert Secret(octets).hmac(b"message") == hmac.digest(octets, b"message", "md5")


def test_a_secret_never_shows_itself_and_may_not_be_empty() -> None:
    assert "testing123" not in repr(SECRET)
    with pytest.raises(ValueError, match="empty"):
        Secret(b"")


def test_an_access_request_is_proved_by_its_message_authenticator_alone() -> None:
    good = build_request(Code.ACCESS_REQUEST, 1, SECRET, attribute(1, b"bob"), authenticator=RANDOM)
    verify_request(parse(good), SECRET, require_message_authenticator=True)
    with pytest.raises(WireError) as refused:
        verify_request(parse(good), Secret(b"other"), require_message_authenticator=True)
    assert refused.value.fault is Fault.BAD_MESSAGE_AUTHENTICATOR


def test_without_message_authenticator_it_passes_only_where_that_is_not_demanded() -> None:
    bare = build_request(Code.ACCESS_REQUEST, 1, SECRET, attribute(1, b"bob"), authenticator=RANDOM, mark=False)
    verify_request(parse(bare), SECRET, require_message_authenticator=False)
    with pytest.raises(WireError) as refused:
        verify_request(parse(bare), SECRET, require_message_authenticator=True)
    assert refused.value.fault is Fault.MISSING_MESSAGE_AUTHENTICATOR


def test_message_authenticator_may_stand_anywhere_in_a_request() -> None:
    body = attribute(1, b"bob") + b"\x50\x12" + bytes(16) + attribute(5, b"\0\0\0\1")
    plain = bytes((1, 9, 0, 20 + len(body))) + RANDOM + body
    at = 20 + 5 + 2
    signed = plain[:at] + hmac.digest(b"testing123", plain, "md5") + plain[at + 16 :]
    verify_request(parse(signed), SECRET, require_message_authenticator=True)


@pytest.mark.parametrize("code", [Code.ACCOUNTING_REQUEST, Code.DISCONNECT_REQUEST, Code.COA_REQUEST])
@pytest.mark.parametrize("mark", [True, False])
def test_accounting_and_coa_are_proved_by_their_authenticator(code: Code, mark: bool) -> None:
    good = build_request(code, 1, SECRET, attribute(44, b"s"), mark=mark)
    verify_request(parse(good), SECRET, require_message_authenticator=True)
    with pytest.raises(WireError) as refused:
        verify_request(parse(good), Secret(b"other"), require_message_authenticator=True)
    assert refused.value.fault is Fault.BAD_REQUEST_AUTHENTICATOR


def test_a_changed_message_authenticator_in_coa_is_found_though_the_authenticator_fits() -> None:
    good = build_request(Code.COA_REQUEST, 1, SECRET, attribute(44, b"s"))
    changed = bytearray(good)
    changed[22] ^= 1
    changed[4:20] = hashlib.md5(bytes(changed[:4]) + bytes(16) + bytes(changed[20:]) + b"testing123").digest()
    with pytest.raises(WireError) as refused:
        verify_request(parse(bytes(changed)), SECRET, require_message_authenticator=False)
    assert refused.value.fault is Fault.BAD_MESSAGE_AUTHENTICATOR


def test_every_answer_carries_message_authenticator_first_and_proves_itself() -> None:
    asked = parse(build_request(Code.ACCESS_REQUEST, 5, SECRET, attribute(1, b"bob"), authenticator=RANDOM))
    answer = parse(build_response(Code.ACCESS_ACCEPT, asked, SECRET, attribute(25, b"class")))
    assert [number for number, _ in answer.attributes] == [80, 25]
    assert answer.identifier == 5
    verify_response(answer, asked.authenticator, SECRET)
    for wrong in (bytes(16), RANDOM[::-1]):
        with pytest.raises(WireError) as refused:
            verify_response(answer, wrong, SECRET)
        assert refused.value.fault is Fault.BAD_RESPONSE_AUTHENTICATOR


def test_our_own_misuse_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        attribute(0, b"")
    with pytest.raises(ValueError, match="does not fit"):
        attribute(1, bytes(254))
    with pytest.raises(ValueError, match="takes its authenticator"):
        build_request(Code.ACCESS_REQUEST, 1, SECRET)
    with pytest.raises(ValueError, match="computes its authenticator"):
        build_request(Code.COA_REQUEST, 1, SECRET, authenticator=RANDOM)
    with pytest.raises(ValueError, match="16 octets"):
        build_request(Code.ACCESS_REQUEST, 1, SECRET, authenticator=b"short")
    with pytest.raises(ValueError, match="longer than RADIUS allows"):
        build_request(Code.COA_REQUEST, 1, SECRET, join([(26, bytes(253))] * 17))
    with pytest.raises(ValueError, match="is no request"):
        verify_request(parse(datagram(code=2)), SECRET, require_message_authenticator=False)


def records(shared: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (shared / "data" / "radius" / name).read_text("utf-8").splitlines()]


@pytest.mark.shared
def test_what_freeradius_decodes_we_take(shared: Path) -> None:
    vectors = records(shared, "accept.jsonl")
    assert len(vectors) == 41
    for vector in vectors:
        octets = bytes.fromhex(vector["hex"])
        packet = parse(octets)
        assert datagram_of(packet) == octets[: len(packet.data)]


def datagram_of(packet) -> bytes:
    return packet.data[:4] + packet.authenticator + join(packet.attributes)


@pytest.mark.shared
def test_what_freeradius_refuses_we_refuse_for_the_same_reason(shared: Path) -> None:
    reasons = {
        "Message-Authenticator has invalid length": {Fault.MESSAGE_AUTHENTICATOR_LENGTH},
        "Message-Authenticator is required": {
            Fault.EAP_WITHOUT_MESSAGE_AUTHENTICATOR,
            Fault.MISSING_MESSAGE_AUTHENTICATOR,
        },
        "attribute 'length' field contains invalid value": {Fault.ATTRIBUTE_LENGTH},
        "attribute 'length' field overflows": {Fault.ATTRIBUTE_OVERRUN},
        "attribute number 0": {Fault.ATTRIBUTE_TYPE_ZERO},
        "value smaller than the minimum packet length": {Fault.BAD_LENGTH},
        "packet is smaller": {Fault.TOO_SHORT},
        "unknown packet code": {Fault.UNKNOWN_CODE},
    }
    vectors = records(shared, "refuse.jsonl")
    assert len(vectors) == 10
    for vector in vectors:
        with pytest.raises(WireError) as refused:
            parse(bytes.fromhex(vector["hex"]))
        expected = next(faults for text, faults in reasons.items() if text in vector["expect"])
        assert refused.value.fault in expected, vector


@pytest.mark.shared
def test_real_datagrams_prove_themselves_with_their_secret(shared: Path) -> None:
    asked: dict[int, bytes] = {}
    proved = 0
    for record in records(shared, "datagrams.jsonl"):
        octets = bytes.fromhex(record["hex"])
        if record["note"].startswith("cut off"):
            with pytest.raises(WireError) as refused:
                parse(octets)
            assert refused.value.fault is Fault.CUT_OFF
            continue
        packet = parse(octets)
        if packet.code in (1, 4, 40, 43):
            asked[packet.identifier] = packet.authenticator
        if record["secret"] is None:
            continue
        secret = Secret(record["secret"].encode())
        if packet.code in (1, 4, 40, 43):
            demanded = record["secret_proved_by"] == "message-authenticator"
            verify_request(packet, secret, require_message_authenticator=demanded)
        else:
            verify_response(packet, asked[packet.identifier], secret)
        proved += 1
    assert proved >= 25

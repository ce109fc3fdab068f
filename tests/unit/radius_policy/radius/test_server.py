"""The RADIUS server without sockets: datagrams in, octets and facts out."""

import os

import pytest

from radius_policy.model import SECOND, Access, HostId, Mac, MacAccess, Nas, Setting, TenantId
from radius_policy.radius.attributes import read_vlan, write_number
from radius_policy.radius.mark import Mark, read_mark
from radius_policy.radius.server import Listener, RadiusServer
from radius_policy.radius.sessions import Status
from radius_policy.radius.snapshot import Delta, Snapshot
from radius_policy.radius.wire import Code, Fault, Secret, attribute, build_request, parse, verify_response

ONE, TWO = TenantId(1), TenantId(2)
MAC, KEY = Mac("02:00:00:00:00:10"), b"k" * 32
SECRET = Secret(b"secret-one")
FIRST, SECOND_LISTENER = Listener("default", ONE), Listener("second", TWO)
FROM = ("10.0.0.1", 1645)
MAB = attribute(1, b"020000000010") + attribute(31, b"02-00-00-00-00-10") + attribute(87, b"eth7")
T0 = 1_000 * SECOND


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def server(said: list[str]) -> RadiusServer:
    snapshot = Snapshot()
    setting = Setting(ONE, "mode", {"default": "enforce"}, 1, "", 0)
    snapshot.apply(
        Delta(
            1,
            {
                (ONE, MAC): MacAccess(ONE, MAC, HostId("h"), Access.REMEDIATION, 7),
                (TWO, MAC): MacAccess(TWO, MAC, HostId("h"), Access.PRODUCTION, 3),
            },
            {
                (ONE, "sw1"): Nas(ONE, "sw1", "10.0.0.1", b"secret-one"),
                (TWO, "sw1"): Nas(TWO, "sw1", "10.0.0.1", b"secret-two", "second"),
            },
            {(ONE, "mode"): setting},
        )
    )
    return RadiusServer(snapshot, KEY, said.append)


def ask(
    body: bytes = MAB, *, secret: Secret = SECRET, identifier: int = 1, code=Code.ACCESS_REQUEST, mark=True
) -> bytes:
    return build_request(code, identifier, secret, body, authenticator=os.urandom(16), mark=mark)


def account(status: int = 1, *, more: bytes = b"", secret: Secret = SECRET, identifier: int = 1) -> bytes:
    body = attribute(40, write_number(status)) + attribute(44, b"0001") + attribute(31, b"02-00-00-00-00-10") + more
    return build_request(Code.ACCOUNTING_REQUEST, identifier, secret, body, mark=False)


def test_a_known_mac_gets_its_vlan_and_a_class_that_proves_it(server) -> None:
    asked = ask()
    reply, answered = server.authentication(asked, FROM, FIRST, T0)
    packet = parse(reply)
    verify_response(packet, parse(asked).authenticator, SECRET)
    assert packet.code == Code.ACCESS_ACCEPT
    assert packet.attributes[0][0] == 80
    assert read_vlan(packet.attributes) == "66"
    assert read_mark(KEY, ONE, MAC, packet.all(25)) == Mark(7, Access.REMEDIATION)
    assert (answered.nas_id, answered.mac, answered.access, answered.generation) == ("sw1", MAC, Access.REMEDIATION, 7)
    assert answered.ids == {1: b"020000000010", 31: b"02-00-00-00-00-10", 87: b"eth7"}


def test_two_tenants_with_the_same_mac_and_switch_address_get_their_own_answers(server) -> None:
    two = Secret(b"secret-two")
    reply, answered = server.authentication(ask(secret=two), FROM, SECOND_LISTENER, T0)
    assert read_vlan(parse(reply).attributes) == "10"
    assert answered.tenant == TWO
    assert server.authentication(ask(secret=two), FROM, FIRST, T0) == (None, None)
    assert server.authentication(ask(), FROM, SECOND_LISTENER, T0) == (None, None)
    first = server.accounting(account(), FROM, FIRST, T0)[1]
    second = server.accounting(account(secret=two), FROM, SECOND_LISTENER, T0)[1]
    assert (first.heard.tenant, second.heard.tenant) == (ONE, TWO)


def test_a_blocked_mac_is_rejected_and_carries_nothing(server) -> None:
    server.snapshot.apply(Delta(2, {(ONE, MAC): MacAccess(ONE, MAC, HostId("h"), Access.BLOCKED, 8)}))
    reply, answered = server.authentication(ask(), FROM, FIRST, T0)
    packet = parse(reply)
    assert packet.code == Code.ACCESS_REJECT
    assert [number for number, _ in packet.attributes] == [80]
    assert answered.access is Access.BLOCKED
    assert server.authorization(ONE, MAC, 8, Access.BLOCKED) == b""


def test_an_unlisted_mac_is_a_guest(server) -> None:
    body = attribute(1, b"02000000ffff")
    reply, answered = server.authentication(ask(body), FROM, FIRST, T0)
    assert read_vlan(parse(reply).attributes) == "20"
    assert (answered.access, answered.generation) == (Access.GUEST, 0)


def test_a_session_timeout_asks_for_re_authentication(server) -> None:
    setting = Setting(ONE, "session_timeout", {"remediation": 600}, 1, "", 0)
    server.snapshot.apply(Delta(2, settings={(ONE, "session_timeout"): setting}))
    packet = parse(server.authentication(ask(), FROM, FIRST, T0)[0])
    assert packet.first(27) == write_number(600)
    assert packet.first(29) == write_number(1)


@pytest.mark.parametrize(
    ("body", "counted"),
    [
        (attribute(1, b"bob") + attribute(31, b"02-00-00-00-00-10"), "rejected_not_a_mac"),
        (attribute(1, b"020000000010") + attribute(31, b"02-00-00-00-00-11"), "rejected_two_macs"),
        (attribute(79, b"\x02\x09\x00\x05\x01"), "rejected_eap"),
        (b"", "rejected_not_a_mac"),
    ],
)
def test_what_is_no_mac_authentication_is_rejected_and_counted(server, body, counted) -> None:
    asked = ask(body)
    reply, answered = server.authentication(asked, FROM, FIRST, T0)
    assert parse(reply).code == Code.ACCESS_REJECT
    assert answered is None
    assert server.counts[counted] == 1
    if counted == "rejected_eap":
        assert parse(reply).first(79) == b"\x04\x09\x00\x04", "an EAP-Failure with the request's identifier"


def test_a_mac_in_calling_station_id_alone_is_enough(server) -> None:
    assert server.authentication(ask(attribute(31, b"0200.0000.0010")), FROM, FIRST, T0)[1].mac == MAC


@pytest.mark.parametrize(
    ("datagram", "source", "fault"),
    [
        (b"garbage", FROM, Fault.TOO_SHORT),
        (os.urandom(300), FROM, None),
        (ask(), ("10.9.9.9", 1), Fault.UNKNOWN_CLIENT),
        (ask(secret=Secret(b"wrong")), FROM, Fault.BAD_MESSAGE_AUTHENTICATOR),
        (ask(mark=False), FROM, Fault.MISSING_MESSAGE_AUTHENTICATOR),
        (account(), FROM, Fault.UNEXPECTED_CODE),
        (ask(attribute(79, b"\x02\x09\x00\x05\x01") + attribute(2, bytes(16))), FROM, Fault.EAP_WITH_PASSWORD),
        (ask(MAB + attribute(33, bytes(250)) * 9), FROM, Fault.PROXY_STATE_TOO_LONG),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, Fault) else "",
)
def test_what_cannot_be_trusted_is_dropped_silently_counted_and_put_into_words(
    server, said, datagram, source, fault
) -> None:
    assert server.authentication(datagram, source, FIRST, T0) == (None, None)
    assert sum(server.complaints.counts.values()) == 1
    if fault is not None:
        assert server.complaints.counts[fault] == 1
    assert len(said) == 1
    assert source[0] in said[0]
    assert "secret-one" not in said[0]


def test_a_switch_may_be_excused_from_message_authenticator_and_accounting_never_needs_it(server) -> None:
    lax = Nas(ONE, "sw2", "10.0.0.2", b"secret-one", require_message_authenticator=False)
    server.snapshot.apply(Delta(2, nas={(ONE, "sw2"): lax}))
    assert server.authentication(ask(mark=False), ("10.0.0.2", 1), FIRST, T0)[0] is not None
    assert server.accounting(account(), FROM, FIRST, T0)[1] is not None


def test_a_retransmission_gets_the_same_octets_and_makes_no_new_fact(server) -> None:
    asked = ask()
    reply, _ = server.authentication(asked, FROM, FIRST, T0)
    assert server.authentication(asked, FROM, FIRST, T0 + SECOND) == (reply, None)
    assert server.authentication(asked, ("10.0.0.1", 9), FIRST, T0 + SECOND)[1] is not None, "another source port"


def test_after_a_new_generation_a_retransmission_gets_the_new_answer(server) -> None:
    asked = ask()
    server.authentication(asked, FROM, FIRST, T0)
    server.snapshot.apply(Delta(2, {(ONE, MAC): MacAccess(ONE, MAC, HostId("h"), Access.PRODUCTION, 8)}))
    server.forget(ONE, MAC)
    reply, answered = server.authentication(asked, FROM, FIRST, T0 + 1)
    assert read_vlan(parse(reply).attributes) == "10"
    assert answered.generation == 8


def test_a_forged_repetition_never_touches_the_cache(server) -> None:
    asked = ask()
    reply, _ = server.authentication(asked, FROM, FIRST, T0)
    forged = ask(secret=Secret(b"wrong"))
    assert server.authentication(forged, FROM, FIRST, T0) == (None, None)
    assert server.authentication(asked, FROM, FIRST, T0)[0] == reply


def test_proxy_state_goes_back_unchanged_and_in_order(server) -> None:
    reply, _ = server.authentication(ask(MAB + attribute(33, b"b") + attribute(33, b"a")), FROM, FIRST, T0)
    assert parse(reply).all(33) == [b"b", b"a"]


def test_status_server_is_answered_on_both_ports(server) -> None:
    asked = ask(b"", code=Code.STATUS_SERVER)
    assert parse(server.authentication(asked, FROM, FIRST, T0)[0]).code == Code.ACCESS_ACCEPT
    assert parse(server.accounting(asked, FROM, FIRST, T0)[0]).code == Code.ACCOUNTING_RESPONSE
    assert server.counts["status_server"] == 2


class TestAccounting:
    def test_it_is_answered_only_after_it_was_stored(self, server) -> None:
        asked = account()
        nothing, accounted = server.accounting(asked, FROM, FIRST, T0)
        assert nothing is None
        assert accounted.heard.status is Status.START
        assert (accounted.heard.mac, accounted.heard.session) == (MAC, b"0001")
        assert server.accounting(asked, FROM, FIRST, T0 + 1) == (None, None), "still in work"
        reply = server.stored(accounted, T0 + 2)
        verify_response(parse(reply), parse(asked).authenticator, SECRET)
        assert parse(reply).attributes == (), "no Message-Authenticator: peers disagree how it is computed here"
        assert server.accounting(asked, FROM, FIRST, T0 + 3) == (reply, None)

    def test_what_could_not_be_stored_is_new_when_it_comes_again(self, server) -> None:
        asked = account()
        _, accounted = server.accounting(asked, FROM, FIRST, T0)
        server.not_stored(accounted)
        assert server.counts["accounting_unanswered"] == 1
        assert server.accounting(asked, FROM, FIRST, T0 + 1)[1] is not None

    def test_our_class_in_it_is_read_and_anothers_is_not(self, server) -> None:
        given = parse(server.authentication(ask(), FROM, FIRST, T0)[0]).first(25)
        heard = server.accounting(account(more=attribute(25, given)), FROM, FIRST, T0)[1].heard
        assert heard.mark == Mark(7, Access.REMEDIATION)
        heard = server.accounting(account(more=attribute(25, b"x" * 30), identifier=2), FROM, FIRST, T0)[1].heard
        assert heard.mark is None

    def test_what_says_nothing_about_a_session_is_answered_at_once(self, server) -> None:
        body = attribute(40, write_number(15)) + attribute(44, b"1")
        odd = build_request(Code.ACCOUNTING_REQUEST, 3, SECRET, body, mark=False)
        reply, accounted = server.accounting(odd, FROM, FIRST, T0)
        assert parse(reply).code == Code.ACCOUNTING_RESPONSE
        assert accounted is None
        assert server.accounting(odd, FROM, FIRST, T0)[0] == reply

    def test_accounting_on_needs_neither_mac_nor_session(self, server) -> None:
        on = build_request(Code.ACCOUNTING_REQUEST, 3, SECRET, attribute(40, write_number(7)), mark=False)
        heard = server.accounting(on, FROM, FIRST, T0)[1].heard
        assert (heard.status, heard.mac, heard.nas_id) == (Status.ON, None, "sw1")

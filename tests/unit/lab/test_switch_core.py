"""The switch as a dialogue: what comes in, which commands go out in which order."""

import struct

import pytest

from lab.switch.core import Command, Faults, Lift, Note, Place, Switch, ToClient, ToServer, Wiring
from tests.unit.lab import by_hand as hand

NOW = 1_800_000_000_000_000
SECOND = 1_000_000
MAC = "02:00:00:00:00:12"
CALLING = b"02-00-00-00-00-12"
PORT = Wiring(2, "port2", MAC, "p_2")
SOURCE = ("127.0.0.1", 40000)


def switch(*ports: Wiring) -> Switch:
    return Switch(
        list(ports or (PORT,)),
        name="lab-switch",
        address="127.0.0.1",
        secret=hand.SECRET,
        vlans={"10", "66"},
        interim_us=20 * SECOND,
    )


def sent(commands: list[Command], *, accounting: bool) -> list[bytes]:
    return [c.data for c in commands if isinstance(c, ToServer) and c.accounting is accounting]


def replies(commands: list[Command]) -> list[bytes]:
    return [c.data for c in commands if isinstance(c, ToClient)]


def notes(commands: list[Command]) -> list[str]:
    return [c.event for c in commands if isinstance(c, Note)]


def connected(of: Switch, vlan: str = "10", class_: bytes = b"one") -> bytes:
    """Plug port2 in and accept it; its Accounting-Request."""
    (request,) = sent(list(of.link("port2", True, NOW)), accounting=False)
    (start,) = sent(list(of.answered(hand.accept(request, vlan, class_), False, NOW)), accounting=True)
    return start


def test_a_link_that_comes_up_is_authenticated_by_mac_address() -> None:
    (request,) = sent(list(switch().link("port2", True, NOW)), accounting=False)

    assert hand.is_from_switch(request)
    told = hand.attributes(request)
    assert told[1] == b"020000000012" == hand.password(request)
    assert told[31] == CALLING
    assert told[6] == struct.pack("!I", 10)
    assert told[5] == struct.pack("!I", 2)
    assert told[4] == bytes((127, 0, 0, 1))


def test_an_accepted_port_is_placed_lifted_and_accounted_with_its_class() -> None:
    of = switch()
    (request,) = sent(list(of.link("port2", True, NOW)), accounting=False)

    commands = list(of.answered(hand.accept(request, "66", b"class"), False, NOW))

    kinds = [type(c) for c in commands]
    assert kinds == [Place, Note, ToServer, Note, Lift]
    assert commands[0] == Place(PORT, "66")
    (start,) = sent(commands, accounting=True)
    assert hand.is_from_switch(start)
    told = hand.attributes(start)
    assert told[40] == struct.pack("!I", 1)
    assert told[25] == b"class"
    assert told[44] == hand.attributes(request)[44]


def test_the_tag_octet_of_a_tunnel_attribute_is_no_part_of_the_vlan() -> None:
    of = switch()
    (request,) = sent(list(of.link("port2", True, NOW)), accounting=False)
    tagged = hand.answer(request, 2, [(81, b"\x0166"), (25, b"c")])
    assert Place(PORT, "66") in list(of.answered(tagged, False, NOW))


def test_a_coa_is_acknowledged_before_the_switch_asks_again_and_moves_with_a_new_session() -> None:
    of = switch()
    first = connected(of)
    commands = list(of.order(hand.coa(7, [(31, CALLING), (44, hand.attributes(first)[44])]), SOURCE, NOW + 5))

    assert [type(c) for c in commands] == [ToClient, Note, ToServer, Note]
    (ack,) = replies(commands)
    assert ack[:2] == bytes((44, 7))
    (request,) = sent(commands, accounting=False)
    moved = list(of.answered(hand.accept(request, "66", b"two"), False, NOW + 9))
    stop, start = map(hand.attributes, sent(moved, accounting=True))
    assert (stop[40][3], stop[44], stop[25]) == (2, hand.attributes(first)[44], b"one")
    assert (start[40][3], start[25]) == (1, b"two")
    assert start[44] != stop[44]
    assert [type(c) for c in moved if isinstance(c, (Place, Lift))] == [Place, Lift]


def test_a_reauthentication_with_the_same_vlan_does_not_touch_the_port() -> None:
    of = switch()
    connected(of)
    (request,) = sent(list(of.order(hand.coa(1, [(31, CALLING)]), SOURCE, NOW)), accounting=False)
    commands = list(of.answered(hand.accept(request, "10", b"two"), False, NOW))
    assert not [c for c in commands if isinstance(c, (Place, Lift))]
    assert len(sent(commands, accounting=True)) == 2


def test_a_disconnect_takes_the_port_down_ends_the_session_and_authenticates_anew() -> None:
    of = switch()
    connected(of)
    commands = list(of.order(hand.coa(1, [(31, CALLING)], code=40), SOURCE, NOW))
    assert replies(commands)[0][0] == 41
    assert Place(PORT, None) in commands
    assert hand.attributes(sent(commands, accounting=True)[0])[40][3] == 2
    assert len(sent(commands, accounting=False)) == 1


@pytest.mark.parametrize(
    ("named", "cause"),
    [
        ([(31, b"02-00-00-00-00-99")], 503),
        ([(31, CALLING), (44, b"FFFF")], 503),
        ([(31, CALLING), (32, b"another-switch")], 403),
        ([(31, CALLING), (200, b"x")], 401),
        ([(4, bytes((127, 0, 0, 1)))], 402),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_cause(named: list[tuple[int, bytes]], cause: int) -> None:
    of = switch()
    connected(of)
    commands = list(of.order(hand.coa(9, named), SOURCE, NOW))
    (nak,) = replies(commands)
    assert nak[0] == 45
    assert hand.attributes(nak)[101] == struct.pack("!I", cause)
    assert not sent(commands, accounting=False)


def test_a_retransmitted_coa_gets_the_same_answer_and_acts_once() -> None:
    of = switch()
    connected(of)
    request = hand.coa(3, [(31, CALLING)])
    first, again = list(of.order(request, SOURCE, NOW)), list(of.order(request, SOURCE, NOW + SECOND))
    assert replies(again) == replies(first)
    assert not sent(again, accounting=False)


@pytest.mark.parametrize(
    ("datagram", "why"),
    [
        (hand.coa(1, [(31, CALLING)], secret=b"another secret"), "Request Authenticator"),
        (hand.coa(1, [(31, CALLING)])[:-1], "the header says"),
        (b"\x2b\x01", "less than a header"),
        (hand.coa(1, [(31, CALLING), (55, struct.pack("!I", NOW // SECOND - 301))]), "Event-Timestamp"),
    ],
)
def test_forged_broken_and_stale_orders_are_dropped_without_a_word(datagram: bytes, why: str) -> None:
    of = switch()
    connected(of)
    commands = list(of.order(datagram, SOURCE, NOW))
    assert notes(commands) == ["coa_dropped"]
    assert isinstance(commands[0], Note)
    assert why in commands[0].facts["why"]
    assert len(commands) == 1


def test_a_coa_without_message_authenticator_is_dropped() -> None:
    of = switch()
    connected(of)
    body = hand.tlv(31, CALLING)
    head = struct.pack("!BBH", 43, 1, 20 + len(body))
    commands = list(of.order(head + hand.md5(head + hand.ZEROS + body + hand.SECRET) + body, SOURCE, NOW))
    assert commands == [Note("coa_dropped", {"why": "Message-Authenticator is missing"})]


def test_an_accept_made_with_another_secret_moves_nobody() -> None:
    of = switch()
    (request,) = sent(list(of.link("port2", True, NOW)), accounting=False)
    commands = list(of.answered(hand.accept(request, "66", secret=b"other"), False, NOW))
    assert notes(commands) == ["answer_dropped"]
    assert of.ports["port2"].vlan is None


def test_a_rejected_port_stands_in_no_vlan() -> None:
    of = switch()
    connected(of)
    (request,) = sent(list(of.order(hand.coa(1, [(31, CALLING)]), SOURCE, NOW)), accounting=False)
    commands = list(of.answered(hand.answer(request, 3, []), False, NOW))
    assert Place(PORT, None) in commands
    assert of.ports["port2"].session == b""


def test_a_vlan_that_the_switch_does_not_have_is_no_way_into_another() -> None:
    of = switch()
    (request,) = sent(list(of.link("port2", True, NOW)), accounting=False)
    commands = list(of.answered(hand.accept(request, "20"), False, NOW))
    assert "no_such_vlan" in notes(commands)
    assert of.ports["port2"].vlan is None
    assert not [c for c in commands if isinstance(c, Lift)]


def test_an_unanswered_request_is_repeated_byte_for_byte_and_then_asked_anew() -> None:
    of = switch()
    (request,) = sent(list(of.link("port2", True, NOW)), accounting=False)
    assert of.next_due() == NOW + SECOND
    assert sent(list(of.tick(NOW + SECOND)), accounting=False) == [request]
    assert sent(list(of.tick(NOW + 2 * SECOND)), accounting=False) == [request]
    commands = list(of.tick(NOW + 3 * SECOND))
    assert "server_silent" in notes(commands)
    assert sent(commands, accounting=False) != [request]


def test_accounting_is_repeated_until_it_is_stored() -> None:
    of = switch()
    start = connected(of)
    for second in range(1, 10):
        assert start in sent(list(of.tick(NOW + second * SECOND)), accounting=True)
    list(of.answered(hand.stored(start), True, NOW + 10 * SECOND))
    assert sent(list(of.tick(NOW + 11 * SECOND)), accounting=True) == []


def test_an_open_session_tells_interim_updates_with_its_class() -> None:
    of = switch()
    list(of.answered(hand.stored(connected(of)), True, NOW))
    (interim,) = sent(list(of.tick(NOW + 20 * SECOND)), accounting=True)
    told = hand.attributes(interim)
    assert (told[40][3], told[25], told[46]) == (3, b"one", struct.pack("!I", 20))


def test_a_switch_that_only_acknowledges_does_nothing_else() -> None:
    of = switch()
    connected(of)
    of.faults = Faults(ack_only=True)
    commands = list(of.order(hand.coa(1, [(31, CALLING)]), SOURCE, NOW))
    assert replies(commands)[0][0] == 44
    assert sent(commands, accounting=False) == []


def test_a_slow_switch_asks_only_after_its_delay() -> None:
    of = switch()
    list(of.answered(hand.stored(connected(of)), True, NOW))
    of.faults = Faults(delay_ms=700)
    assert sent(list(of.order(hand.coa(1, [(31, CALLING)]), SOURCE, NOW)), accounting=False) == []
    assert sent(list(of.tick(NOW + 600_000)), accounting=False) == []
    assert len(sent(list(of.tick(NOW + 700_000)), accounting=False)) == 1


def test_a_slow_switch_that_is_told_to_hurry_asks_now() -> None:
    of = switch()
    list(of.answered(hand.stored(connected(of)), True, NOW))
    of.faults = Faults(delay_ms=60_000)
    list(of.order(hand.coa(1, [(31, CALLING)]), SOURCE, NOW))
    assert len(sent(list(of.hurry(NOW + 5)), accounting=False)) == 1
    assert "access_request" not in notes(list(of.tick(NOW + SECOND)))


def test_a_silent_switch_and_a_refusing_one() -> None:
    of = switch()
    connected(of)
    of.faults = Faults(drop=True)
    assert replies(list(of.order(hand.coa(1, [(31, CALLING)]), SOURCE, NOW))) == []
    of.faults = Faults(nak=506)
    (nak,) = replies(list(of.order(hand.coa(2, [(31, CALLING)]), SOURCE, NOW)))
    assert hand.attributes(nak)[101] == struct.pack("!I", 506)


def test_a_cable_that_is_pulled_ends_the_session() -> None:
    of = switch()
    connected(of)
    commands = list(of.link("port2", False, NOW + SECOND))
    (stop,) = sent(commands, accounting=True)
    assert hand.attributes(stop)[40][3] == 2
    assert Place(PORT, None) in commands
    nak = replies(list(of.order(hand.coa(2, [(31, CALLING)]), SOURCE, NOW + SECOND)))[0]
    assert nak[0] == 45


def test_after_boot_accounting_hears_that_no_earlier_session_lives() -> None:
    (on,) = sent(list(switch().boot(NOW)), accounting=True)
    assert hand.attributes(on)[40] == struct.pack("!I", 7)

"""Sessions as the NAS tells them: learnt early, kept byte for byte, ended by what ends them."""

from dataclasses import replace

import pytest

from radius_policy.model import SECOND, Access, Mac, Session, TenantId
from radius_policy.radius.mark import Mark
from radius_policy.radius.sessions import (
    Heard,
    Status,
    asked,
    hear,
    ids_of,
    is_provisional,
    port_of,
    presume_ended,
    provisional,
)

MAC, TENANT = Mac("02:00:00:00:00:10"), TenantId(1)
STATION = b"02-00-00-00-00-10"
GIVEN = Mark(7, Access.REMEDIATION)
NOW = 1_000 * SECOND


def heard(status: Status, session: bytes = b"0001", *, at: int = NOW, mark: Mark | None = None, port=b"eth7", more=()):
    attributes = [(31, STATION), (44, session), (87, port), *more]
    return Heard.of(
        status=status, tenant=TENANT, nas_id="sw1", mac=MAC, session=session, attributes=attributes, mark=mark, at=at
    )


def asking(ids: dict[int, bytes], of_mac=(), *, nas_id: str = "sw1", at: int = NOW):
    return asked(tenant=TENANT, nas_id=nas_id, mac=MAC, ids=ids, answer=GIVEN, at=at, of_mac=of_mac)


def test_an_accept_begins_a_session_before_accounting_does() -> None:
    told = asking({31: STATION, 87: b"eth7"})
    assert told.opened
    assert is_provisional(told.session.session)
    assert (told.session.port, told.session.generation, told.session.access) == ("eth7", 7, Access.REMEDIATION)
    assert not told.session.shown, "an answer of ours proves nothing about the port"


def test_with_the_nas_own_id_it_has_that_from_the_first_moment() -> None:
    assert asking({31: STATION, 44: b"0001"}).session.session == b"0001"


def test_a_start_takes_the_place_of_what_stood_for_it() -> None:
    early = asking({31: STATION, 87: b"eth7"}).session
    told = hear(heard(Status.START, mark=GIVEN), [early])
    assert told.session.session == b"0001"
    assert [session.session for session in told.ended] == [early.session]
    assert told.session.shown
    assert told.session.generation == 7


def test_a_start_of_a_known_session_keeps_when_it_began_and_all_its_identifiers() -> None:
    early = asking({31: STATION, 44: b"0001", 4: b"\x0a\0\0\1"}, at=NOW - 5).session
    told = hear(heard(Status.START, mark=GIVEN), [early])
    assert not told.opened
    assert told.session.started == NOW - 5
    assert told.session.ids == {31: STATION, 44: b"0001", 4: b"\x0a\0\0\1", 87: b"eth7"}


def test_identifiers_are_kept_byte_for_byte() -> None:
    odd = b"\xff\x00 \x7f"
    told = hear(heard(Status.START, odd, port=b"Gi1/0/7 \xfe"), [])
    assert told.session.ids[44] == odd
    assert told.session.session == odd
    assert told.session.ids[87] == b"Gi1/0/7 \xfe"


def test_a_new_session_on_the_port_ends_the_one_whose_stop_was_lost() -> None:
    lost = hear(heard(Status.START, b"0001", at=NOW - 60 * SECOND), []).session
    told = hear(heard(Status.START, b"0002"), [lost])
    assert [session.session for session in told.ended] == [b"0001"]
    elsewhere = replace(lost, port="eth9")
    assert hear(heard(Status.START, b"0002"), [elsewhere]).ended == ()


def test_an_old_sessions_late_start_ends_nothing_newer() -> None:
    newer = hear(heard(Status.START, b"0002"), []).session
    late = heard(Status.START, b"0001", at=NOW + SECOND, more=[(41, (60).to_bytes(4, "big"))])
    told = hear(late, [newer])
    assert late.began == NOW - 59 * SECOND
    assert told.ended == ()


def test_a_stop_ends_it_once_and_late_messages_do_not_open_it_again() -> None:
    running = hear(heard(Status.START), []).session
    told = hear(heard(Status.STOP), [running])
    assert [session.session for session in told.ended] == [b"0001"]
    gone = told.ended[0]
    for status in (Status.STOP, Status.START, Status.INTERIM):
        assert hear(heard(status), [gone]) == type(told)()


def test_a_stop_of_a_session_never_heard_of_is_kept_so_that_its_late_start_opens_nothing() -> None:
    told = hear(heard(Status.STOP), [])
    (kept,) = told.put
    assert kept.ended == NOW
    assert hear(heard(Status.START), [kept]).put == ()


def test_a_stops_class_proves_nothing() -> None:
    running = hear(heard(Status.START), []).session
    assert not hear(heard(Status.STOP, mark=GIVEN), [running]).put[0].shown


def test_an_interim_opens_what_began_before_we_listened() -> None:
    told = hear(heard(Status.INTERIM, more=[(46, (3600).to_bytes(4, "big"))]), [])
    assert told.opened
    assert told.session.started == max(0, NOW - 3600 * SECOND)


def test_accounting_on_and_off_end_every_session_of_that_nas() -> None:
    sessions = [Session(TENANT, "sw1", b"%d" % n, Mac(f"02:00:00:00:00:{n:02x}")) for n in range(3)]
    for status in (Status.ON, Status.OFF):
        told = hear(heard(status), [], [*sessions, replace(sessions[0], ended=5)])
        assert len(told.ended) == 3
        assert all(session.ended == NOW for session in told.put)


def test_asking_from_elsewhere_ends_what_only_an_earlier_asking_told_of() -> None:
    here = asking({31: STATION, 87: b"eth7"}).session
    there = asking({31: STATION, 87: b"eth1"}, [here], nas_id="sw2", at=NOW + 1)
    assert [session.nas_id for session in there.ended] == ["sw1"]
    accounted = hear(heard(Status.START), []).session
    assert asking({31: STATION}, [accounted], nas_id="sw2").ended == ()


def test_a_session_that_has_ended_is_not_begun_by_asking_with_its_old_id() -> None:
    gone = replace(hear(heard(Status.START), []).session, ended=NOW)
    assert asking({44: b"0001"}, [gone]).session is None


def test_the_port_is_named_as_people_know_it() -> None:
    assert port_of({87: b"Gi1/0/7", 5: b"\0\0\0\7"}) == "Gi1/0/7"
    assert port_of({5: b"\0\0\0\7"}) == "7"
    assert port_of({5: b"\7"}) == ""
    assert provisional(MAC, "7") != provisional(MAC, "8")
    assert ids_of([(1, b"a"), (1, b"b"), (27, b"\0\0\0\1")]) == {1: b"a"}


class TestPresumed:
    """Sessions that we hold for over without the NAS's word."""

    OPEN = hear(heard(Status.START), []).session
    OVER = presume_ended(OPEN, NOW + SECOND)

    @pytest.mark.parametrize("status", [Status.START, Status.INTERIM])
    def test_what_the_nas_says_of_it_opens_it_again(self, status: Status) -> None:
        told = hear(heard(status, at=NOW + 2 * SECOND), [self.OVER])
        assert told.opened
        assert (told.session.ended, told.session.presumed, told.session.started) == (None, False, self.OPEN.started)

    def test_so_does_asking_with_its_id(self) -> None:
        told = asking({31: STATION, 44: b"0001"}, [self.OVER], at=NOW + 2 * SECOND)
        assert (told.session.session, told.session.ended, told.opened) == (b"0001", None, True)

    def test_a_stop_makes_it_final(self) -> None:
        told = hear(heard(Status.STOP, at=NOW + 2 * SECOND), [self.OVER])
        assert told.ended == (), "that it ended is no news"
        assert not told.put[0].presumed
        assert hear(heard(Status.INTERIM), [told.put[0]]).put == ()

    def test_one_whose_stop_was_lost_is_presumed_and_comes_back_if_it_lives(self) -> None:
        told = hear(heard(Status.START, b"0002", at=NOW + SECOND), [self.OPEN])
        (lost,) = told.ended
        assert lost.presumed
        assert hear(heard(Status.INTERIM, at=NOW + 2 * SECOND), [lost, told.session]).opened

    def test_accounting_on_is_the_nas_own_word(self) -> None:
        (gone,) = hear(heard(Status.ON), [], [self.OPEN]).ended
        assert not gone.presumed

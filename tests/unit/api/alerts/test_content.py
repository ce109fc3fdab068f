"""What an alert says, gathered from the store at the moment it is sent."""

from typing import Any
from zoneinfo import ZoneInfo

from api.alerts.content import DETAILED, Alert, gather
from api.alerts.links import Links
from radius_policy.model import DEFAULT_TENANT, Access, Delivery, Event, EventKind, OrderState, Session, Severity

from .conftest import T0

LINKS = Links("https://nac.example.org", b"k" * 32)


def alert(office: Any, events: list[Event]) -> Alert:
    delivery = Delivery(
        DEFAULT_TENANT, "a" * 32, events[0].id, "mail", "waiting", T0, T0, topic=events[0].topic, opened=T0
    )
    return gather(
        office.store.reading(),
        delivery,
        events,
        conversation="a" * 32,
        zone=ZoneInfo("Europe/Berlin"),
        links=LINKS,
        now=T0,
    )


def test_it_says_what_was_done_by_now_and_not_when_it_was_decided(office: Any) -> None:
    event = office.runs(1, order=OrderState.SENT)
    assert alert(office, [event]).places[0].done == "ordered to remediation: sent to the switch, no answer yet"
    office.runs(1, order=OrderState.CONFIRMED)
    assert alert(office, [event]).places[0].done == "moved to remediation, confirmed"


def test_many_hosts_are_described_up_to_a_bound_and_all_others_named(office: Any) -> None:
    events = [office.runs(number) for number in range(1, 201)]
    made = alert(office, events)
    assert len(made.places) == DETAILED
    assert made.hosts == 200
    assert made.further[-1] == "PC-0200"


def test_a_host_that_left_the_network_is_told_with_its_last_port(office: Any) -> None:
    event = office.runs(3)
    with office.store.transaction() as tx:
        [session] = tx.find(Session, tenant=DEFAULT_TENANT, mac="02:00:00:00:00:03")
        tx.put(
            Session(session.tenant, session.nas_id, session.session, session.mac, session.port, ended=T0, updated=T0)
        )
    assert alert(office, [event]).places[0].port == "Gi1/0/3"


def test_an_alert_about_a_trip_offers_its_four_answers_each_as_a_link_that_only_asks(office: Any) -> None:
    event = Event(
        DEFAULT_TENANT, "e", T0, EventKind.BREAKER_TRIPPED, Severity.URGENT, "site:main", "tripped", facts={"trip": "ab" * 8}
    )  # fmt: skip
    made = alert(office, [event])
    assert [said for said, _ in made.actions] == ["Allow it", "Deny it", "Quarantine all", "Keep holding"]
    targets = [LINKS.read(link.rsplit("/", 1)[1], T0) for _, link in made.actions]
    assert [(target.doing, target.trip) for target in targets] == [
        (doing, "ab" * 8) for doing in ("allow", "deny", "quarantine", "keep")
    ]


def test_what_is_not_known_is_left_out(office: Any) -> None:
    event = Event(DEFAULT_TENANT, "e", T0, EventKind.BREAKER_TRIPPED, Severity.URGENT, "site:main", "tripped")
    made = alert(office, [event])
    assert (made.places, made.program, made.actions) == ((), None, ())


def test_an_undecided_executable_can_be_decided_from_the_alert_and_a_denied_one_not_again(office: Any) -> None:
    assert [label for label, _ in alert(office, [office.runs(1)]).actions] == [
        "Allow it",
        "Deny it",
        "Release the host",
    ]
    denied = office.runs(2, kind=EventKind.DENIED_RAN)
    assert [label for label, _ in alert(office, [denied]).actions] == ["Release the host"]


def test_nothing_an_endpoint_named_keeps_its_control_characters(office: Any, hostile: str) -> None:
    made = alert(office, [office.runs(1, name=hostile, program=f"/tmp/{hostile}")])
    place, program = made.places[0], made.program
    assert program is not None
    for text in (place.host, place.path, program.name, *made.texts):
        assert not set(text) & set("\r\n\u202e")
    assert place.access == Access.REMEDIATION

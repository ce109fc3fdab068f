"""Who is told of which event."""

from zoneinfo import ZoneInfo

import msgspec
import pytest

from api.alerts.routes import DEFAULT_ROUTES, Hours, Route, routes_behind, routes_for, takes, unrouted
from radius_policy.model import DEFAULT_TENANT, SECOND, Event, EventKind, Severity

BERLIN = ZoneInfo("Europe/Berlin")
SATURDAY_0841 = 1_795_246_860 * SECOND  # 2026-11-21 08:41 CET
MONDAY_0841 = SATURDAY_0841 + 2 * 86_400 * SECOND


def event(**fields: object) -> Event:
    given = {"kind": EventKind.UNKNOWN_RAN, "severity": Severity.WARNING, "site": "main", **fields}
    return Event(DEFAULT_TENANT, "e1", MONDAY_0841, topic="a" * 64, text="x", **given)  # type: ignore[arg-type]


def test_what_needs_a_person_is_mailed_at_once_by_default() -> None:
    assert [route.name for route in routes_for(DEFAULT_ROUTES, event(), (), True)] == ["needs-a-person"]


def test_what_is_only_worth_knowing_waits_for_the_digest_by_default() -> None:
    graced = event(kind=EventKind.GRACED, severity=Severity.INFO)
    assert routes_for(DEFAULT_ROUTES, graced, (), True) == []
    assert not unrouted(graced, [])


def test_a_route_takes_some_kinds_whatever_their_severity() -> None:
    further = event(kind=EventKind.UNKNOWN_RAN, severity=Severity.INFO)
    loud = Route("all", ("mail",), always=("unknown_ran",))
    assert [len(routes_for((route,), further, (), True)) for route in (*DEFAULT_ROUTES, loud)] == [0, 1]
    assert routes_behind(DEFAULT_ROUTES, further, (), True) == list(DEFAULT_ROUTES)


def test_an_event_that_needs_a_person_and_reaches_nobody_is_reported() -> None:
    assert unrouted(event(), [])


@pytest.mark.parametrize(
    ("route", "taken"),
    [
        (Route("r", ("mail",), kinds=("unknown_ran",)), True),
        (Route("r", ("mail",), kinds=("denied_ran",)), False),
        (Route("r", ("mail",), severity="urgent"), False),
        (Route("r", ("mail",), severity="info"), True),
        (Route("r", ("mail",), sites=("main",)), True),
        (Route("r", ("mail",), sites=("north",)), False),
        (Route("r", ("mail",), groups=("finance",)), True),
        (Route("r", ("mail",), groups=("pilot",)), False),
        (Route("r", ("mail",), when="working"), True),
        (Route("r", ("mail",), when="off"), False),
    ],
)
def test_a_route_takes_by_kind_severity_site_group_and_hours(route: Route, taken: bool) -> None:
    assert takes(route, event(), ("finance", "office"), True) is taken


def test_working_hours_are_those_of_the_site() -> None:
    hours = Hours()
    assert hours.contain(MONDAY_0841, BERLIN)
    assert not hours.contain(SATURDAY_0841, BERLIN)
    assert not hours.contain(MONDAY_0841, ZoneInfo("America/New_York"))


def test_working_hours_follow_daylight_saving() -> None:
    summer_0700_berlin = 1_782_968_400 * SECOND  # 2026-07-02 05:00 UTC = 07:00 CEST, a Thursday
    assert Hours().contain(summer_0700_berlin, BERLIN)
    assert not Hours().contain(summer_0700_berlin - SECOND, BERLIN)


def test_hours_that_end_before_they_begin_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="begin before they end"):
        msgspec.convert({"from": "18:00", "to": "07:00"}, Hours)


def test_an_event_that_is_only_too_quiet_stands_behind_a_route_and_one_of_another_site_does_not() -> None:
    routes = (
        Route("a", ("mail",)),
        Route("south", ("mail",), sites=("south",)),
        Route("all", ("log",), severity="info"),
    )
    quiet = event(kind=EventKind.HELD, severity=Severity.INFO)
    assert [route.name for route in routes_behind(routes, quiet, (), True)] == ["a"]
    assert [route.name for route in routes_for(routes, quiet, (), True)] == ["all"]


@pytest.mark.parametrize("wrong", [{"people": ["Ä"]}, {"answer_s": 5}, {"answer_s": 100_000}])
def test_people_have_names_and_time_to_answer(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": "a", "channels": ["mail"], **wrong}, Route)

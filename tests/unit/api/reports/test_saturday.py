"""Who was running something unknown at 08:41 on Saturday? Live agents tell, the reports answer."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.admin.lists import Wish
from health_agent import contract
from radius_policy.model import SECOND
from tests.unit.api.world import ADMIN, Agent, World, execution

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
UNKNOWN, OTHER = "a" * 64, "b" * 64


def at(text: str) -> int:
    """A moment of November 2026 in Berlin: `20 12:00` is Friday noon."""
    return round(datetime.strptime(f"2026-11-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=BERLIN).timestamp()) * SECOND


FRIDAY, SATURDAY, SUNDAY, MONDAY = at("20 12:00"), at("21 08:41"), at("22 10:00"), at("23 09:00")


def window(world: World, begin: str = "2026-11-21T08:30", end: str = "2026-11-21T08:50") -> list[dict[str, Any]]:
    answer = world.rest("GET", f"/v1/reports/window?from={begin.replace('+', '%2B')}&to={end.replace('+', '%2B')}")
    assert answer.status_code == 200, answer.text
    hosts: list[dict[str, Any]] = answer.json()["hosts"]
    return hosts


def day(world: World, date: str) -> dict[str, Any]:
    answer = world.rest("GET", f"/v1/reports/day/{date}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def names(hosts: list[dict[str, Any]]) -> list[str]:
    return [host["host"] for host in hosts]


def agent(world: World, name: str, number: int = 1) -> Agent:
    return world.agent(name, mac=f"02:00:00:00:00:{number:02x}")


def ran(
    world: World, who: Agent, start: int, lasted: int | None = SECOND, sha256: str | None = UNKNOWN, **more: Any
) -> str:
    """It starts now, by the service's clock, and ends after `lasted` (None: it runs on)."""
    world.now = start
    told = execution(world, sha256, started_us=start + who.ahead, **more)
    who.tell(told, offset_us=-who.ahead)
    if lasted is not None:
        world.now = start + lasted
        who.tell(ends=(contract.End(told.id, world.now + who.ahead),), offset_us=-who.ahead)
    return told.id


def test_first_run_on_friday_and_again_on_saturday(world: World) -> None:
    world.now = FRIDAY - DAY
    anna = agent(world, "anna")
    ran(world, anna, FRIDAY)
    ran(world, anna, SATURDAY)

    assert names(window(world)) == ["anna"]
    assert [one["sha256"] for one in day(world, "2026-11-20")["executables"]] == [UNKNOWN]
    assert day(world, "2026-11-21")["executables"] == [], "on Saturday it was not new any more"


def test_started_on_friday_and_still_running(world: World) -> None:
    world.now = FRIDAY - DAY
    anna, boris = agent(world, "anna", 1), agent(world, "boris", 2)
    ran(world, anna, FRIDAY, lasted=None)
    ran(world, boris, FRIDAY, lasted=HOUR)

    (patient,) = window(world)
    assert patient["host"] == "anna"
    (program,) = patient["executables"]
    assert program["end"] is None
    assert program["start"] == "2026-11-20T12:00:00+01:00"
    assert program["uncertain"] is False


def test_it_ran_for_two_days_around_the_window(world: World) -> None:
    world.now = FRIDAY - DAY
    ran(world, agent(world, "anna"), FRIDAY, lasted=2 * DAY)
    assert names(window(world)) == ["anna"]
    assert window(world, "2026-11-22T12:00:01", "2026-11-22T13:00") == []


def test_allowed_on_sunday_was_not_allowed_on_saturday(world: World) -> None:
    world.now = FRIDAY - DAY
    anna = agent(world, "anna")
    ran(world, anna, SATURDAY, lasted=None)
    world.now = SUNDAY
    world.run(world.desk().decide(ADMIN, Wish("allow", UNKNOWN, why="looked at it")))

    assert names(window(world)) == ["anna"]
    assert window(world, "2026-11-22T10:01", "2026-11-22T11:00") == [], "from then on it was allowed"
    (told,) = day(world, "2026-11-21")["executables"]
    assert (told["verdict_then"], told["verdict_now"]) == ("unknown", "allowed")


def test_an_allow_that_was_taken_back_is_remembered(world: World) -> None:
    world.now = FRIDAY - DAY
    anna = agent(world, "anna")
    world.run(world.desk().decide(ADMIN, Wish("allow", UNKNOWN, why="pilot")))
    ran(world, anna, FRIDAY, lasted=None)
    world.now = SUNDAY
    world.run(world.desk().withdraw(ADMIN, "allow", UNKNOWN))

    assert window(world) == []
    (told,) = day(world, "2026-11-20")["executables"]
    assert (told["verdict_then"], told["verdict_now"]) == ("allowed", "unknown")


def test_denied_at_half_past_eight_while_it_ran(world: World) -> None:
    world.now = FRIDAY - DAY
    anna = agent(world, "anna")
    world.run(world.desk().decide(ADMIN, Wish("allow", UNKNOWN, why="looked fine")))
    ran(world, anna, at("21 08:00"), lasted=None)
    world.now = at("21 08:35")
    world.run(world.desk().decide(ADMIN, Wish("deny", UNKNOWN, why="it is not")))

    (patient,) = window(world)
    (program,) = patient["executables"]
    assert (patient["host"], program["verdict"], program["uncertain"]) == ("anna", "denied", True)
    assert window(world, "2026-11-21T08:00", "2026-11-21T08:30") == []


def test_five_milliseconds_are_enough(world: World) -> None:
    world.now = FRIDAY - DAY
    ran(world, agent(world, "anna"), SATURDAY, lasted=5_000)
    (patient,) = window(world, "2026-11-21T08:41", "2026-11-21T08:41")
    assert patient["executables"][0]["end"] == "2026-11-21T08:41:00.005000+01:00"


def test_both_ends_belong_to_the_window(world: World) -> None:
    world.now = FRIDAY - DAY
    ran(world, agent(world, "anna"), SATURDAY, lasted=0)
    assert names(window(world, "2026-11-21T08:41", "2026-11-21T08:50")) == ["anna"]
    assert names(window(world, "2026-11-21T08:30", "2026-11-21T08:41")) == ["anna"]
    assert window(world, "2026-11-21T08:30", "2026-11-21T08:40:59") == []


def test_an_agent_offline_from_friday_to_monday_tells_on_monday(world: World) -> None:
    world.now = FRIDAY - DAY
    anna = agent(world, "anna")
    before = day(world, "2026-11-21")["executables"]
    world.now = SUNDAY
    world.run(world.desk().decide(ADMIN, Wish("allow", UNKNOWN, why="known from elsewhere")))
    world.now = MONDAY
    told = execution(world, UNKNOWN, started_us=SATURDAY)
    anna.tell(told, ends=(contract.End(told.id, SATURDAY + SECOND),))

    assert names(window(world)) == ["anna"], "it was allowed on Sunday, not yet when it ran"
    assert before == []
    (late,) = day(world, "2026-11-21")["executables"]
    assert (late["sha256"], late["verdict_then"], late["verdict_now"]) == (UNKNOWN, "unknown", "allowed")


def test_a_late_start_of_what_the_host_had_before_is_no_less_a_patient(world: World) -> None:
    world.now = FRIDAY - DAY
    anna = agent(world, "anna")
    ran(world, anna, FRIDAY - HOUR)
    world.now = SUNDAY
    world.run(world.desk().decide(ADMIN, Wish("allow", UNKNOWN, why="looked at it")))
    ran(world, anna, SUNDAY + HOUR)
    world.now = MONDAY
    anna.tell(execution(world, UNKNOWN, started_us=SATURDAY))
    assert names(window(world)) == ["anna"]


def test_content_that_could_not_be_read_is_listed_without_a_hash(world: World) -> None:
    world.now = FRIDAY - DAY
    ran(world, agent(world, "anna"), SATURDAY, sha256=None, path="/tmp/gone")
    (patient,) = window(world)
    assert [(one["sha256"], one["path"]) for one in patient["executables"]] == [(None, "/tmp/gone")]
    assert [(one["host"], one["path"]) for one in day(world, "2026-11-21")["unreadable"]] == [("anna", "/tmp/gone")]


def test_the_first_patient_comes_first(world: World) -> None:
    world.now = FRIDAY - DAY
    agents = {name: agent(world, name, number) for number, name in enumerate(("anna", "boris", "clara"), 1)}
    for name, minutes in (("clara", 0), ("anna", 2), ("boris", 1)):
        ran(world, agents[name], SATURDAY + minutes * MINUTE)
    assert names(window(world)) == ["clara", "boris", "anna"]
    spread = world.rest("GET", f"/v1/reports/spread/{UNKNOWN}").json()
    assert [each["host"] for each in spread["arrivals"]] == ["clara", "boris", "anna"]
    assert spread["hosts"] == 3


@pytest.mark.parametrize("ahead", [10 * MINUTE, -10 * MINUTE, DAY, -DAY])
def test_a_clock_that_is_wrong_loses_no_patient(world: World, ahead: int) -> None:
    world.now = FRIDAY - DAY
    anna = agent(world, "anna")
    anna.ahead = ahead
    ran(world, anna, SATURDAY, lasted=2 * SECOND)

    (patient,) = window(world)
    start = datetime.fromisoformat(patient["executables"][0]["start"])
    assert abs(start.timestamp() * SECOND - SATURDAY) <= SECOND
    assert [one["sha256"] for one in day(world, "2026-11-21")["executables"]] == [UNKNOWN]


@pytest.mark.parametrize(
    ("step", "uncertain"), [(10 * MINUTE, False), (-10 * MINUTE, True), (DAY, False), (-DAY, True)]
)
def test_a_clock_that_is_set_between_start_and_report_loses_no_patient(
    world: World, step: int, uncertain: bool
) -> None:
    """Set forward, the start seems older and the program, still running, surely ran; set back, it may be younger."""
    world.now = FRIDAY - DAY
    anna = agent(world, "anna")
    ran(world, anna, FRIDAY - HOUR, sha256=OTHER)
    world.now = SATURDAY
    told = execution(world, UNKNOWN, started_us=SATURDAY)
    anna.ahead += step  # the clock is set before the start could be reported
    world.now = SATURDAY + 30 * SECOND
    anna.tell(told, offset_us=-anna.ahead)

    (patient,) = window(world)
    (program,) = patient["executables"]
    assert (patient["host"], program["sha256"], program["uncertain"]) == ("anna", UNKNOWN, uncertain)


@pytest.mark.parametrize(
    ("begin", "end", "found"),
    [
        ("2026-10-25T02:30", "2026-10-25T02:40", ["anna", "boris"]),
        ("2026-10-25T02:30+02:00", "2026-10-25T02:40+02:00", ["anna"]),
        ("2026-10-25T02:30+01:00", "2026-10-25T02:40+01:00", ["boris"]),
    ],
)
def test_the_hour_that_comes_twice_in_autumn_is_both(world: World, begin: str, end: str, found: list[str]) -> None:
    first = round(datetime.fromisoformat("2026-10-25T02:35+02:00").timestamp()) * SECOND
    world.now = first - DAY
    anna, boris = agent(world, "anna", 1), agent(world, "boris", 2)
    ran(world, anna, first, sha256=UNKNOWN)
    ran(world, boris, first + HOUR, sha256=OTHER)
    assert names(window(world, begin, end)) == found
    assert len(day(world, "2026-10-25")["executables"]) == 2


def test_a_day_of_25_hours_ends_at_its_own_midnight(world: World) -> None:
    midnight = round(datetime.fromisoformat("2026-10-26T00:00+01:00").timestamp()) * SECOND
    world.now = midnight - 3 * DAY
    anna = agent(world, "anna")
    ran(world, anna, midnight - SECOND, lasted=0, sha256=UNKNOWN)
    ran(world, anna, midnight, lasted=0, sha256=OTHER)
    assert [one["sha256"] for one in day(world, "2026-10-25")["executables"]] == [UNKNOWN]
    assert [one["sha256"] for one in day(world, "2026-10-26")["executables"]] == [OTHER]


def test_quarantine_exactly_these_and_nobody_who_must_stay(world: World) -> None:
    world.now = FRIDAY - DAY
    world.enforce()
    agents = [agent(world, name, number) for number, name in enumerate(("anna", "boris", "clara"), 1)]
    for each in agents[:2]:
        ran(world, each, SATURDAY)
    from api.admin.hosts import protect

    world.run(world.desk().host(ADMIN, agents[1].host_id, protect, on=True, why="it is the file server"))
    patients = [each["host_id"] for each in window(world)]
    assert len(patients) == 2

    planned = world.rest("POST", "/v1/reports/quarantine", json={"hosts": patients, "preview": True}).json()["planned"]
    assert {one["host"]: bool(one["why_not"]) for one in planned} == {"anna": False, "boris": True}
    done = world.rest("POST", "/v1/reports/quarantine", json={"hosts": patients, "why": "saturday"}).json()

    assert done["quarantined"] == ["anna"]
    assert [(one["host"], one["why"]) for one in done["stayed"]] == [("boris", "it is on the never-quarantine list")]
    states = {each.name: world.rest("GET", f"/v1/hosts/{each.host_id}").json() for each in agents}
    assert states["anna"]["ordered"]["what"] == "quarantine"
    assert states["clara"]["access"] == "production"

"""The breaker's arithmetic: places, limits, windows; and that nothing exceeds them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_policy.breaker import (
    FLEET,
    MINUTE,
    TENANT,
    Granted,
    Limit,
    Limits,
    Missing,
    Request,
    ask,
    executable_level,
    levels,
    limits_of,
    rank,
    site_level,
)
from radius_policy.model import DEFAULT_TENANT, SECOND, BreakerPlace, HostId

NOW = 1_000_000 * SECOND
THREE = Limits(Limit(3), Limit(10, 10 * MINUTE), Limit(1000, 60 * MINUTE), Limit(1000, 60 * MINUTE))


def request(host: str, key: str = "n", at: int = NOW, moved: bool = False, site: str = "main") -> Request:
    return Request(DEFAULT_TENANT, HostId(host), site, key, at, moved)


class Places:
    """Stored places, taken as the shell does it."""

    def __init__(self, limits: Limits = THREE) -> None:
        self.stored: list[BreakerPlace] = []
        self.limits = limits

    def take(self, of: Request) -> Granted | Missing:
        answer = ask(of, [place for place in self.stored if place.level in levels(of)], self.limits)
        if isinstance(answer, Granted):
            self.stored += answer.places
        return answer


def test_a_move_takes_one_place_at_each_level() -> None:
    places = Places()
    places.take(request("pc1"))
    assert places.stored == [
        BreakerPlace(DEFAULT_TENANT, level, HostId("pc1"), "n", NOW)
        for level in (executable_level("n"), site_level("main"), FLEET, TENANT)
    ]


def test_the_fourth_host_of_an_executable_finds_no_place_and_takes_none() -> None:
    places = Places()
    answers = [places.take(request(f"pc{n}")) for n in range(4)]
    assert [isinstance(answer, Granted) for answer in answers] == [True, True, True, False]
    assert isinstance(answers[3], Missing)
    assert answers[3] == Missing(executable_level("n"), 3, 3, None)
    assert len({place.host_id for place in places.stored}) == 3


def test_a_roll_out_of_three_files_moves_three_hosts_not_nine() -> None:
    places = Places()
    for host in ("pc1", "pc2", "pc3"):
        places.take(request(host, "file 1"))
        for file in ("file 2", "file 3"):
            places.take(request(host, file, moved=True))
    assert len({place.host_id for place in places.stored if place.level == FLEET}) == 3
    assert isinstance(places.take(request("pc4", "file 2")), Missing)
    assert levels(request("pc1", "file 2", moved=True)) == (executable_level("file 2"),), "all that need be read"


def test_one_host_never_uses_up_the_share_of_others() -> None:
    places = Places()
    for n in range(50):
        places.take(request("noisy", f"hash {n}"))
    assert len([place for place in places.stored if place.level == site_level("main")]) == 1
    assert isinstance(places.take(request("patient zero", "dropper")), Granted)


def test_the_sites_window_slides_and_the_executables_does_not() -> None:
    places = Places()
    for n in range(10):
        places.take(request(f"pc{n}", f"hash {n}"))
    full = places.take(request("pc10", "hash 10"))
    assert isinstance(full, Missing)
    assert full == Missing(site_level("main"), 10, 10, 10 * MINUTE)
    assert isinstance(places.take(request("pc10", "hash 10", at=NOW + 10 * MINUTE)), Granted)
    assert isinstance(places.take(request("elsewhere", "hash 11", site="branch")), Granted)


def test_who_holds_a_place_of_the_executable_still_needs_one_of_the_site_once_its_window_is_over() -> None:
    places = Places()
    places.take(request("pc1"))
    again = places.take(request("pc1", at=NOW + 10 * MINUTE))
    assert isinstance(again, Granted)
    assert [place.level for place in again.places] == [site_level("main")]


def test_a_site_with_a_limit_of_its_own_is_held_to_it_and_places_elsewhere_do_not_count() -> None:
    places = Places(replace(THREE, sites={"branch": Limit(1, 10 * MINUTE)}))
    assert isinstance(places.take(request("pc1", "a", site="branch")), Granted)
    full = ask(request("pc2", "b", site="branch"), places.stored, places.limits)
    assert isinstance(full, Missing)
    assert (full.level, full.limit) == (site_level("branch"), 1)
    assert isinstance(ask(request("pc2", "b"), places.stored, places.limits), Granted)


def test_a_missing_place_says_which_limit_and_how_long() -> None:
    missing = Missing(site_level("main"), 10, 10, 10 * MINUTE)
    assert missing.reason.text == "limit of 10 hosts within 10 minutes reached at site:main"


@pytest.mark.parametrize(("hosts", "places"), [(0, 10), (1, 3), (20, 4), (8, 3), (1500, 10), (20_000, 10)])
def test_percent_bounds_small_fleets_and_the_number_bounds_large_ones(hosts: int, places: int) -> None:
    assert Limits().site.places(hosts) == places


def test_in_a_batch_places_go_to_what_runs_then_to_the_latest_start_then_by_id() -> None:
    started = {"b": (False, 5), "a": (False, 5), "c": (False, 9), "d": (True, 1)}
    order = sorted(started, key=lambda host: rank(HostId(host), running=started[host][0], at=started[host][1]))
    assert order == ["d", "c", "a", "b"]


def test_limits_are_read_from_the_setting_and_nonsense_is_refused_with_a_sentence() -> None:
    limits = limits_of({"executable": {"number": 5}, "sites": {"branch": {"number": 2, "window_s": 60}}})
    assert (limits.executable.number, limits.of_site("branch"), limits.of_site("main").number) == (
        5,
        Limit(2, 60 * SECOND, 20.0, 3),
        10,
    )
    nobody = limits_of({"executable": {"number": 0}, "fleet": {"percent": 0, "least": 0}})
    assert (nobody.executable.places(50), nobody.fleet.places(50)) == (0, 0), "a limit of none moves nobody"
    there = "there is no limit 'exectuable'; there are executable, fleet, site, sites, tenant"
    with pytest.raises(ValueError, match=there):
        limits_of({"exectuable": {}})
    with pytest.raises(ValueError, match=r"sites\.branch takes number, percent, least and window_s"):
        limits_of({"sites": {"branch": {"hours": 2}}})
    with pytest.raises(ValueError, match="fleet needs numbers"):
        limits_of({"fleet": {"number": -1}})


STARTS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 12), st.integers(0, 5 * 60), st.sampled_from(["main", "branch"])),
    max_size=120,
)


@given(STARTS)
def test_no_sequence_of_starts_exceeds_a_limit(starts: list[tuple[int, int, int, str]]) -> None:
    places, at = Places(), NOW
    moved: set[int] = set()
    for host, program, pause, site in starts:
        at += pause * SECOND
        answer = places.take(request(f"pc{host}", f"hash {program}", at=at, moved=host in moved, site=site))
        if isinstance(answer, Granted):
            moved.add(host)
        for level, limit in ((site_level(site), 10), (executable_level(f"hash {program}"), 3)):
            window = 10 * MINUTE if level.startswith("site") else at + 1
            hosts = {each.host_id for each in places.stored if each.level == level and each.at > at - window}
            assert len(hosts) <= limit

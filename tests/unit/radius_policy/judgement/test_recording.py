"""One start, and all that follows from it in the same transaction."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radius_policy import judgement
from radius_policy.grace import RuleSet
from radius_policy.judgement import UnknownHost
from radius_policy.model import (
    Access,
    BreakerPlace,
    Executable,
    Execution,
    HostId,
    MacAccess,
    Micros,
    OrderState,
    Posture,
    Prevalence,
    VerdictWord,
)
from tests.world import DAY, HOUR, MINUTE, START, T, World, sha


@pytest.fixture
def world() -> World:
    return World()


def test_an_unknown_program_moves_its_host_and_all_of_it_is_in_one_transaction(world: World) -> None:
    world.host("pc")
    before = world.store.reading().last_change()
    decision = world.start("pc", "N", r"C:\Temp\n.exe")
    assert (decision.verdict.word, decision.sighting, decision.first_in_fleet) == (VerdictWord.UNKNOWN, True, True)
    assert (decision.moved, decision.contained, decision.alert) == (True, False, True)
    assert decision.state is not None
    assert (decision.state.posture, decision.state.access) == (Posture.POTENTIAL_PROBLEM, Access.REMEDIATION)
    assert [order.state for order in decision.orders] == [OrderState.PLANNED]
    noted = {change.kind for change in world.store.reading().changes_since(before)}
    assert noted == {"access", "order", "host", "event", "executable"}


def test_radius_answers_the_new_generation_for_every_mac_of_the_host(world: World) -> None:
    world.host("pc")
    first = world.state("pc").generation
    world.start("pc", "N")
    (row,) = world.store.reading().find(MacAccess, tenant=T)
    assert (row.access, row.generation) == (Access.REMEDIATION, world.state("pc").generation)
    assert row.generation > first


def test_a_second_unknown_on_a_moved_host_is_judged_by_itself_and_takes_no_new_generation(world: World) -> None:
    world.host("pc")
    world.start("pc", "N")
    generation = world.state("pc").generation
    second = world.start("pc", "M")
    assert (second.moved, second.orders) == (False, ())
    assert world.state("pc").generation == generation
    world.allow("N")
    assert world.posture("pc") is Posture.POTENTIAL_PROBLEM
    assert world.access("pc") is Access.REMEDIATION
    world.allow("M")
    assert (world.posture("pc"), world.access("pc")) == (Posture.HEALTHY, Access.PRODUCTION)


def test_while_one_program_is_allowed_another_unknown_still_moves(world: World) -> None:
    world.host("pc")
    world.allow("N")
    assert not world.start("pc", "N").moved
    assert world.start("pc", "M").moved


def test_a_host_nobody_enrolled_is_refused_and_nothing_is_written(world: World) -> None:
    with pytest.raises(UnknownHost):
        world.start("stranger", "N")
    assert world.store.reading().find(Execution, tenant=T) == []


def test_a_denied_program_that_ran_compromises_and_one_that_was_refused_does_not(world: World) -> None:
    world.host("ran"), world.host("refused")
    world.deny("D")
    world.start("ran", "D", held=False)
    world.start("refused", "D", held=True)
    assert world.posture("ran") is Posture.COMPROMISED
    assert world.posture("refused") is Posture.HEALTHY
    assert [event.host_id for event in world.events("denied_refused")] == ["refused"]


def test_in_monitor_everything_is_decided_and_told_and_nobody_is_moved() -> None:
    world = World("monitor")
    for host in world.hosts(5):
        decision = world.start(host, "N")
        assert decision.held.value == "released"
    assert world.moved() == []
    assert all(world.posture(f"pc00{n}") is Posture.POTENTIAL_PROBLEM for n in range(1, 6))
    assert world.places("fleet") == set()


def test_a_group_may_be_in_another_mode_than_its_site() -> None:
    world = World("monitor")
    world.put(_mode({"default": "monitor", "groups": {"lab": "enforce"}}))
    world.host("lab1", groups=("lab",)), world.host("office")
    assert world.start("lab1", "N").moved
    assert not world.start("office", "N").moved


def _mode(value: dict[str, object]):  # type: ignore[no-untyped-def]
    from radius_policy.model import Setting

    return Setting(T, "mode", value, 2, "test", START)


def test_prevalence_counts_hosts_not_starts(world: World) -> None:
    for host in world.hosts(2):
        world.start(host, "N")
        world.start(host, "N")
    fleet = world.store.reading().get(Prevalence, T, sha("N"), "fleet")
    assert fleet is not None
    assert fleet.hosts == 2


def test_a_late_start_dates_the_executable_back(world: World) -> None:
    world.host("a"), world.host("b")
    world.start("a", "N")
    world.start("b", "N", began=START - DAY)
    executable = world.store.reading().get(Executable, T, sha("N"))
    assert executable is not None
    assert (executable.first_seen, executable.first_host) == (START - DAY, "b")


def test_unreadable_content_is_unknown_by_host_and_start_and_only_a_clear_decides_it(world: World) -> None:
    world.host("pc")
    assert world.start("pc", "", id="gone-0001").moved
    assert [reason.key for reason in world.reasons("pc")] == ["gone-0001"]
    world.clear("pc")
    assert world.access("pc") is Access.PRODUCTION


def test_a_source_without_identity_is_unjudgeable_never_healthy_and_never_moved_by_default(world: World) -> None:
    world.host("pc")
    decision = world.start("pc", "", judgeable=False)
    assert decision.verdict.word is VerdictWord.UNJUDGEABLE
    assert (world.posture("pc"), world.access("pc")) == (Posture.UNMONITORED, Access.PRODUCTION)


def test_an_end_is_taken_once_and_only_from_its_own_host(world: World) -> None:
    world.host("pc"), world.host("other")
    world.start("pc", "N", id="ends-0001")

    def ended(host: str, at: Micros) -> bool:
        with world.store.transaction() as tx:
            return judgement.finish(tx, T, HostId(host), "ends-0001", at, False, now=world.now + HOUR)

    assert not ended("other", world.now)
    assert ended("pc", world.now - DAY)
    assert not ended("pc", world.now)
    known = world.store.reading().get(Execution, T, "ends-0001")
    assert known is not None
    assert known.ended == known.started


def test_an_empty_policy_allows_nothing() -> None:
    world = World(rules=RuleSet())
    world.host("pc")
    assert world.start("pc", "N", provenance="package:apt:x@1").verdict.word is VerdictWord.UNKNOWN


def test_a_reason_of_the_past_rule_version_is_kept_with_the_start(world: World) -> None:
    world.host("pc")
    world.start("pc", "N", id="kept-0001")
    known = world.store.reading().get(Execution, T, "kept-0001")
    assert known is not None
    assert known.rules == world.policy.rules.version != ""


# --- properties -----------------------------------------------------------------------------------------------------

NAMES = ("A", "B", "C", "D", "E")
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.integers(0, 7), st.sampled_from(NAMES)),
        st.tuples(st.just("allow"), st.integers(0, 7), st.sampled_from(NAMES)),
        st.tuples(st.just("deny"), st.integers(0, 7), st.sampled_from(NAMES)),
        st.tuples(st.just("clear"), st.integers(0, 7), st.sampled_from(NAMES)),
        st.tuples(st.just("wait"), st.integers(0, 7), st.sampled_from(NAMES)),
        st.tuples(st.just("pause"), st.integers(0, 1), st.sampled_from(NAMES)),
    ),
    max_size=30,
)
SMALL = {
    "executable": {"number": 2, "percent": 100},
    "site": {"number": 4, "percent": 100, "window_s": 600},
    "fleet": {"number": 1000, "percent": 100},
    "tenant": {"number": 1000, "percent": 100},
}
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def played(deeds: list[tuple[str, int, str]]) -> World:
    world = World(limits=SMALL)
    world.hosts(8)
    for deed, number, name in deeds:
        host = f"pc{number + 1:03d}"
        match deed:
            case "start":
                world.start(host, name, held=bool(number % 2))
            case "allow":
                world.allow(name)
            case "deny":
                world.deny(name)
            case "clear":
                world.clear(host)
            case "wait":
                world.later(4 * MINUTE)
            case "pause":
                world.pause(bool(number))
    return world


@QUICK
@given(DEEDS)
def test_no_sequence_of_events_exceeds_the_breaker(deeds: list[tuple[str, int, str]]) -> None:
    world = played(deeds)
    for name in NAMES:
        assert len(world.places(f"executable:{sha(name)}")) <= 2
    taken = world.store.reading().find(BreakerPlace, tenant=T, level="site:main")
    for last in taken:
        assert len({each.host_id for each in taken if last.at - 10 * MINUTE < each.at <= last.at}) <= 4
    placed = {each.host_id for each in taken}
    assert {event.host_id for event in world.events("moved")} <= placed


@QUICK
@given(DEEDS, st.sampled_from(NAMES))
def test_adding_an_allow_entry_never_moves_a_host_away(deeds: list[tuple[str, int, str]], name: str) -> None:
    world = played(deeds)
    before = set(world.moved())
    assert world.allow(name).moved == ()
    assert set(world.moved()) <= before


@QUICK
@given(DEEDS, st.sampled_from(NAMES))
def test_a_recompute_is_idempotent(deeds: list[tuple[str, int, str]], name: str) -> None:
    world = played(deeds)
    world.deny(name)
    states = [world.state(f"pc{n:03d}") for n in range(1, 9)]
    generation = max(state.generation for state in states)
    again = world.recompute([sha(name)])
    assert (again.moved, again.released) == ((), ())
    assert [world.state(f"pc{n:03d}") for n in range(1, 9)] == states
    assert max(state.generation for state in states) == generation


@QUICK
@given(
    st.lists(st.tuples(st.integers(0, 7), st.sampled_from(NAMES)), min_size=1, max_size=14, unique=True),
    st.randoms(use_true_random=False),
)
def test_the_order_of_arrival_decides_which_host_and_never_what_or_how_many(
    starts: list[tuple[int, str]], random: object
) -> None:
    shuffled = list(starts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = played([]), played([])
    wide = {**SMALL, "site": {"number": 1000, "percent": 100}}
    for world, order in ((one, starts), (other, shuffled)):
        from radius_policy.model import Setting

        world.put(Setting(T, "breaker", wide, 2, "test", START))
        for host, name in order:
            world.start(f"pc{host + 1:03d}", name)
    for name in NAMES:
        assert one.contained(name) == other.contained(name)
        assert len(one.places(f"executable:{sha(name)}")) == len(other.places(f"executable:{sha(name)}"))

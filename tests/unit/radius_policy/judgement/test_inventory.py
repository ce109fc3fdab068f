"""The inventory: one line for each content, what each endpoint listed kept with it, and what a person then confirms."""

import pytest

from radius_policy import judgement
from radius_policy.judgement import inventory
from radius_policy.judgement.inventory import Line, Open
from radius_policy.model import Host, HostId, ListEntry, Listing, Posture, Sha256
from tests.world import T, World, sha


@pytest.fixture
def world() -> World:
    return World("learn")


def scan(world: World, host: str, *lines: Line) -> None:
    with world.store.transaction() as tx:
        known = tx.get(Host, T, HostId(host))
        assert known is not None
        inventory.take(tx, known, lines, now=world.now)


def line(what: str, *, proven: bool = False) -> Line:
    return Line(sha(what), f"/usr/bin/{what}", "tools@1", proven)


def lines(world: World) -> list[ListEntry]:
    return world.store.reading().find(ListEntry, tenant=T, order="value")


def waiting(world: World) -> set[Open]:
    return set(inventory.unconfirmed(world.store.reading(), T))


def test_a_content_is_one_line_on_however_many_hosts_it_lies(world: World) -> None:
    for host in world.hosts(5):
        scan(world, host, line("office"), line("browser", proven=True))
    assert len(lines(world)) == 2
    assert waiting(world) == {Open(sha("office"), 5, False), Open(sha("browser"), 5, True)}


def test_what_one_host_lists_or_proves_says_nothing_of_another(world: World) -> None:
    one, other = world.hosts(2)
    scan(world, one, line("tool", proven=True))
    scan(world, other, line("office"))
    reading = world.store.reading()
    assert inventory.lists(reading, T, one, sha("tool")) is True
    assert inventory.lists(reading, T, other, sha("office")) is False
    assert inventory.lists(reading, T, other, sha("tool")) is None
    assert inventory.listed_by(reading, T, sha("tool"), [one, other]) == 1


def test_a_scan_that_comes_again_changes_nothing_and_a_proof_found_later_counts(world: World) -> None:
    host = world.host("pc")
    scan(world, host, line("tool"), line("office", proven=True))
    before = world.store.reading().find(Listing, tenant=T), lines(world)
    scan(world, host, line("tool"), line("office"))
    assert (world.store.reading().find(Listing, tenant=T), lines(world)) == before
    scan(world, host, line("tool", proven=True))
    assert inventory.lists(world.store.reading(), T, host, sha("tool")) is True
    assert Open(sha("tool"), 1, True) in waiting(world)


def test_a_content_at_two_places_of_a_host_is_proven_where_one_of_them_is(world: World) -> None:
    scan(world, world.host("pc"), line("tool", proven=True), Line(sha("tool"), "/opt/copy"))
    (only,) = lines(world)
    assert (only.proven, only.name) == (True, "/usr/bin/tool")


def test_a_hash_is_found_at_the_border_of_two_lines_only_where_it_is_one() -> None:
    inside = bytes(range(32))
    made = inventory.listing(T, HostId("pc"), 0, {b"\0" + inside[:31]: True, b"\x02" * 32: False})
    assert inventory._listed(made.lines, b"\0" + inside[:31]) is True
    assert inventory._listed(made.lines, b"\x02" * 32) is False
    assert inventory._listed(made.lines, made.lines[1:33]) is None


def test_hosts_that_started_a_program_count_beside_those_that_list_it(world: World) -> None:
    hosts = world.hosts(5)
    scan(world, hosts[0], line("office"))
    for host in hosts[:4]:  # the first has it listed and started: one host
        world.start(host, "office", held=False)
    assert waiting(world) == {Open(sha("office"), 4, False)}
    assert next(iter(waiting(world))).speaks_for_itself


def test_leaving_learn_confirms_proof_and_many_hosts_and_leaves_the_rest_to_a_person(world: World) -> None:
    hosts = world.hosts(4)
    for host in hosts:
        scan(world, host, line("office"))
    scan(world, hosts[0], line("owned", proven=True), line("rare"), line("vouched"))
    plan = world.mode("enforce", confirm=(sha("vouched"),))
    assert {found for found, _ in plan.confirmed} == {sha("office"), sha("owned"), sha("vouched")}
    assert plan.open_lines == ((sha("rare"), 1),)
    assert {each.value for each in lines(world) if each.confirmed} == {sha("office"), sha("owned"), sha("vouched")}
    assert not world.start(hosts[1], "office").moved
    assert world.start(hosts[2], "rare").moved


def test_confirming_a_line_ends_no_reason_of_a_denied_program(world: World) -> None:
    for host in world.hosts(4):
        scan(world, host, line("office"))
    world.deny("office")
    world.start("pc001", "office", held=False)
    assert world.posture("pc001") is Posture.COMPROMISED
    world.mode("enforce")
    assert world.posture("pc001") is Posture.COMPROMISED


def test_lines_can_be_confirmed_before_the_mode_changes_in_short_works(world: World) -> None:
    for host in world.hosts(4):
        scan(world, host, line("office"), line("browser"))
    plan = judgement.preview_mode(world.store.reading(), T, {"default": "enforce"}, now=world.now, policy=world.policy)
    for found, _ in plan.confirmed:
        with world.store.transaction() as tx:
            assert [e.value for e in inventory.confirm(tx, T, [found], author="ann", now=world.now)] == [found]
            assert inventory.confirm(tx, T, [found], author="bob", now=world.now) == []
    with world.store.transaction() as tx:
        did = judgement.set_mode(
            tx, T, {"default": "enforce"}, now=world.now, policy=world.policy, author="ann", plan=plan
        )
    assert did.confirmed == plan.confirmed
    assert {each.why for each in lines(world)} == {"confirmed by ann when leaving learn"}
    assert waiting(world) == set()


def test_a_host_that_is_forgotten_takes_its_share_with_it(world: World) -> None:
    one, other, third = world.hosts(3)
    scan(world, one, line("own"), line("shared"), line("started"))
    scan(world, other, line("shared"))
    world.start(third, "started", held=False)
    records = 0
    with world.store.transaction() as tx:
        while gone := inventory.forget_share(tx, T, one):
            records += gone
    assert records == len({inventory.part_of(sha(what)) for what in ("own", "shared", "started")}) + 1
    assert {each.value for each in lines(world)} == {sha("shared"), sha("started")}
    assert waiting(world) == {Open(sha("shared"), 1, False), Open(sha("started"), 1, False)}


def test_what_nobody_has_any_more_is_not_offered(world: World) -> None:
    with world.store.transaction() as tx:
        inventory.learned(tx, T, Sha256(sha("gone")), proven=False, now=world.now)
    assert waiting(world) == set()

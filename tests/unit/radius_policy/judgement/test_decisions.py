"""A person's decision and what it changes: releases, compromises, places, trips; in batches and again."""

import pytest

from radius_policy import judgement
from radius_policy.judgement.decisions import Removal
from radius_policy.model import Access, ListKind, Posture, VerdictWord
from tests.world import HOUR, T, World, sha


@pytest.fixture
def world() -> World:
    return World()


def test_allowing_frees_every_host_it_touched_and_orders_the_moves_back(world: World) -> None:
    hosts = world.hosts(6)
    for host in hosts:
        world.start(host, "N")
    assert len(world.moved()) == 3
    done = world.allow("N")
    assert sorted(done.released) == hosts[:3]
    assert world.moved() == []
    back = [order for order in world.orders() if order.access is Access.PRODUCTION]
    assert {order.host_id for order in back} == set(hosts[:3])
    assert not any(order.tightens for order in back)


def test_a_trip_ends_when_the_executable_is_allowed_and_stays_when_it_is_denied(world: World) -> None:
    for host in world.hosts(4):
        world.start(host, "N")
        world.start(host, "M")
    world.allow("N")
    world.deny("M")
    assert not world.contained("N")
    assert world.contained("M")


def test_a_decision_in_many_small_batches_is_the_same_decision(world: World) -> None:
    hosts = world.hosts(7)
    for host in hosts:
        world.start(host, "N")
    world.recompute([sha("N")], limit=2)
    entry = world.decide("allow", ListKind.HASH, sha("N"))
    assert entry.done
    assert all(world.posture(host) is Posture.HEALTHY for host in hosts)
    again = world.recompute([sha("N")], limit=2)
    assert (again.hosts, again.released, again.moved) == (0, (), ())


def test_an_allow_of_one_site_frees_that_site_only(world: World) -> None:
    world.host("a", site="berlin"), world.host("b", site="paris")
    world.start("a", "N"), world.start("b", "N")
    world.allow("N", scope="site:berlin")
    assert (world.access("a"), world.access("b")) == (Access.PRODUCTION, Access.REMEDIATION)


def test_an_expired_entry_moves_nobody_and_new_starts_are_judged_anew(world: World) -> None:
    world.host("old"), world.host("new")
    world.allow("N", expires=world.now + HOUR)
    world.start("old", "N")
    world.later(2 * HOUR)
    world.recompute([sha("N")])
    assert world.posture("old") is Posture.HEALTHY
    assert world.start("new", "N").moved


def test_taking_an_allow_entry_away_moves_nobody(world: World) -> None:
    world.host("pc")
    world.allow("N")
    world.start("pc", "N")
    done = world.withdraw_entry()
    assert done.moved == ()
    assert world.posture("pc") is Posture.HEALTHY
    assert world.start("pc", "N").moved


def test_taking_a_deny_away_leaves_what_nothing_allows_undecided(world: World) -> None:
    world.host("pc")
    world.start("pc", "N", held=False)
    world.deny("N")
    assert world.posture("pc") is Posture.COMPROMISED
    world.withdraw_entry()
    assert (world.posture("pc"), world.access("pc")) == (Posture.POTENTIAL_PROBLEM, Access.REMEDIATION)


def test_a_deny_counts_for_starts_of_the_past_and_moves_up_to_the_breaker(world: World) -> None:
    world.allow("N")
    hosts = world.hosts(8)
    for host in hosts:
        world.start(host, "N", held=False)
    world.withdraw_entry()
    world.deny("N")
    assert all(world.posture(host) is Posture.COMPROMISED for host in hosts)
    assert len(world.moved()) == 3
    assert world.moved() == hosts[-3:]  # the latest starts have the places


def test_a_deny_after_a_clear_is_a_new_reason(world: World) -> None:
    world.host("pc")
    world.start("pc", "N", held=False)
    world.clear("pc")
    world.deny("N")
    assert world.posture("pc") is Posture.COMPROMISED


def test_a_signer_that_is_allowed_frees_what_it_validly_signed_alone(world: World) -> None:
    world.host("good"), world.host("bad")
    world.start("good", "A", signer="Contura", signer_state="valid")
    world.start("bad", "B", signer="Contura", signer_state="invalid")
    world.decide("allow", ListKind.SIGNER, "Contura")
    assert (world.access("good"), world.access("bad")) == (Access.PRODUCTION, Access.REMEDIATION)


def test_a_package_that_is_allowed_frees_proven_files_of_it(world: World) -> None:
    world.host("pc")
    world.start("pc", "A", provenance="installer:choco:tool@1", proven=True)
    assert world.moved() == ["pc"]
    world.decide("allow", ListKind.PACKAGE, "choco:tool@1")
    assert world.moved() == []


def test_removing_what_is_not_there_is_said(world: World) -> None:
    with world.store.transaction() as tx, pytest.raises(LookupError, match="no list entry 'nope'"):
        judgement.decide_list(tx, Removal(T, "nope"), now=world.now, policy=world.policy)


def test_two_tenants_never_see_each_others_decisions(world: World) -> None:
    from dataclasses import replace

    from radius_policy.judgement.policy import Policy
    from radius_policy.model import Host, HostState, TenantId

    world.host("pc")
    world.start("pc", "N")
    other = TenantId(2)
    entry_policy = Policy.load(world.store.reading(), other)
    with world.store.transaction() as tx:
        host = tx.get(Host, T, "pc")
        assert host is not None
        tx.put(replace(host, tenant=other))
        from radius_policy.model import ListEntry

        touched = judgement.decide_list(
            tx, ListEntry(other, "e", "allow", ListKind.HASH, sha("N")), now=world.now, policy=entry_policy
        )
        judgement.recompute(tx, other, touched.executables, now=world.now, policy=touched.policy)
    state = world.store.reading().get(HostState, T, "pc")
    assert state is not None
    assert state.access is Access.REMEDIATION


def test_a_denied_executable_sets_no_precedent_any_more(world: World) -> None:
    updater = world.inventory(r"C:\Program Files\App\Update.exe", signer="App", role="updater")
    world.host("a")
    world.allow("v1")
    app = {"path": r"C:\Program Files\App\app.exe", "parent": updater, "signer": "App", "signer_state": "valid"}
    world.start("a", "v1", **app)  # type: ignore[arg-type]
    assert world.start("a", "v2", **app).verdict.word is VerdictWord.GRACED  # type: ignore[arg-type]
    world.deny("v1")
    world.host("b")
    assert world.start("b", "v3", **app).verdict.word is VerdictWord.UNKNOWN  # type: ignore[arg-type]

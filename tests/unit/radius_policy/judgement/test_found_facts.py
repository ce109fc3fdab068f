"""The facts that only the store knows, each found out by its function; what is not known stays missing."""

from typing import Any

import pytest

from radius_policy.facts.table import FACTS, Value
from radius_policy.judgement.circumstances import Circumstances
from radius_policy.judgement.found_facts import FOUND, facts_of
from radius_policy.model import Executable, Execution, Host, HostExecutable, HostId, ParentRef
from tests.world import DAY, HOUR, MINUTE, T, World, sha


@pytest.fixture
def world() -> World:
    return World("monitor")


def facts(
    world: World, host: str, what: str, path: str = r"C:\Program Files\App\app.exe", **more: Any
) -> dict[str, Value]:
    """All facts of a start that is about to happen."""
    reading = world.store.reading()
    execution = Execution(
        T, "asked-0001", HostId(host), sha(what) if what else None, path, 1, world.now, world.now, **more
    )
    known = reading.get(Host, T, HostId(host))
    assert known is not None
    executable = reading.get(Executable, T, execution.sha256)
    before = reading.get(HostExecutable, T, HostId(host), execution.sha256)
    return facts_of(Circumstances(reading, world.policy, execution, known, world.now, executable, before)).all()


def test_every_fact_found_out_here_stands_in_the_table_of_facts() -> None:
    assert set(FOUND) <= set(FACTS)


def test_of_a_bare_start_nothing_is_claimed_that_could_earn_trust(world: World) -> None:
    world.host("pc")
    known = facts(world, "pc", "N")
    assert not {name for name in known if name.startswith(("writer", "parent", "previous_version", "image", "ring"))}
    assert "signer.known" not in known
    assert known["signer.seen"] is False


def test_the_parents_verdict_is_as_of_now_on_this_host(world: World) -> None:
    world.host("pc"), world.host("other")
    parent = ParentRef(r"C:\x\x.exe", sha("X"))
    assert "parent.verdict" not in facts(world, "pc", "N", parents=(parent,))
    world.start("pc", "X", r"C:\x\x.exe")
    assert facts(world, "pc", "N", parents=(parent,))["parent.verdict"] == "unknown"
    assert "parent.verdict" not in facts(world, "other", "N", parents=(parent,))
    world.allow("X")
    assert facts(world, "other", "N", parents=(parent,))["parent.verdict"] == "allowed"
    world.deny("X")
    assert facts(world, "other", "N", parents=(parent,))["parent.verdict"] == "denied"


def test_a_signers_place_and_parent_count_only_from_other_allowed_executables(world: World) -> None:
    world.host("pc")
    updater = world.inventory(r"C:\Program Files\App\Update.exe", signer="App")
    signed = {"signer": "App", "signer_state": "valid", "parents": (updater,)}
    known = facts(world, "pc", "v2", **signed)
    assert (known["signer.known"], known["signer.used_place_before"], known["signer.used_parent_before"]) == (True,) * 3
    elsewhere = facts(world, "pc", "v2", r"D:\app.exe", **signed)
    assert elsewhere["signer.used_place_before"] is False
    stranger = facts(world, "pc", "v2", signer="Other", signer_state="valid", parents=(updater,))
    assert (stranger["signer.known"], stranger["signer.used_parent_before"]) == (False, False)
    invalid = facts(world, "pc", "v2", signer="App", signer_state="invalid", parents=(updater,))
    assert "signer.known" not in invalid


def test_a_program_that_lost_its_signature_is_seen(world: World) -> None:
    world.host("pc")
    world.inventory(r"C:\Program Files\App\app.exe", signer="App")
    assert facts(world, "pc", "v2", signer_state="unsigned")["signer.lost"] is True
    assert facts(world, "pc", "v2", signer="App", signer_state="valid")["signer.lost"] is False
    assert facts(world, "pc", "v2", r"C:\Program Files\App\other.exe")["signer.lost"] is False


def test_an_earlier_version_has_the_best_verdict_it_ever_had(world: World) -> None:
    world.host("pc")
    assert "previous_version.verdict" not in facts(world, "pc", "v2")
    world.inventory(r"C:\Program Files\App\app.exe")
    assert facts(world, "pc", "v2")["previous_version.verdict"] == "allowed"


def test_prevalence_counts_the_other_hosts(world: World) -> None:
    for host in world.hosts(3):
        world.start(host, "N")
    world.host("pc")
    assert facts(world, "pc", "N")["prevalence.fleet.hosts"] == 3
    assert facts(world, "pc001", "N")["prevalence.fleet.hosts"] == 2
    assert facts(world, "pc", "N")["prevalence.last_10_minutes"] == 3
    world.later(11 * MINUTE)
    assert facts(world, "pc", "N")["prevalence.last_10_minutes"] == 0
    world.later(2 * HOUR - 11 * MINUTE)
    assert facts(world, "pc", "N")["age"] == pytest.approx(2, abs=0.01)


def test_the_pilot_ring_counts_hosts_users_and_hours(world: World) -> None:
    for n, host in enumerate(world.hosts(3, "pilot", groups=("pilot",))):
        world.put(_with_user(world, host, f"user {n % 2}"))
        world.start(host, "N", provenance="package:apt:n@1", proven=True)
    world.host("pc")
    world.later(DAY)
    known = facts(world, "pc", "N")
    assert (known["ring.pilot.hosts"], known["ring.pilot.users"], known["ring.pilot.incident"]) == (3, 2, False)
    assert known["ring.pilot.hours"] == pytest.approx(24, abs=0.01)
    world.deny("N")
    assert facts(world, "pc", "N")["ring.pilot.incident"] is True


def _with_user(world: World, host: str, user: str) -> Host:
    from dataclasses import replace

    known = world.store.reading().get(Host, T, HostId(host))
    assert known is not None
    return replace(known, user=user)


def test_fresh_hosts_of_one_image_see_each_other(world: World) -> None:
    for n in range(3):
        world.host(f"img{n}", image="win11", enrolled_at=world.now - 10 * MINUTE)
    world.host("old", image="win11")
    known = facts(world, "img0", "N")
    assert known["host.fresh_peers"] == 2
    assert known["host.age"] == pytest.approx(10, abs=0.1)
    world.start("img1", "N", provenance="image:win11@3", proven=True)
    assert facts(world, "img0", "N")["image.member"] is True

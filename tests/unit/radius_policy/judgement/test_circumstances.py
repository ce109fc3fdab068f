"""What surrounds a start: content facts of the first sighting, the tool that wrote it, costly facts asked once."""

from typing import Any

import pytest

from radius_policy.judgement import found_facts
from radius_policy.judgement.circumstances import Circumstances, SlotsOf, content_facts, listed_verdict
from radius_policy.judgement.found_facts import facts_of
from radius_policy.model import Executable, Execution, GraceSlot, Host, HostExecutable, HostId, ParentRef, VerdictWord
from tests.world import T, World, sha


@pytest.fixture
def world() -> World:
    world = World("monitor")
    world.host("pc")
    return world


def around(world: World, what: str, path: str = r"C:\Program Files\App\app.exe", **more: Any) -> Circumstances:
    reading = world.store.reading()
    execution = Execution(T, "asked-0001", HostId("pc"), sha(what), path, 1, world.now, world.now, **more)
    executable = reading.get(Executable, T, execution.sha256)
    before = reading.get(HostExecutable, T, HostId("pc"), execution.sha256)
    return Circumstances(reading, world.policy, execution, pc(world), world.now, executable, before)


def pc(world: World) -> Host:
    host = world.store.reading().get(Host, T, HostId("pc"))
    assert host is not None
    return host


def test_content_is_what_it_was_at_the_first_sighting_on_a_host(world: World) -> None:
    world.start("pc", "N", signer="App", signer_state="valid")
    later = around(world, "N", signer="App", signer_state="expired")
    assert (facts_of(later)["signer.state"], later.signer) == ("valid", "App")


def test_a_costly_fact_is_asked_only_when_read_and_then_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def age(_: Circumstances) -> int:
        asked.append("age")
        return 5

    monkeypatch.setitem(found_facts.FOUND, "age", age)
    facts = facts_of(around(world, "N"))
    assert asked == []
    assert (facts["age"], facts["age"], asked) == (5, 5, ["age"])


def test_a_tool_has_its_role_at_its_home_alone(world: World) -> None:
    updater = world.inventory(r"C:\Program Files\App\Update.exe", role="updater")
    assert facts_of(around(world, "N", writer=updater))["writer.role"] == "updater"
    copy = ParentRef(r"C:\Users\ann\Downloads\Update.exe", updater.sha256)
    assert facts_of(around(world, "N", writer=copy))["writer.role"] is None


def test_a_lists_word_on_a_content_needs_no_start(world: World) -> None:
    assert listed_verdict(world.policy, content_facts(sha("N"), pc(world), None), world.now) is None
    world.allow("N")
    found = listed_verdict(world.policy, content_facts(sha("N"), pc(world), None), world.now)
    assert found is not None
    assert found.word is VerdictWord.ALLOWED


def test_slots_are_counted_by_rule_and_executable(world: World) -> None:
    world.put(*(GraceSlot(T, "r", sha("N"), HostId(f"pc{n}"), 1, 100) for n in range(3)))
    slots = SlotsOf(world.store.reading(), T, "pc1", sha("N"))
    assert (slots.used("r"), slots.until("r"), slots.used("other"), slots.first) == (3, 100, 0, True)

"""Baseline scans."""

from health_agent.contract import Inventory, InventoryLine, Signer
from radius_policy.model import Evidence, Execution, HostState, ListEntry, Listing, PostureReason, Tool
from tests.unit.api.world import Agent, World, answered, execution


def sha(number: int) -> str:
    return f"{number:064x}"


def scan(agent: Agent, count: int, **fields: object) -> Inventory:
    lines = tuple(
        InventoryLine(sha(n), f"/usr/bin/tool{n}", package="tools@1", proven=n % 2 == 0) for n in range(count)
    )
    return agent.message(Inventory, lines=lines, **fields)


def entries(world: World) -> list[ListEntry]:
    return world.read(lambda tx: tx.find(ListEntry, tenant=1, order="value"))


def test_a_scan_becomes_lines_that_decide_nothing_yet(world: World) -> None:
    agent = world.agent()
    world.enforce()
    answered(agent.send(scan(agent, 3, last=True), "/v1/inventory"))
    assert [(e.value, e.scope, e.proven, e.why, e.confirmed, e.name) for e in entries(world)] == [
        (sha(0), "fleet", True, "tools@1", False, "/usr/bin/tool0"),
        (sha(1), "fleet", False, "tools@1", False, "/usr/bin/tool1"),
        (sha(2), "fleet", True, "tools@1", False, "/usr/bin/tool2"),
    ]
    assert agent.tell(execution(world, sha(1))).verdicts[0].verdict == "unknown"


def test_a_large_scan_is_recorded_in_pieces_and_wholly(world: World) -> None:
    agent = world.agent()
    answered(agent.send(scan(agent, 1999), "/v1/inventory"))
    assert len(entries(world)) == 1999
    assert len(world.read(lambda tx: tx.find(Evidence, tenant=1))) == 1


def test_sending_a_part_again_changes_nothing(world: World) -> None:
    agent = world.agent()
    part = scan(agent, 600)
    assert answered(agent.send(part, "/v1/inventory")).repeated is False
    before = entries(world)
    assert answered(agent.send(part, "/v1/inventory")).repeated is True
    assert entries(world) == before


def test_an_empty_scan_is_a_scan(world: World) -> None:
    agent = world.agent()
    assert answered(agent.send(scan(agent, 0, last=True), "/v1/inventory")).repeated is False


def test_switching_to_enforce_confirms_proven_lines_and_what_they_list_is_allowed(world: World) -> None:
    agent = world.agent()
    answered(agent.send(scan(agent, 2), "/v1/inventory"))
    world.enforce()
    assert {e.value for e in entries(world) if e.confirmed} == {sha(0)}
    verdicts = [agent.tell(execution(world, sha(n))).verdicts[0].verdict for n in (0, 1)]
    assert verdicts == ["allowed", "unknown"]


def test_the_scan_of_another_host_adds_no_line_for_what_is_listed_already(world: World) -> None:
    for agent in (world.agent(), world.agent()):
        answered(agent.send(scan(agent, 300), "/v1/inventory"))
    assert len(entries(world)) == 300
    listings = world.read(lambda tx: tx.find(Listing, tenant=1))
    assert sum(len(each.lines) // 33 for each in listings) == 600


def test_a_tool_is_judged_by_all_lines_of_the_part_not_by_those_of_its_piece(world: World) -> None:
    """The vendor signs a program of the same folder, whose hash puts it into another piece: it does sign."""
    agent = world.agent()
    folder = "C:\\Users\\ann\\AppData\\Local\\chat\\"
    updater = InventoryLine(sha(1), f"{folder}Update.exe")
    signed = InventoryLine("f" * 64, f"{folder}chat.exe", signer=Signer("valid", name="Chat Inc"))
    others = (InventoryLine(sha(n), f"/usr/bin/tool{n}") for n in range(2, 400))
    answered(agent.send(agent.message(Inventory, lines=(updater, *others, signed)), "/v1/inventory"))
    (tool,) = world.read(lambda tx: tx.find(Tool, tenant=1, role="updater"))
    assert tool.never_signed is False


def test_tool_roles_are_proposed_and_not_confirmed(world: World) -> None:
    agent = world.agent()
    lines = (
        InventoryLine(sha(1), "/usr/bin/apt-get", proven=True),
        InventoryLine(sha(2), "/usr/bin/bash", proven=True),
    )
    answered(agent.send(agent.message(Inventory, lines=lines), "/v1/inventory"))
    tools = world.read(lambda tx: tx.find(Tool, tenant=1, order="sha256"))
    assert [(tool.role, tool.confirmed) for tool in tools] == [("package_manager", False), ("shell", False)]


def test_an_inventory_is_no_execution(world: World) -> None:
    agent = world.agent()
    answered(agent.send(scan(agent, 5), "/v1/inventory"))
    assert world.read(lambda tx: tx.count(Execution, tenant=1)) == 0


def test_leaving_learn_settles_what_hosts_started_undecided_before_anybody_is_moved(world: World) -> None:
    """What many hosts run is confirmed, and its open reasons are gone by the time that moves begin."""
    agents = [world.agent(f"desk-{n}", f"02:00:00:00:01:{n:02x}") for n in range(4)]
    for agent in agents:
        agent.tell(execution(world, sha(9)))
    assert len(world.read(lambda tx: tx.find(PostureReason, tenant=1))) == 4
    agents[0].tell(execution(world, sha(8)))
    world.enforce()
    left = world.read(lambda tx: tx.find(PostureReason, tenant=1))
    assert [(each.key, each.host_id) for each in left] == [(sha(8), agents[0].host_id)]
    states = world.read(lambda tx: tx.find(HostState, tenant=1, access="remediation"))
    assert [state.host_id for state in states] == [agents[0].host_id]

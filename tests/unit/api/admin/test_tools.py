"""Who confirms what a program is trusted to do, and what follows from it for what that program writes."""

import pytest

from api.admin import tools
from api.admin.tools import ToolWish
from api.auth.roles import Forbidden, Identity, Role
from api.errors import NotFound, Refused
from health_agent.contract import Inventory, InventoryLine, Program
from radius_policy.model import AuditLine, Tool, ToolRole
from tests.unit.api.world import ADMIN, Agent, World, answered, execution, problem

DEPLOYER, SHELL, OWN = "d" * 64, "5" * 64, "0" * 64
NEW = "e" * 64


@pytest.fixture
def agent(world: World) -> Agent:
    """A host whose inventory lists a deployment agent, a shell, and a tool with a name that says nothing."""
    made = world.agent()
    world.enforce()
    lines = (
        InventoryLine(DEPLOYER, "/opt/deploy/opsiclientd"),
        InventoryLine(SHELL, "/usr/bin/bash", proven=True),
        InventoryLine(OWN, "/opt/acme/bin/acme-rollout"),
    )
    answered(made.send(made.message(Inventory, lines=lines, last=True), "/v1/inventory"))
    return made


def confirm(world: World, text: str = DEPLOYER, who: Identity = ADMIN, **wish: object) -> Tool:
    return world.write(lambda tx: tools.confirm_tool(tx, who, text, ToolWish(**wish), now=world.now))


def told(world: World, agent: Agent, sha256: str = NEW) -> tuple[str, str]:
    """Verdict and reason when the deployment agent starts something new."""
    parents = (Program("/opt/deploy/opsiclientd", DEPLOYER, 77, "root"), Program("/usr/lib/systemd/systemd", None, 1))
    notice = agent.tell(execution(world, sha256, "/opt/new/app", parents=parents)).verdicts[0]
    return str(notice.verdict), notice.reason


def test_an_inventory_proposes_and_nothing_is_trusted_before_a_person_confirms(world: World, agent: Agent) -> None:
    found = world.read(lambda tx: tools.tools(tx, 1))
    assert [(t.name, t.role, t.confirmed) for t in found] == [
        ("opsiclientd", ToolRole.DEPLOYMENT, False),
        ("bash", ToolRole.SHELL, False),
    ]
    assert told(world, agent)[0] == "unknown"


def test_what_a_tool_trusted_as_proof_starts_is_proven_from_the_next_start_on(world: World, agent: Agent) -> None:
    assert told(world, agent)[0] == "unknown"
    made = confirm(world, why="our software distribution")
    assert (made.confirmed, made.trust, made.author) == (True, "proof", ADMIN.name)
    assert told(world, agent, "f" * 64)[0] == "allowed"


def test_trust_grace_is_bounded_in_hours_and_hosts(world: World, agent: Agent) -> None:
    other = world.agent("desk-2", "02:00:00:00:00:22")
    confirm(world, trust="grace", hours=8, max_hosts=1)
    assert told(world, agent) == ("graced", "rule managed-installer graces it here for 8.0 more hours")
    assert told(world, other)[0] == "unknown"


def test_confirming_again_changes_only_what_is_named(world: World, agent: Agent) -> None:
    confirm(world, trust="grace", hours=8, max_hosts=50)
    made = confirm(world, hours=24)
    assert (made.trust, made.hours, made.max_hosts) == ("grace", 24, 50)
    assert confirm(world, trust="proof").trust == "proof"


def test_a_later_inventory_changes_nothing_that_was_confirmed(world: World, agent: Agent) -> None:
    confirm(world)
    other = world.agent("desk-2", "02:00:00:00:00:22")
    scan = other.message(Inventory, lines=(InventoryLine(DEPLOYER, "/opt/deploy/opsiclientd"),), last=True)
    answered(other.send(scan, "/v1/inventory"))
    assert world.read(lambda tx: tx.get(Tool, 1, DEPLOYER)).confirmed


def test_a_tool_whose_role_is_taken_away_vouches_for_nothing(world: World, agent: Agent) -> None:
    confirm(world)
    world.write(lambda tx: tools.remove_tool(tx, ADMIN, DEPLOYER[:8], why="gone", now=world.now))
    assert told(world, agent)[0] == "unknown"
    with pytest.raises(NotFound, match="has no tool role"):
        world.write(lambda tx: tools.remove_tool(tx, ADMIN, DEPLOYER, now=world.now))


def test_a_program_whose_name_says_nothing_gets_a_role_by_its_inventory_line(world: World, agent: Agent) -> None:
    with pytest.raises(Refused, match="proposes no role for acme-rollout"):
        confirm(world, OWN)
    made = confirm(world, OWN, role=ToolRole.DEPLOYMENT)
    assert (made.name, made.trust) == ("acme-rollout", "proof")
    with pytest.raises(NotFound, match="no inventory lists"):
        confirm(world, "9" * 64, role=ToolRole.DEPLOYMENT)


@pytest.mark.parametrize(
    ("text", "wish", "says"),
    [
        (SHELL, {"role": ToolRole.DEPLOYMENT}, "bash is a shell: as a deployment tool it would vouch"),
        (SHELL, {"trust": "proof"}, "only a deployment tool has a trust"),
        (DEPLOYER, {"trust": "blind"}, "is no trust"),
        (DEPLOYER, {"hours": 8}, "belong to trust grace"),
        (DEPLOYER, {"trust": "grace", "hours": 0}, "hours of a trust is between 1"),
        (DEPLOYER, {"trust": "grace", "max_hosts": -1}, "max_hosts of a trust is between 1"),
        ("opsiclientd", {}, "is no SHA-256"),
    ],
)
def test_what_makes_no_sense_is_refused(
    world: World, agent: Agent, text: str, wish: dict[str, object], says: str
) -> None:
    with pytest.raises(Refused, match=says):
        confirm(world, text, **wish)


def test_a_shell_stays_no_deployment_tool_even_after_its_role_was_taken_away(world: World, agent: Agent) -> None:
    world.write(lambda tx: tools.remove_tool(tx, ADMIN, SHELL, now=world.now))
    with pytest.raises(Refused, match="bash is a shell"):
        confirm(world, SHELL, role=ToolRole.DEPLOYMENT)


def test_it_takes_an_admin_and_leaves_a_line_in_the_audit(world: World, agent: Agent) -> None:
    operator = Identity("olga", 1, Role.OPERATOR)
    with pytest.raises(Forbidden):
        confirm(world, who=operator)
    confirm(world, why="ticket 7")
    [line] = world.read(lambda tx: [l for l in tx.find(AuditLine, tenant=1) if l.what == "tool.confirm"])  # noqa: E741
    assert (line.who, line.subject, line.detail["why"], line.detail["trust"]) == (
        ADMIN.name,
        DEPLOYER,
        "ticket 7",
        "proof",
    )


def test_rest_lists_confirms_and_removes(world: World, agent: Agent) -> None:
    assert [one["name"] for one in world.rest("GET", "/v1/tools", params={"role": "deployment"}).json()] == [
        "opsiclientd"
    ]
    made = world.rest("PUT", f"/v1/tools/{DEPLOYER}", json={"trust": "grace", "hours": 12})
    assert made.status_code == 200, made.text
    assert (made.json()["trust"], made.json()["hours"], made.json()["max_hosts"]) == ("grace", 12, 10)
    assert told(world, agent)[0] == "graced"
    assert problem(world.rest("PUT", f"/v1/tools/{'9' * 64}", json={"role": "deployment"})) == "not-found"
    assert world.rest("DELETE", f"/v1/tools/{DEPLOYER}").status_code == 204
    assert problem(world.rest("DELETE", f"/v1/tools/{DEPLOYER}")) == "not-found"

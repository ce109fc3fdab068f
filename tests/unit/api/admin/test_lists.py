"""Allowing and denying, and everything that follows."""

import pytest

from api.admin import lists
from api.admin.lists import Wish
from api.audit import verify
from api.auth.roles import Forbidden, Identity, Role
from api.errors import Conflict, NotFound, Refused
from radius_policy.model import SECOND, AuditLine, HostState, ListEntry, ListKind, MacAccess
from tests.unit.api.world import ADMIN, MAC, World, execution, problem

SHA = "a" * 64


def access(world: World, host_id: str) -> str:
    state = world.read(lambda tx: tx.get(HostState, 1, host_id))
    assert state is not None
    return state.access


def decide(world: World, action: str, value: str = SHA, who: Identity = ADMIN, **more: object) -> object:
    return world.run(world.desk().decide(who, Wish(action, value, **more)))


def test_allowing_an_unknown_releases_its_host_and_asks_the_agent_to_forget(world: World) -> None:
    agent = world.agent()
    world.enforce()
    agent.tell(execution(world))
    assert access(world, agent.host_id) == "remediation"
    _, settled = decide(world, "allow", why="the new editor")
    assert access(world, agent.host_id) == "production"
    assert settled.released == [agent.host_id]
    answer = world.read(lambda tx: tx.get(MacAccess, 1, MAC))
    assert answer.access == "production"
    [order] = agent.beat().orders
    assert (order.action, order.sha256) == ("forget", SHA)
    assert agent.tell(execution(world)).verdicts[0].verdict == "allowed"


def test_two_unknowns_one_allowed_is_still_a_problem(world: World) -> None:
    agent = world.agent()
    world.enforce()
    agent.tell(execution(world), execution(world, "b" * 64))
    decide(world, "allow")
    assert access(world, agent.host_id) == "remediation"
    decide(world, "allow", "b" * 64)
    assert access(world, agent.host_id) == "production"


def test_a_deny_reaches_those_who_ran_it_before(world: World) -> None:
    agent = world.agent()
    decide(world, "allow")
    world.enforce()
    agent.tell(execution(world))
    assert access(world, agent.host_id) == "production"
    _, settled = decide(world, "deny", why="it was ransomware")
    assert access(world, agent.host_id) == "remediation"
    assert settled.moved == [agent.host_id]


def test_the_newest_word_of_a_person_about_the_same_hash_counts(world: World) -> None:
    agent = world.agent()
    world.enforce()
    decide(world, "deny")
    agent.tell(execution(world))
    assert access(world, agent.host_id) == "remediation"
    decide(world, "allow")
    assert agent.tell(execution(world)).verdicts[0].verdict == "allowed"
    assert [entry.action for entry in world.read(lambda tx: tx.find(ListEntry, tenant=1))] == ["allow"]


def test_a_hash_is_named_by_its_first_digits_when_it_is_known(world: World) -> None:
    world.agent().tell(execution(world, "abcdef0123" + "0" * 54))
    entry, _ = decide(world, "allow", "ABCDEF01")
    assert entry.value == "abcdef0123" + "0" * 54


@pytest.mark.parametrize(
    ("text", "says"),
    [("abcdef0", "too short"), ("notahash", "no SHA-256"), ("a" * 65, "no SHA-256"), ("abcdef01", "several")],
)
def test_a_hash_that_names_nothing_single_is_refused_with_the_reason(world: World, text: str, says: str) -> None:
    world.agent().tell(execution(world, "abcdef01" + "0" * 56), execution(world, "abcdef01" + "1" * 56))
    with pytest.raises(Refused, match=says):
        decide(world, "allow", text)


def test_digits_of_an_executable_that_nobody_ran_name_nothing(world: World) -> None:
    with pytest.raises(NotFound, match="give all 64 digits"):
        decide(world, "allow", "12345678")


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (Wish("allow", SHA, scope="everywhere"), "no scope"),
        (Wish("allow", SHA, expires=5), "expired already"),
        (Wish("allow", " ", ListKind.SIGNER), "needs a value"),
        (Wish("perhaps", SHA), 'no "perhaps" list'),
        (Wish("allow", "Acme", ListKind.PRODUCT), "MINIMUM-VERSION"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(world: World, wish: Wish, says: str) -> None:
    with pytest.raises(Refused, match=says):
        world.run(world.desk().decide(ADMIN, wish))


def test_the_same_entry_twice_is_a_conflict(world: World) -> None:
    decide(world, "allow")
    with pytest.raises(Conflict, match="already"):
        decide(world, "allow")


def test_an_operator_of_a_site_decides_for_that_site_alone(world: World) -> None:
    local = Identity(1, "ann", Role.OPERATOR, ("branch",), "cookie")
    decide(world, "allow", who=local, scope="site:branch")
    with pytest.raises(Forbidden, match="all sites"):
        decide(world, "allow", who=local)
    with pytest.raises(Forbidden, match="site main"):
        decide(world, "allow", who=local, scope="site:main")


def test_a_viewer_decides_nothing(world: World) -> None:
    with pytest.raises(Forbidden, match="operator"):
        decide(world, "allow", who=Identity(1, "vic", Role.VIEWER))
    assert world.read(lambda tx: tx.count(ListEntry, tenant=1)) == 0


def test_taking_an_entry_away_moves_nobody_and_counts_for_the_next_start(world: World) -> None:
    agent = world.agent()
    decide(world, "allow")
    world.enforce()
    agent.tell(execution(world))
    world.run(world.desk().withdraw(ADMIN, "allow", SHA))
    assert access(world, agent.host_id) == "production"
    assert agent.tell(execution(world)).verdicts[0].verdict == "unknown"


def test_what_is_not_on_the_list_cannot_be_taken_off(world: World) -> None:
    with pytest.raises(NotFound, match="nothing on the deny list"):
        world.run(world.desk().withdraw(ADMIN, "deny", SHA))


def test_every_decision_is_in_the_audit_with_its_author(world: World) -> None:
    decide(world, "allow", why="because")
    world.run(world.desk().withdraw(ADMIN, "allow", SHA))
    lines = world.read(lambda tx: tx.find(AuditLine, tenant=1, order="number"))
    assert [(line.who, line.what, line.subject) for line in lines] == [
        ("cli:tester", "allow.add", SHA),
        ("cli:tester", "allow.remove", SHA),
    ]
    assert lines[0].detail["why"] == "because"
    assert world.read(lambda tx: verify(tx, 1)) is None


def test_pages_of_a_list_hold_confirmed_lines_newest_first(world: World) -> None:
    for n in range(5):
        world.now += SECOND
        decide(world, "deny", f"{n:064x}")
    page = world.read(lambda tx: lists.entries(tx, 1, "deny", limit=2))
    assert [entry.value[-1] for entry in page] == ["4", "3"]
    rest = world.read(lambda tx: lists.entries(tx, 1, "deny", limit=10, before=page[-1].created))
    assert [entry.value[-1] for entry in rest] == ["2", "1", "0"]


def test_rest_decides_lists_and_takes_back(world: World) -> None:
    made = world.rest("POST", "/v1/lists/deny", json={"value": SHA, "why": "seen in an incident", "ticket": "T1"})
    assert made.status_code == 201
    assert made.json()["entry"]["author"].startswith("token:")
    listed = world.rest("GET", "/v1/lists/deny").json()
    assert [entry["ticket"] for entry in listed["entries"]] == ["T1"]
    gone = world.rest("DELETE", f"/v1/lists/deny/{made.json()['entry']['id']}")
    assert [entry["value"] for entry in gone.json()["removed"]] == [SHA]
    assert problem(world.rest("DELETE", f"/v1/lists/deny/{SHA}")) == "not-found"


def test_a_misspelt_field_is_an_error_and_not_for_ever(world: World) -> None:
    response = world.rest("POST", "/v1/lists/allow", json={"value": SHA, "expire": 1})
    assert problem(response) == "malformed"
    assert "expire" in response.json()["detail"]


def test_entries_of_one_moment_are_never_cut_apart_by_a_page(world: World) -> None:
    for n in range(5):
        decide(world, "deny", f"{n:064x}")
    page = world.read(lambda tx: lists.entries(tx, 1, "deny", limit=2))
    assert len(page) == 5
    assert world.read(lambda tx: lists.entries(tx, 1, "deny", limit=2, before=page[-1].created)) == []

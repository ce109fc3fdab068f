"""Which switches may ask."""

from dataclasses import replace

import pytest

from api.admin import nas
from api.errors import Conflict, NotFound, Refused
from radius_policy.model import Access, AuditLine, Host, Nas, Order, OrderState, Session
from tests.unit.api.world import ADMIN, MAC, World, problem

SWITCH = Nas(1, "sw1", "10.0.0.2", b"a long secret")


def add(world: World, wanted: Nas = SWITCH, **more: bool) -> Nas:
    return world.write(lambda tx: nas.add_nas(tx, ADMIN, wanted, now=world.now, **more))


def test_an_added_switch_is_told_to_the_radius_process_and_its_secret_stays_in_the_store(world: World) -> None:
    before = world.read(lambda tx: tx.last_change())
    add(world)
    changes = world.read(lambda tx: tx.changes_since(before))
    assert ("nas", "sw1") in [(change.kind, change.key) for change in changes]
    [line] = world.read(lambda tx: tx.find(AuditLine, tenant=1))
    assert "a long secret" not in repr(line)
    assert "secret" not in repr(nas.shown(SWITCH))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"nas_id": "no spaces"}, "no NAS id"),
        ({"address": "switch.example.org"}, "no IP address"),
        ({"coa_address": "nowhere"}, "CoA address"),
        ({"secret": b"short"}, "at least 8"),
        ({"coa_port": 70_000}, "3799"),
        ({"profile": "generc"}, "did you mean generic"),
    ],
)
def test_what_makes_no_sense_is_refused(world: World, change: dict[str, object], says: str) -> None:
    with pytest.raises(Refused, match=says):
        add(world, replace(SWITCH, **change))


def test_a_name_or_an_address_is_taken_once(world: World) -> None:
    add(world)
    with pytest.raises(Conflict, match="--replace"):
        add(world)
    with pytest.raises(Conflict, match="sw1"):
        add(world, replace(SWITCH, nas_id="sw2"))
    assert add(world, replace(SWITCH, profile="lab"), replace=True).profile == "lab"


def remove(world: World, force: bool = False) -> None:
    world.write(lambda tx: nas.remove_nas(tx, ADMIN, "sw1", force=force, now=world.now))


def order(world: World, name: str, state: OrderState, nas_id: str = "sw1") -> None:
    made = Order(1, name, "h", MAC, Access.REMEDIATION, 1, state, world.now, world.now, nas_id=nas_id)
    world.write(lambda tx: tx.put(made))


def test_a_switch_with_moves_under_way_is_not_removed_and_the_refusal_names_them_and_the_way(world: World) -> None:
    add(world)
    world.write(lambda tx: tx.put(Host(1, "h", "desk-1")))
    order(world, "o1", OrderState.SENT)
    order(world, "o2", OrderState.NOT_CONFIRMED)
    with pytest.raises(Conflict, match=r'2 orders to "sw1" under way: .*desk-1 \(02:.*to remediation, sent.*--force'):
        remove(world)
    assert world.read(lambda tx: tx.get(Nas, 1, "sw1"))


def test_forced_what_cannot_go_on_fails_by_name_and_what_is_on_the_wire_runs_out(world: World) -> None:
    add(world)
    states = (OrderState.PLANNED, OrderState.WAITING_FOR_SESSION, OrderState.NOT_CONFIRMED, OrderState.SENT)
    for state in states:
        order(world, state, state)
    order(world, "elsewhere", OrderState.PLANNED, "sw2")
    before = world.read(lambda tx: tx.last_change())
    remove(world, force=True)
    after = {name: world.read(lambda tx, name=name: tx.get(Order, 1, name)) for name in (*states, "elsewhere")}
    assert [after[name].state for name in (*states, "elsewhere")] == ["failed"] * 3 + ["sent", "planned"]
    assert after["planned"].note.startswith("no_profile")
    told = [event for event in world.events() if event.kind == "move_failed"]
    assert len(told) == 3
    assert "no_profile: its NAS was removed" in told[0].text
    noted = {(change.kind, change.key) for change in world.read(lambda tx: tx.changes_since(before))}
    assert {("order", "planned"), ("nas", "sw1")} <= noted, "the RADIUS process hears of it"
    with pytest.raises(NotFound):
        remove(world)


def test_a_move_that_failed_before_keeps_nobody_from_removing_a_dead_switch(world: World) -> None:
    add(world)
    order(world, "o1", OrderState.FAILED)
    remove(world)
    assert world.read(lambda tx: tx.get(Nas, 1, "sw1")) is None


def test_the_whole_view_tells_what_it_can_do_and_who_is_there(world: World) -> None:
    add(world, replace(SWITCH, profile="lab"))
    world.write(lambda tx: tx.put(Session(1, "sw1", b"1", MAC, port="eth7", vlan="10", updated=5)))
    world.write(lambda tx: tx.put(Session(1, "sw1", b"0", MAC, port="eth7", ended=4)))
    order(world, "o1", OrderState.SENT)
    view = world.read(lambda tx: nas.whole_view(tx, nas.find_nas(tx, 1, "sw1")))
    assert view["methods"][0]["kind"]
    assert view["sessions"] == [{"port": "eth7", "mac": MAC, "vlan": "10", "access": None, "updated": 5}]
    assert view["orders"] == [f"h ({MAC}) to remediation, sent"]
    assert "secret" not in repr(view)
    with pytest.raises(NotFound, match='did you mean "sw1"'):
        world.read(lambda tx: nas.find_nas(tx, 1, "sw2"))


def test_rest_never_shows_a_secret(world: World) -> None:
    made = world.rest(
        "PUT", "/v1/nas/sw1", json={"address": "10.0.0.2", "secret": "a long secret", "profile": "generic"}
    )
    assert made.status_code == 200, made.text
    assert "a long secret" not in made.text + world.rest("GET", "/v1/nas").text
    assert world.rest("DELETE", "/v1/nas/sw1").status_code == 204
    assert problem(world.rest("DELETE", "/v1/nas/sw1")) == "not-found"

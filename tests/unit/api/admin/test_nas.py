"""Which switches may ask."""

from dataclasses import replace

import pytest

from api.admin import nas
from api.admin.errors import Conflict, NotFound, Refused
from radius_policy.model import Access, AuditLine, Nas, Order, OrderState
from tests.unit.api.world import ADMIN, World, problem

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
    assert add(world, replace(SWITCH, profile="other"), replace=True).profile == "other"


def test_a_switch_with_open_orders_is_not_removed_unless_forced(world: World) -> None:
    add(world)
    order = Order(1, "o1", "h", "m", Access.REMEDIATION, 1, OrderState.SENT, 0, 0, nas_id="sw1")
    world.write(lambda tx: tx.put(order))
    remove = lambda tx, force=False: nas.remove_nas(tx, ADMIN, "sw1", force=force, now=world.now)  # noqa: E731
    with pytest.raises(Conflict, match="1 orders are open"):
        world.write(remove)
    world.write(lambda tx: remove(tx, force=True))
    with pytest.raises(NotFound):
        world.write(remove)


def test_rest_never_shows_a_secret(world: World) -> None:
    made = world.rest(
        "PUT", "/v1/nas/sw1", json={"address": "10.0.0.2", "secret": "a long secret", "profile": "generic"}
    )
    assert made.status_code == 200, made.text
    assert "a long secret" not in made.text + world.rest("GET", "/v1/nas").text
    assert world.rest("DELETE", "/v1/nas/sw1").status_code == 204
    assert problem(world.rest("DELETE", "/v1/nas/sw1")) == "not-found"

"""How long what is kept, and what is forgotten on request: what an admin in the EU must be able to do."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api import audit, retention
from api.admin.settings import change_setting
from api.errors import Refused
from health_agent import contract
from radius_policy import retention as rules
from radius_policy.model import SECOND, AuditLine, Event, Executable, Execution, Host, HostExecutable, HostId, TenantId
from radius_policy.store.schema import RECORDS
from tests.unit.api.world import ADMIN, World, execution

DAY = 86_400 * SECOND
TENANT = TenantId(1)
KEY = b"k" * 32
HOME = "C:\\Users\\Anna.Berg\\AppData\\Local\\Temp\\x.exe"


def ran(world: World, name: str, number: int, sha256: str, user: str = "CORP\\Anna.Berg", path: str = HOME) -> HostId:
    agent = world.agent(name, mac=f"02:00:00:00:00:{number:02x}")
    parents = (contract.Program("C:\\Users\\anna.berg\\mail.exe", user=user),)
    agent.tell(execution(world, sha256, path, user=user, parents=parents))
    return HostId(agent.host_id)


def apply(world: World, **days: int) -> retention.Kept:
    return world.run(retention.apply(world.store, TENANT, rules.checked(days), now=world.now, key=KEY, author="test"))  # type: ignore[no-any-return]


def everything(world: World) -> str:
    """All records but the audit, which names nobody but admins, as text."""
    kinds = [kind for kind in RECORDS if kind is not AuditLine]
    found = [one for kind in kinds for one in world.read(lambda tx, kind=kind: tx.find(kind, tenant=TENANT))]
    return msgspec.json.encode([msgspec.to_builtins(one) for one in found]).decode().casefold()


def test_starts_past_their_days_go_and_the_day_report_stays(world: World) -> None:
    ran(world, "pc-1", 1, "a" * 64)
    began = world.now
    world.now += 100 * DAY
    ran(world, "pc-2", 2, "b" * 64)
    assert (
        world.run(retention.preview(world.store, TENANT, rules.checked({"executions": 90}), world.now))["executions"]
        == 1
    )

    done = apply(world, executions=90)

    assert done.deleted["executions"] == 1
    assert [one.sha256 for one in world.read(lambda tx: tx.find(Execution, tenant=TENANT))] == ["b" * 64]
    assert world.read(lambda tx: tx.get(Executable, TENANT, "a" * 64)) is not None
    from radius_policy.zones import local, zone

    day = local(began, zone("Europe/Berlin")).date().isoformat()
    told = world.rest("GET", f"/v1/reports/day/{day}").json()
    assert [(one["sha256"], one["verdict_then"]) for one in told["executables"]] == [("a" * 64, "unknown")]
    assert apply(world, executions=90).nothing, "a second run finds nothing"


def test_nothing_that_decides_now_has_an_age(world: World) -> None:
    host_id = ran(world, "pc-1", 1, "a" * 64)
    before = world.rest("GET", f"/v1/hosts/{host_id}").json()
    world.now += 4000 * DAY
    apply(world, executions=0, events=0, messages=0, orders=0, sessions=0, logins=0)
    after = world.rest("GET", f"/v1/hosts/{host_id}").json()
    assert [one["key"] for one in after["reasons"]] == [one["key"] for one in before["reasons"]]
    assert after["posture"] == before["posture"]


def test_the_audit_still_holds_when_its_oldest_lines_are_past_their_days(world: World) -> None:
    for number in range(5):
        world.write(lambda tx, number=number: audit.append(tx, TENANT, at=world.now, who="anna", what=f"deed-{number}"))
        world.now += 100 * DAY
    assert world.read(lambda tx: audit.verify(tx, TENANT)) is None
    done = apply(world, audit=250)
    assert done.deleted["audit"] == 3
    assert world.read(lambda tx: audit.verify(tx, TENANT)) is None
    world.write(lambda tx: audit.append(tx, TENANT, at=world.now, who="anna", what="later"))
    assert world.read(lambda tx: audit.verify(tx, TENANT)) is None

    world.write(lambda tx: tx.delete(AuditLine, tenant=TENANT, number=4))
    assert world.read(lambda tx: audit.verify(tx, TENANT)) == 4, "a line that nobody's retention took is missed"


def test_a_changed_line_is_never_taken_by_retention(world: World) -> None:
    line = world.write(lambda tx: audit.append(tx, TENANT, at=world.now, who="anna", what="deed"))
    world.write(lambda tx: audit.append(tx, TENANT, at=world.now, who="anna", what="deed"))
    world.write(lambda tx: tx.put(dataclasses.replace(line, who="boris")))
    world.now += 4000 * DAY
    assert apply(world).deleted["audit"] == 0
    assert world.read(lambda tx: audit.verify(tx, TENANT)) == line.number


def test_users_become_pseudonyms_wherever_their_names_stand(world: World) -> None:
    host_id = ran(world, "pc-1", 1, "a" * 64)
    ran(world, "pc-2", 2, "b" * 64, user="CORP\\boris", path="/home/boris/x")
    assert "anna.berg" in everything(world)

    done = apply(world, users=0)

    assert done.pseudonymised > 0
    assert "anna.berg" not in everything(world)
    assert "boris" not in everything(world)
    (start,) = world.read(lambda tx: tx.find(Execution, tenant=TENANT, host_id=host_id))
    assert start.user.startswith("user-")
    assert start.path == f"C:\\Users\\{start.user}\\AppData\\Local\\Temp\\x.exe", "one person is one pseudonym"
    assert apply(world, users=0).pseudonymised == 0, "a pseudonym has none of its own"


def test_what_is_younger_keeps_its_names(world: World) -> None:
    ran(world, "pc-1", 1, "a" * 64)
    world.now += 40 * DAY
    ran(world, "pc-2", 2, "b" * 64, user="CORP\\boris", path="/home/boris/x")
    apply(world, users=30)
    users = {one.sha256: one.user for one in world.read(lambda tx: tx.find(Execution, tenant=TENANT))}
    assert users["b" * 64] == "CORP\\boris"
    assert users["a" * 64].startswith("user-")


def test_one_user_is_forgotten_and_nobody_else(world: World) -> None:
    ran(world, "pc-1", 1, "a" * 64)
    ran(world, "pc-2", 2, "b" * 64, user="CORP\\boris", path="/home/boris/x")
    number = world.run(retention.forget_user(world.store, TENANT, "anna.berg", now=world.now, key=KEY, author="test"))
    assert number > 0
    assert "anna.berg" not in everything(world)
    assert "/home/boris/x" in everything(world)
    lines = world.read(lambda tx: tx.find(AuditLine, tenant=TENANT))
    assert "anna.berg" not in json.dumps([dataclasses.asdict(line) for line in lines]).casefold()


def test_a_forgotten_host_leaves_nothing_but_a_line_in_the_audit(world: World) -> None:
    gone, stays = ran(world, "pc-1", 1, "a" * 64), ran(world, "pc-2", 2, "a" * 64)
    host = world.read(lambda tx: tx.get(Host, TENANT, gone))
    assert world.run(retention.forget(world.store, TENANT, host, now=world.now, author="test")) > 3

    for kind in rules.of_host():
        left = world.read(lambda tx, kind=kind: tx.count(kind, tenant=TENANT, host_id=gone))
        assert left == 0, kind.__name__
    assert world.read(lambda tx: tx.count(HostExecutable, tenant=TENANT, host_id=stays)) == 1
    assert world.read(lambda tx: tx.count(Event, tenant=TENANT, host_id=stays)) > 0
    (line,) = world.read(lambda tx: tx.find(AuditLine, tenant=TENANT, what="retention.forget-host"))
    assert line.subject == gone


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"colour": 3}, "no 'colour'"),
        ({"events": -1}, "number of days"),
        ({"events": True}, "number of days"),
        ({"audit": 3}, "at least 90"),
    ],
)
def test_days_that_make_no_sense_are_refused(world: World, value: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        world.write(lambda tx: change_setting(tx, ADMIN, "retention", value, now=world.now))


def test_the_key_of_the_pseudonyms_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = retention.key_in(tmp_path)
    assert retention.key_in(tmp_path) == key
    assert len(key) == 32
    assert (tmp_path / retention.KEY_FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / retention.KEY_FILE).write_bytes(b"short")
    with pytest.raises(OSError, match="no key"):
        retention.key_in(tmp_path)

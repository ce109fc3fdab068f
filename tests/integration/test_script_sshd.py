"""The shipped scripts against a real sshd, started as the service starts them: other user, no shell, no environment."""

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.alerts import script_process
from api.alerts.script_process import Ended
from api.alerts.scripts import Script, command
from lab.switch.shell import UPLINK
from tests.integration.switch_over_ssh import MACS, SwitchOverSsh

USER = "nobody" if os.geteuid() == 0 else ""
pytestmark = [pytest.mark.peer("sshd"), pytest.mark.slow]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another user can look into (pytest's own are private)."""
    with tempfile.TemporaryDirectory(prefix="scripts-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def switch(folder: Path) -> Iterator[SwitchOverSsh]:
    made = SwitchOverSsh(folder / "sw1", USER)
    yield made
    made.close()


def event(kind: str = "moved", **more: Any) -> dict[str, Any]:
    told = {
        "v": 1, "event": kind, "event_id": "e1", "host": "desk-2", "macs": [MACS["port2"]], "mac": MACS["port2"],
        "switch": "sw1", "switch_address": "127.0.0.1", "port": "port2", "never_quarantine": False,
        "facts": {"access": "remediation"}, "access": "remediation", "last": None,
    }  # fmt: skip
    return {**told, **more}


def run(switch: SwitchOverSsh, told: dict[str, Any], *more: str, script: str = "shut_port") -> Ended:
    made = Script("one", (f"pratique:{script}", "--switches", str(switch.file), *more), timeout_s=30)
    return asyncio.run(script_process.run(command(made, Path("/nonexistent"), USER), json.dumps(told).encode()))


def released(ended: Ended) -> dict[str, Any]:
    """The release that follows a run, as the service tells it."""
    return event("released", last={"event": "moved", "output": ended.output.strip()}, facts={"access": "production"})


def test_the_port_of_a_moved_host_goes_down_and_comes_up_on_release(switch: SwitchOverSsh) -> None:
    shut = run(switch, event())
    assert (shut.code, shut.output) == (0, "port2 of sw1 is shut\n")
    assert switch.down() == ["port2"]

    opened = run(switch, released(shut))
    assert (opened.code, opened.output) == (0, "port2 of sw1 is open again\n")
    assert switch.down() == []
    assert switch.links == [{"link": "port2", "up": False}, {"link": "port2", "up": True}]


def test_doing_it_again_changes_nothing(switch: SwitchOverSsh) -> None:
    for _ in range(2):
        ended = run(switch, event())
        assert (ended.code, switch.down()) == (0, ["port2"])


def test_without_accounting_the_port_is_found_by_the_switchs_own_table(switch: SwitchOverSsh) -> None:
    ended = run(switch, event(switch=None, switch_address=None, port=None))
    assert (ended.code, ended.output, switch.down()) == (0, "port2 of sw1 is shut (known by mac-table)\n", ["port2"])
    assert run(switch, released(ended)).code == 0
    assert switch.down() == []


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"port": UPLINK}, "sees the host at port2"),
        ({"port": UPLINK, "macs": ["02:00:00:00:00:77"]}, "is an uplink"),
        ({"port": "port1"}, "sees the host at port2, accounting said port1"),
        ({"port": "port1", "macs": ["02:00:00:00:00:77"]}, "serves somebody else too"),
        ({"never_quarantine": True}, "never-quarantine"),
        ({"switch": "sw9", "switch_address": None}, "not in the file of switches"),
        ({"switch": None, "switch_address": None, "port": None, "macs": ["02:00:00:00:00:77"]}, "seen nowhere"),
        ({"macs": []}, "nothing is known of its MAC"),
    ],
)
def test_what_would_hit_somebody_else_is_refused(switch: SwitchOverSsh, told: dict[str, Any], says: str) -> None:
    ended = run(switch, event(**told))
    assert ended.code == 1
    assert says in ended.output
    assert (switch.down(), switch.links) == ([], [])


def test_an_uplink_is_found_out_even_when_nobody_configured_it(switch: SwitchOverSsh) -> None:
    switch.file.write_text(switch.file.read_text().replace(f'["{UPLINK}"]', "[]"))
    ended = run(switch, event(port=UPLINK, macs=["02:00:00:00:00:77"]))
    assert ended.code == 1
    assert "is an uplink, or serves many" in ended.output
    assert switch.down() == []


def test_only_what_was_shut_by_us_is_opened(switch: SwitchOverSsh) -> None:
    for last in (None, {"event": "moved", "output": ""}, {"event": "released", "output": "port2 of sw1 is open again"}):
        ended = run(switch, event("released", last=last))
        assert (ended.code, ended.output) == (0, "nothing to do for 'released'\n")
    forged = {"event": "moved", "output": f"{UPLINK} of sw1 is shut"}
    assert "is an uplink" in run(switch, event("released", last=forged)).output
    assert switch.links == []


def test_a_switch_that_is_away_is_tried_again_and_a_stranger_in_its_place_is_not(switch: SwitchOverSsh) -> None:
    known = switch.sshd.folder / "known_hosts"
    before = known.read_text()
    known.write_text(
        before.replace(before.split()[2], (switch.sshd.folder / "authorized_keys").read_text().split()[-1])
    )
    stranger = run(switch, event())
    assert (stranger.code, switch.down()) == (78, [])
    assert "host key is not the one" in stranger.output
    known.write_text(before)

    switch.stop()
    ended = run(switch, event())
    assert ended.code == 75
    assert "cannot be talked to" in ended.output


@pytest.mark.parametrize(
    "hostile",
    [
        "port2\nreload",
        "port2 ; reload",
        "-oProxyCommand=sh",
        "port2\r\nshutdown",
        "port2\x00",
        "a" * 65,
        "pörtß",
        "{port}",
    ],
)
def test_a_port_that_is_more_than_a_name_reaches_no_switch(switch: SwitchOverSsh, hostile: str) -> None:
    ended = run(switch, event(port=hostile))
    assert ended.code == 1
    assert "is no name of a port" in ended.output
    assert switch.links == []
    assert "Accepted" not in (switch.folder / "sshd.log").read_text()


def test_a_host_goes_into_a_routers_access_list_and_out_again(switch: SwitchOverSsh) -> None:
    options = ("--router", "sw1")
    done = run(switch, event(), *options, script="router_acl")
    assert (done.code, done.output) == (0, "0200.0000.0012 is in PRATIQUE of sw1\n")
    assert json.loads((switch.folder / "switch.admin").read_text())["lists"] == {"PRATIQUE": ["0200.0000.0012"]}
    assert run(switch, event("released", facts={}), *options, script="router_acl").code == 0
    assert json.loads((switch.folder / "switch.admin").read_text())["lists"] == {"PRATIQUE": []}
    assert run(switch, event(never_quarantine=True), *options, script="router_acl").code == 1
    assert run(switch, event(), "--router", "none", script="router_acl").code == 78


def test_looking_only_changes_nothing(switch: SwitchOverSsh) -> None:
    ended = run(switch, event(), "--dry-run")
    assert (ended.code, ended.output) == (0, "would shut port2 of sw1\n")
    assert switch.links == []


def test_the_switch_is_called_once_for_all_that_is_said_to_it(switch: SwitchOverSsh) -> None:
    assert run(switch, event()).code == 0
    assert (switch.folder / "sshd.log").read_text().count("Accepted publickey") == 1

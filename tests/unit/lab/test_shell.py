"""The switch's command line, line by line."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from lab.switch import control
from lab.switch.shell import UPLINK, WRONG, Shell


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A folder with two ports; what the switch was told."""
    ports = [{"number": n, "name": f"port{n}", "mac": f"02:00:00:00:00:1{n}"} for n in (1, 2)]
    (tmp_path / "switch.json").write_text(json.dumps({"ports": ports}))
    told: list[dict[str, Any]] = []

    def command(path: Path, asked: dict[str, Any]) -> dict[str, Any]:
        assert path == tmp_path / "switch.ctl"
        told.append(asked)
        return {"port1": {"vlan": "10"}, "port2": {"vlan": None}}

    monkeypatch.setattr(control, "command", command)
    return told


def say(folder: Path, *lines: str) -> list[str]:
    out = io.StringIO()
    Shell(folder, out).run(iter([f"{line}\n" for line in lines]))
    return [line for line in out.getvalue().split("\r\n") if line and "#" not in line]


def test_a_port_is_shut_and_opened_for_everybody_who_looks(links: list[dict[str, Any]], tmp_path: Path) -> None:
    assert say(tmp_path, "show interface port1") == ["port1 is up, line protocol is up"]
    assert say(
        tmp_path, "configure terminal", "interface port1", "shutdown", "end", "show interface port1", "exit"
    ) == ["port1 is administratively down, line protocol is down"]
    assert links == [{"link": "port1", "up": False}]
    assert say(tmp_path, "show interface port1") == ["port1 is administratively down, line protocol is down"]
    say(tmp_path, "configure terminal", "interface port1", "no shutdown", "end")
    assert links[1:] == [{"link": "port1", "up": True}]


def test_the_table_of_macs_has_who_is_on_the_network_and_the_uplink_many(
    links: list[dict[str, Any]], tmp_path: Path
) -> None:
    table = say(tmp_path, "show mac address-table")
    assert "  10    0200.0000.0011    DYNAMIC     port1" in table
    assert not any("port2" in line for line in table)
    assert sum(UPLINK in line for line in table) > 3


def test_the_uplink_shuts_like_any_other_port(links: list[dict[str, Any]], tmp_path: Path) -> None:
    say(tmp_path, "configure terminal", f"interface {UPLINK}", "shutdown")
    assert say(tmp_path, f"show interface {UPLINK}")[0].startswith(f"{UPLINK} is administratively down")
    assert links == []


def test_access_lists_are_kept(links: list[dict[str, Any]], tmp_path: Path) -> None:
    deny = "deny host 0200.0000.0011 any"
    say(tmp_path, "configure terminal", "mac access-list extended PRATIQUE", deny, "end")
    assert any(deny.split()[2] in line for line in say(tmp_path, "show access-lists PRATIQUE"))
    say(tmp_path, "configure terminal", "mac access-list extended PRATIQUE", f"no {deny}", "end")
    assert say(tmp_path, "show access-lists PRATIQUE") == ["Extended MAC access list PRATIQUE"]


@pytest.mark.parametrize("line", ["shutdown", "interface port1", "reload", "show interface port9", "configure"])
def test_what_it_does_not_know_it_says(links: list[dict[str, Any]], tmp_path: Path, line: str) -> None:
    assert say(tmp_path, line) == [WRONG]
    assert links == []

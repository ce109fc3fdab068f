"""A dozen endpoints: the same network with more ports."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import dozen
from lab.fabric import ENDPOINTS
from lab.fabric.wide import DOZEN, WideNetns, WideTable, namespace, widened
from lab.processes import Processes
from lab.switch.control import Journal


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path, {})


@pytest.mark.parametrize("kind", [WideNetns, WideTable])
def test_the_switch_has_a_port_for_each_of_twelve(
    kind: type[WideNetns] | type[WideTable], processes: Processes, tmp_path: Path
) -> None:
    config = kind(processes, tmp_path).switch_config()
    ports = config["ports"]
    assert len(ports) == 12
    for fact in ("number", "name", "mac"):
        assert len({port[fact] for port in ports}) == 12
    assert [port["mac"] for port in ports[:3]] == [endpoint.mac for endpoint in ENDPOINTS]
    assert config["vlans"].keys() == {"10", "66"}


def test_a_fabric_is_widened_into_its_own_kind(processes: Processes, tmp_path: Path) -> None:
    wide = widened(WideTable(processes, tmp_path), processes, tmp_path)
    assert isinstance(wide, WideTable)
    assert namespace(wide, DOZEN[11]) == ""
    wide = widened(WideNetns(processes, tmp_path), processes, tmp_path)
    assert isinstance(wide, WideNetns)
    assert namespace(wide, DOZEN[11]) == "/run/netns/endpoint12"


def test_moves_are_counted_by_port_and_only_those_out_of_production(tmp_path: Path) -> None:
    lines = [
        {"us": 5, "event": "moved", "port": "port1", "vlan": "66"},
        {"us": 10, "event": "moved", "port": "port2", "vlan": "66"},
        {"us": 11, "event": "moved", "port": "port2", "vlan": "66"},
        {"us": 12, "event": "moved", "port": "port3", "vlan": "10"},
        {"us": 13, "event": "reject", "port": "port4"},
        {"us": 14, "event": "moved", "port": "port5", "vlan": ""},
    ]
    (tmp_path / "journal").write_text("".join(json.dumps(line) + "\n" for line in lines))
    site = SimpleNamespace(journal=Journal(tmp_path / "journal"))
    assert dozen.moved(site, 10) == {"port2", "port5"}

"""Which network this machine can do, and the one that needs nothing."""

import json
import socket
import time
from pathlib import Path

import pytest

from lab import fabric
from lab.fabric import ENDPOINTS, FabricError, choose, free_ports
from lab.fabric.table import Table
from lab.processes import Processes
from lab.python import environment, module
from lab.switch import control
from lab.switch.control import Journal, NoAnswer
from tests.unit.lab import by_hand as hand

SECOND = ENDPOINTS[1]


def test_without_root_the_table_is_chosen_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    choice = choose()
    assert choice.name == "table"
    assert "need root" in choice.why


def test_a_missing_program_is_named_by_the_package_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(fabric, "find_program", lambda name: None if name == "dhcpcd" else "/bin/" + name)
    with pytest.raises(FabricError, match="dhcpcd-base"):
        choose("netns")


def test_free_ports_are_different_ones() -> None:
    assert len(set(free_ports(20, socket.SOCK_DGRAM))) == 20


def test_a_switch_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="did not answer"):
        control.command(tmp_path / "none.ctl", {"show": True})


def test_on_the_port_table_a_coa_moves_the_endpoint_and_its_frames_stop(tmp_path: Path) -> None:
    processes = Processes(tmp_path, environment())
    table = Table(processes, tmp_path)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", table.addresses.authentication))
    server.settimeout(10)
    (tmp_path / "secret").write_bytes(hand.SECRET)
    settings = {
        **table.switch_config(),
        "secret_file": str(tmp_path / "secret"),
        "journal": str(tmp_path / "switch.jsonl"),
        "control": str(tmp_path / "switch.ctl"),
        "authentication": ["127.0.0.1", table.addresses.authentication],
        "accounting": ["127.0.0.1", table.addresses.accounting],
        "coa": ["127.0.0.1", table.addresses.coa],
    }
    (tmp_path / "switch.json").write_text(json.dumps(settings))
    journal = Journal(tmp_path / "switch.jsonl")

    def accept(vlan: str) -> None:
        request, switch = server.recvfrom(4096)
        server.sendto(hand.accept(request, vlan), switch)
        _until(lambda: journal.find("moved", vlan=vlan))

    def ping() -> int:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
            endpoint.settimeout(0.5)
            endpoint.sendto(bytes.fromhex(SECOND.mac.replace(":", "")) + bytes(8), tuple(settings["wire"]))
            try:
                return len(endpoint.recv(100))
            except TimeoutError:
                return 0

    try:
        table.build()
        processes.start("switch", *module("lab.switch.process"), str(tmp_path / "switch.json"))
        _until(lambda: journal.find("ready"))
        assert "error" in control.command(tmp_path / "switch.ctl", {"dance": True})
        control.command(tmp_path / "switch.ctl", {"link": SECOND.port, "up": True})
        accept("10")
        _until(lambda: table.address(SECOND) == "10.77.1.102")
        _until(ping)
        assert table.frames(SECOND, 0, 2**62)

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            calling = SECOND.mac.upper().replace(":", "-").encode()
            client.sendto(hand.coa(1, [(31, calling)]), ("127.0.0.1", table.addresses.coa))
            assert client.recv(4096)[0] == 44
        accept("66")

        assert ping() == 0
        assert table.address(SECOND) == "10.77.2.102"
        assert "quarantine" in table.page(SECOND)
        with pytest.raises(FabricError):
            table.page(ENDPOINTS[0])
    finally:
        processes.stop_all()
        server.close()


def _until(check: object) -> None:
    until = time.monotonic() + 10
    while not check():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.01)

"""The file of devices, the names that may be typed, and what a dialect finds in an answer."""

from pathlib import Path

import asyncssh
import pytest

from api.alerts import devices
from api.alerts.devices import DIALECTS, BadDevices, Device, Unsafe

GOOD = '[switches.sw1]\nhost = "10.0.0.2"\nuser = "u"\nkey = "keys/one"\nknown_hosts = "known"\nuplinks = ["Te*"]\n'
TABLE = """\
sw1#show mac address-table
          Mac Address Table
-------------------------------------------
Vlan    Mac Address       Type        Ports
----    -----------       --------    -----
 All    0100.0ccc.cccc    STATIC      CPU
  10    0200.0000.0012    DYNAMIC     Gi1/0/2
  66    0200.0000.00AB    DYNAMIC     Gi1/0/3
Total Mac Addresses for this criterion: 3
"""


def load(tmp_path: Path, text: str) -> dict[str, devices.Device]:
    (tmp_path / "sw.toml").write_text(text)
    return devices.load(tmp_path / "sw.toml")


def test_paths_stand_on_the_folder_of_the_file(tmp_path: Path) -> None:
    device = load(tmp_path, GOOD)["sw1"]
    assert (device.key, device.known_hosts) == (tmp_path / "keys/one", tmp_path / "known")
    assert (device.port, device.pty, device.uplinks) == (22, True, ("Te*",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at least one"),
        ("[switches", "sw.toml"),
        (GOOD + "\n[routers.x]\n", "alone"),
        (GOOD.replace('user = "u"\n', ""), "lacks user"),
        (GOOD.replace('key = "keys/one"\n', ""), "needs a key or a password_file"),
        (GOOD + 'dialect = "vms"\n', "no dialect 'vms'; there are ios"),
        (GOOD + 'hots = "x"\n', "takes dialect, host"),
        (GOOD.replace("switches.sw1", 'switches."a b"'), "no spaces"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadDevices, match=says):
        load(tmp_path, text)


def test_a_device_is_found_by_name_and_by_address(tmp_path: Path) -> None:
    known = load(tmp_path, GOOD + GOOD.replace("sw1", '"10.0.0.9"').replace("10.0.0.2", "sw9.example.org"))
    assert [d.name if d else None for d in (
        devices.find(known, "sw1", None), devices.find(known, "other", "10.0.0.2"),
        devices.find(known, "other", "10.0.0.9"), devices.find(known, None, None), devices.find(known, "x", "y"),
    )] == ["sw1", "sw1", "10.0.0.9", None, None]  # fmt: skip


def test_the_table_of_macs_is_read(tmp_path: Path) -> None:
    found = devices.table(load(tmp_path, GOOD)["sw1"], TABLE)
    assert found == {"0100.0ccc.cccc": "CPU", "0200.0000.0012": "Gi1/0/2", "0200.0000.00ab": "Gi1/0/3"}


@pytest.mark.parametrize("text", ["02:00:00:00:00:12", "02-00-00-00-00-12", "0200.0000.0012", "020000000012"])
def test_a_mac_is_written_as_devices_do(text: str) -> None:
    assert devices.mac(text) == "0200.0000.0012"


@pytest.mark.parametrize("text", ["", "02:00", "02:00:00:00:00:1g", "02:00:00:00:00:12\n0", None, 12, "٠200.0000.0012"])
def test_what_is_no_mac_is_not_typed(text: object) -> None:
    with pytest.raises(Unsafe):
        devices.mac(text)


@pytest.mark.parametrize("text", ["GigabitEthernet1/0/2", "Gi1/0/2.100", "port2", "ge-0/0/1", "Vlan10", "eth0:1"])
def test_names_of_ports_as_makers_write_them_are_typed(text: str) -> None:
    assert devices.interface(text) == text


@pytest.mark.parametrize("text", ["", "1/0/2", "-x", "a b", "a\n", "a;b", "a|b", "a?", "ä1", None, 7, "a" * 65])
def test_what_is_more_than_a_name_is_not(text: object) -> None:
    with pytest.raises(Unsafe):
        devices.interface(text)


@pytest.mark.parametrize("text", ["", "a b", "a\n", "-a", "a.b", None])
def test_an_access_lists_name_is_a_name(text: object) -> None:
    with pytest.raises(Unsafe):
        devices.acl_name(text)


def test_every_dialect_has_no_other_holes_than_the_three() -> None:
    for words in DIALECTS.values():
        for line in (*words.shut, *words.open, words.status, words.macs, *words.refuse, *words.permit, words.acl):
            assert line.format(port="P", mac="M", acl="A")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Gi1/0/17", "GigabitEthernet1/0/17", True),
        ("gi1/0/17", "Gi1/0/17", True),
        ("TenGigabitEthernet1/1/1", "Te1/1/1", True),
        ("port2", "PORT2", True),
        ("Gi1/0/1", "Gi1/0/17", False),
        ("Te1/0/1", "Gi1/0/1", False),
        ("G1/0/1", "GigabitEthernet1/0/1", False),
        ("17", "Gi17", False),
        ("Gi1/0/1", "Gi1/0/1x", False),
    ],
)
def test_a_port_has_a_short_and_a_long_name(one: str, other: str, same: bool) -> None:
    assert devices.same_port(one, other) is devices.same_port(other, one) is same


@pytest.mark.anyio
@pytest.mark.parametrize(("hangs_up", "calls"), [(False, 1), (True, 2)])
async def test_a_device_is_called_once_and_anew_where_it_hangs_up(tmp_path: Path, hangs_up: bool, calls: int) -> None:
    called: list[int] = []

    class Door(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            called.append(1)
            return False

    async def shell(process: "asyncssh.SSHServerProcess[str]") -> None:
        process.stdout.write("".join(await until_exit(process)))
        process.exit(0)
        if hangs_up:
            process.channel.get_connection().close()

    async def until_exit(process: "asyncssh.SSHServerProcess[str]") -> list[str]:
        lines = []
        while (line := await process.stdin.readline()) != "exit\n":
            lines.append(line)
        return lines

    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen("127.0.0.1", 0, server_factory=Door, server_host_keys=[key], process_factory=shell)
    port = server.get_port()
    known, file = tmp_path / "known_hosts", tmp_path / "key"
    known.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
    file.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    device = Device("sw1", "127.0.0.1", "admin", known, port, file, pty=False)
    async with devices.keeping():
        for said in ("show mac address-table", "shutdown"):
            assert said in await devices.talk(device, [said])
    assert len(called) == calls
    assert "alone" in await devices.talk(device, ["alone"])
    assert len(called) == calls + 1, "outside of it each talk is a call"
    server.close()
    await server.wait_closed()

"""What an event asks of a switch port, without a switch: whatever is hostile in it never becomes a word of a command."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.alerts import devices
from api.alerts.devices import Device, Unsafe
from api.scripts import shut_port
from api.scripts.shut_port import ACCOUNTING, Found, Refused, check, locate, wish, work

MAC = "02:00:00:00:00:12"
SWITCH = Device("sw1", "10.0.0.2", "admin", known_hosts=None, uplinks=("Te*", "GigabitEthernet1/0/4[78]"))  # type: ignore[arg-type]
WORDS = {
    "show mac address-table", "show interface GigabitEthernet1/0/2", "configure terminal",
    "interface GigabitEthernet1/0/2", "shutdown", "no shutdown", "end",
}  # fmt: skip


def event(kind: str = "moved", **more: Any) -> dict[str, Any]:
    told = {
        "event": kind, "host": "desk-2", "macs": [MAC], "switch": "sw1", "switch_address": "10.0.0.2",
        "port": "GigabitEthernet1/0/2", "facts": {"access": "remediation"}, "access": "remediation",
    }  # fmt: skip
    return {**told, **more}


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was typed on a switch that does as it is told."""
    lines: list[str] = []

    async def talk(device: Device, said: list[str]) -> str:
        lines.extend(said)
        port = "GigabitEthernet1/0/2"
        down = "shutdown" in said
        answer = f"  10    0200.0000.0012    DYNAMIC     {port}\r\n"
        return answer + f"{port} is {'administratively down' if down else 'up'}, line protocol is down\r\n"

    monkeypatch.setattr(devices, "talk", talk)
    return lines


@pytest.mark.parametrize(
    ("told", "down"),
    [
        (event(), True),
        (event(facts={"access": "blocked"}), True),
        (event("unknown_ran", facts={}), True),
        (event("denied_ran", facts={}), True),
        (event(facts={"access": "guest"}), None),
        (event("released"), None),
        (event("released", last={"output": "GigabitEthernet1/0/2 of sw1 is shut"}), False),
        (event("released", last={"output": "a warning ⏎ GigabitEthernet1/0/2 of sw1 is shut"}), False),
        (event("released", last={"output": "GigabitEthernet1/0/2 of sw1 is shut (known by lldp)"}), False),
        (event("released", last={"output": "GigabitEthernet1/0/2 of sw1 is open again"}), None),
        (event("graced"), None),
        ({}, None),
    ],
)
def test_what_an_event_asks_for(told: dict[str, Any], down: bool | None) -> None:
    wanted = wish(told)
    assert (wanted.down if wanted else None) is down


def test_a_protected_host_is_refused_and_released_all_the_same() -> None:
    with pytest.raises(Refused, match="never-quarantine"):
        wish(event(never_quarantine=True))
    assert wish(event("released", never_quarantine=True, last={"output": "Gi2 of sw1 is shut"})) is not None


@pytest.mark.parametrize("port", ["TenGigabitEthernet1/1/1", "te1/1", "gigabitethernet1/0/48"])
def test_uplinks_are_known_by_patterns_in_any_case(port: str) -> None:
    wanted = wish(event())
    assert wanted is not None
    with pytest.raises(Refused, match="is an uplink"):
        check(wanted, Found(SWITCH, port, {}, ACCOUNTING))


def test_a_port_with_a_phone_is_not_shut_and_can_be_opened() -> None:
    table = {"0200.0000.0012": "Gi2", "0200.0000.0099": "gi2"}
    wanted = wish(event())
    assert wanted is not None
    with pytest.raises(Refused, match=r"serves somebody else too: 0200\.0000\.0099"):
        check(wanted, Found(SWITCH, "Gi2", table, ACCOUNTING))
    opened = wish(event("released", last={"output": "Gi2 of sw1 is shut"}))
    assert opened is not None
    check(opened, Found(SWITCH, "Gi2", table, ACCOUNTING))


def test_what_is_typed_are_the_dialects_words_and_the_ports_name(typed: list[str]) -> None:
    assert asyncio.run(work(event(), {"sw1": SWITCH})) == "GigabitEthernet1/0/2 of sw1 is shut"
    assert "shutdown" in typed
    assert set(typed) <= WORDS


def test_a_switch_that_does_not_do_it_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(device: Device, said: list[str]) -> str:
        return "GigabitEthernet1/0/2 is up\r\n% Authorization failed"

    monkeypatch.setattr(devices, "talk", talk)
    with pytest.raises(Refused, match="does not say that GigabitEthernet1/0/2 is down"):
        asyncio.run(work(event(), {"sw1": SWITCH}))


TABLE = "10 0200.0000.{mac} DYNAMIC {port}\r\n"


def heard(port: str = "Gi1/0/2", switch: str = "sw1.example.org") -> dict[str, Any]:
    """A move of a host of which accounting knows nothing, and its agent heard LLDP."""
    return event(switch=switch, switch_address=None, port=port, port_source="lldp")


@pytest.mark.parametrize(
    ("tables", "told", "says"),
    [
        ({"sw1": "0012 Gi1/0/2"}, heard(), "sw1 Gi1/0/2 lldp"),
        ({"sw1": "0012 Gi1/0/2"}, heard("GigabitEthernet1/0/2"), "sw1 GigabitEthernet1/0/2 lldp"),
        ({"sw1": "0012 Gi1/0/9"}, heard(), "sw1 Gi1/0/9 mac-table"),
        ({"sw1": "", "sw2": "0012 Gi1/0/3"}, heard(), "sw2 Gi1/0/3 mac-table"),
        ({"sw1": "0012 Gi1/0/3"}, heard(switch="phone"), "sw1 Gi1/0/3 mac-table"),
        ({"sw1": "", "sw2": ""}, heard(), "sw1 Gi1/0/2 lldp"),
        ({"sw1": "", "sw2": ""}, heard(switch="phone"), "its MAC is seen nowhere"),
        ({"sw1": "0099 GigabitEthernet1/0/2"}, heard(), "serves somebody else too"),
        ({"sw1": ""}, heard("Te1/1/1"), "is an uplink"),
        ({"sw1": "0012 Gi1/0/2", "sw2": "0012 Gi1/0/3"}, heard("Gi1/0/8"), "its MAC is seen sw2 Gi1/0/3, sw1 Gi1/0/2"),
    ],
)
def test_what_an_endpoint_heard_says_where_to_look_and_the_switches_say_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tables: dict[str, str], told: dict[str, Any], says: str
) -> None:
    async def talk(device: Device, said: list[str]) -> str:
        rows = (line.split() for line in tables[device.name].splitlines())
        return "".join(TABLE.format(mac=mac, port=port) for mac, port in rows)

    monkeypatch.setattr(devices, "talk", talk)
    known = {name: Device(name, name, "admin", known_hosts=None, uplinks=("Te*",)) for name in tables}  # type: ignore[arg-type]
    wanted = wish(told)
    assert wanted is not None
    try:
        found = asyncio.run(locate(wanted, known))
        check(wanted, found)
    except Refused as error:
        assert says in str(error)  # noqa: PT017 - either way the sentence is compared
    else:
        assert f"{found.device.name} {found.port} {found.source}" == says


hostile = st.text(max_size=30) | st.sampled_from(
    [
        "\nreload\n",
        "port ; reload",
        "-oProxyCommand=id",
        "$(id)",
        "a\rb",
        "\x03",
        "?",
        "\t",
        "{port}",
        "port2\n",
        "ｐort2",
        "port²",
    ]
)


@given(port=hostile, mac=hostile, name=hostile, path=hostile, last=hostile)
def test_nothing_hostile_is_ever_typed(port: str, mac: str, name: str, path: str, last: str) -> None:
    lines: list[str] = []

    async def talk(device: Device, said: list[str]) -> str:
        lines.extend(said)
        return ""

    told = [
        event(port=port, host=name, path=path, text=name),
        event(macs=[mac, MAC]),
        event("released", last={"output": f"{last} of sw1 is shut"}),
        event("released", last={"output": last}),
        event(switch=name, switch_address=path),
        event(switch=None, switch_address=None, port=None, text=path),
    ]
    before, devices.talk = devices.talk, talk
    try:
        for one in told:
            try:
                asyncio.run(work(one, {"sw1": SWITCH}))
            except (Refused, Unsafe):
                continue
    finally:
        devices.talk = before
    names = {line.removeprefix("interface ").removeprefix("show interface ") for line in lines} - WORDS
    assert all(devices.interface(one) == one and one in (port, last) for one in names)
    assert all(line.isascii() and line.isprintable() and not line.startswith("-") for line in lines)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"event": "unknown_ran"}', '{"event": "unknown_ran", "macs": 7}'])
def test_what_is_no_event_ends_with_a_sentence(
    text: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import io
    import types

    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(text.encode())))
    (tmp_path / "sw.toml").write_text('[switches.a]\nhost="h"\nuser="u"\nkey="k"\nknown_hosts="n"\n')
    assert shut_port.main(["--switches", str(tmp_path / "sw.toml")]) == 1
    assert capsys.readouterr().err.startswith("shut_port: ")

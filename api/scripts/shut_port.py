"""Shut the switch port of a host that has to go, and open it again on release: `shut_port --switches FILE`.

Reads the event on standard input. `moved` to remediation or blocked, and starts of what is unknown or denied, shut the
port; `released` opens the port that was shut by us, and no other. Where the host is comes from accounting, else from what the
switch told the endpoint (LLDP, CDP), else every switch is asked for the MAC.

Guarantees: what an endpoint says of its port only tells which switch to ask: where that switch, or another one, sees the
host at another port, that one counts, so that nobody has somebody else's port shut. An uplink is never touched, nor a port behind which another MAC is (a phone, an access point, a second
switch): that is refused with a sentence, and so is a host on the never-quarantine list. What was done is looked at
afterwards: the exit code is 0 only when the switch itself says that the port is down, or open again.
"""

import argparse
import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from api.alerts import devices
from api.alerts.devices import Device
from api.scripts import exchange
from api.scripts.exchange import CUT_OFF, DOWN, UP, Refused

SHUT: Final = re.compile(r"(?:^|⏎ )(?P<port>\S+) of (?P<switch>\S+) is shut(?: \(known by (?P<source>[a-z-]+)\))?$")
"""What was said when a port was shut, as the service gives it back on release (`last`)."""
ACCOUNTING: Final = "accounting"
TABLE: Final = "mac-table"
UPLINK_MACS: Final = 3
"""A port with so many other MACs is called an uplink in the refusal."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an event asks for. `macs` are the host's; `port` may be unknown (''), `source` says by what it is known. On
    release, switch and port are those that were shut."""

    down: bool
    macs: frozenset[str]
    port: str
    switch: str | None
    address: str | None
    source: str = ACCOUNTING

    @property
    def hearsay(self) -> bool:
        """Whether the port is the endpoint's own word."""
        return self.source != ACCOUNTING


def wish(told: dict[str, Any]) -> Wish | None:
    """What this event asks for; None where it asks for nothing. Raises Refused or Unsafe."""
    event = told.get("event")
    down = event in DOWN
    if not down and event not in UP:
        return None
    facts = told.get("facts") or {}
    if event == "moved" and facts.get("access", told.get("access")) not in CUT_OFF:
        return None
    if down and told.get("never_quarantine"):
        raise Refused(f"{told.get('host')!r} is on the never-quarantine list")
    macs = frozenset(devices.mac(one) for one in told.get("macs") or ())
    if not macs:
        raise Refused("nothing is known of its MAC addresses")
    if down:
        port = devices.interface(told["port"]) if told.get("port") else ""
        source = str(told.get("port_source") or ACCOUNTING)
        return Wish(True, macs, port, told.get("switch"), told.get("switch_address"), source)
    shut = SHUT.search(str((told.get("last") or {}).get("output", "")))
    return Wish(False, macs, devices.interface(shut["port"]), shut["switch"], None) if shut else None


@dataclass(frozen=True, slots=True)
class Found:
    """Where the host is: the switch, the port, all MACs that the switch has in its table, and by what that is known."""

    device: Device
    port: str
    table: dict[str, str]
    source: str


async def locate(wanted: Wish, known: dict[str, Device]) -> Found:
    """Look for the host. Raises Refused, NotNow or BadDevices."""
    device = devices.find(known, wanted.switch, wanted.address)
    if device is None and wanted.switch is not None and not wanted.hearsay:
        raise Refused(f"the switch {wanted.switch!r} is not in the file of switches")
    if device is None:
        return await _anywhere(wanted, known)
    table = await _table(device)
    seen = _seen(wanted, device, table)
    if wanted.port and any(devices.same_port(port, wanted.port) for port in seen):
        return Found(device, wanted.port, table, wanted.source)
    if wanted.port and not wanted.hearsay:
        if wanted.down and seen:
            raise Refused(f"{device.name} sees the host at {seen[0]}, accounting said {wanted.port}")
        return Found(device, wanted.port, table, wanted.source)
    return await _anywhere(wanted, known, Found(device, wanted.port, table, wanted.source))


async def _anywhere(wanted: Wish, known: dict[str, Device], said: Found | None = None) -> Found:
    """Ask every switch. Where none sees the host, because it is silent, it is at the port that it was `said` to be."""
    others = [one for one in known.values() if said is None or one is not said.device]
    tables = list(zip(others, await asyncio.gather(*map(_table, others)), strict=True))
    if said is not None:
        tables.append((said.device, said.table))
    places = [Found(one, port, table, TABLE) for one, table in tables for port in _seen(wanted, one, table)]
    if not places and said is not None and said.port:
        return said
    if len(places) != 1:
        found = ", ".join(f"{one.device.name} {one.port}" for one in places) or "nowhere"
        raise Refused(f"the host's port cannot be told: its MAC is seen {found}")
    devices.interface(places[0].port)
    return places[0]


async def _table(device: Device) -> dict[str, str]:
    return devices.table(device, await devices.talk(device, [device.words.macs]))


def _seen(wanted: Wish, device: Device, table: dict[str, str]) -> list[str]:
    """The ports at which this switch sees the host, its uplinks left out."""
    return list(dict.fromkeys(port for mac, port in table.items() if mac in wanted.macs and not device.is_uplink(port)))


def check(wanted: Wish, found: Found) -> None:
    """Raises Refused where touching this port would hit somebody else."""
    device, port = found.device, found.port
    if device.is_uplink(port):
        raise Refused(f"{port} of {device.name} is an uplink")
    others = sorted(mac for mac, at in found.table.items() if devices.same_port(at, port) and mac not in wanted.macs)
    if wanted.down and others:
        what = "is an uplink, or serves many" if len(others) >= UPLINK_MACS else "serves somebody else too"
        raise Refused(
            f"{port} of {device.name} {what}: {', '.join(others[:3])} {'is' if len(others) == 1 else 'are'} behind it"
        )


async def act(wanted: Wish, found: Found) -> str:
    """Do it and look; what to say about it. Raises Refused when the switch says that it was not done."""
    device, port = found.device, found.port
    words = device.words
    lines = words.shut if wanted.down else words.open
    answer = await devices.talk(device, [line.format(port=port) for line in (*lines, words.status)])
    shut = re.search(words.down.replace("{port}", re.escape(port)), answer, re.IGNORECASE)
    open_ = re.search(words.up.replace("{port}", re.escape(port)), answer, re.IGNORECASE)
    if (wanted.down and not shut) or (not wanted.down and not open_):
        raise Refused(f"{device.name} does not say that {port} is {'down' if wanted.down else 'open'} now")
    if not wanted.down:
        return f"{port} of {device.name} is open again"
    return f"{port} of {device.name} is shut{'' if found.source == ACCOUNTING else f' (known by {found.source})'}"


async def work(told: dict[str, Any], known: dict[str, Device], *, dry_run: bool = False) -> str:
    """All of it; a sentence about what was done. Raises Refused, Unsafe, NotNow or BadDevices."""
    wanted = wish(told)
    if wanted is None:
        return f"nothing to do for {told.get('event')!r}"
    found = await locate(wanted, known)
    check(wanted, found)
    if dry_run:
        return f"would {'shut' if wanted.down else 'open'} {found.port} of {found.device.name}"
    return await act(wanted, found)


def main(argv: list[str]) -> int:
    """The exit code; one sentence on standard output, or on standard error when it is not 0."""
    parser = argparse.ArgumentParser(prog="shut_port", description="Shut or open the switch port of a host.")
    parser.add_argument("--switches", type=Path, required=True, metavar="FILE", help="the file of switches (TOML)")
    parser.add_argument("--dry-run", action="store_true", help="look, and only say what would be done")
    given = parser.parse_args(argv)
    return exchange.answer("shut_port", lambda told: work(told, devices.load(given.switches), dry_run=given.dry_run))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

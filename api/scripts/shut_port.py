"""Shut the switch port of a host that has to go, and open it again on release: `shut_port --switches FILE`.

Reads the event on standard input. `moved` to remediation or blocked, and starts of what is unknown or denied, shut the
port; `released` opens the port that was shut by us, and no other. Where the host is comes from accounting; where that
says nothing, every switch is asked for the MAC.

Guarantees: an uplink is never touched, nor a port behind which another MAC is (a phone, an access point, a second
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

SHUT: Final = re.compile(r"(?:^|⏎ )(?P<port>\S+) of (?P<switch>\S+) is shut$")
"""What was said when a port was shut, as the service gives it back on release (`last`)."""
UPLINK_MACS: Final = 3
"""A port with so many other MACs is called an uplink in the refusal."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an event asks for. `macs` are the host's; `port` may be unknown (''). On release, switch and port are those
    that were shut."""

    down: bool
    macs: frozenset[str]
    port: str
    switch: str | None
    address: str | None


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
        return Wish(True, macs, port, told.get("switch"), told.get("switch_address"))
    shut = SHUT.search(str((told.get("last") or {}).get("output", "")))
    return Wish(False, macs, devices.interface(shut["port"]), shut["switch"], None) if shut else None


async def locate(wanted: Wish, known: dict[str, Device]) -> tuple[Device, str, dict[str, str]]:
    """The switch, the port and the switch's table of MACs. Raises Refused, NotNow or BadDevices."""
    device = devices.find(known, wanted.switch, wanted.address)
    if wanted.switch is not None and device is None:
        raise Refused(f"the switch {wanted.switch!r} is not in the file of switches")
    asked = [device] if device is not None else list(known.values())
    answers = await asyncio.gather(*(devices.talk(one, [one.words.macs]) for one in asked))
    tables = [(one, devices.table(one, answer)) for one, answer in zip(asked, answers, strict=True)]
    seen = {
        (one, port): table
        for one, table in tables
        for mac, port in table.items()
        if mac in wanted.macs and not one.is_uplink(port)
    }
    if device is not None and wanted.port:
        here = [place for place in seen if place[0] is device]
        if wanted.down and here and all(port.lower() != wanted.port.lower() for _, port in here):
            raise Refused(f"{device.name} sees the host at {here[0][1]}, accounting said {wanted.port}")
        return device, wanted.port, tables[0][1]
    if len(seen) != 1:
        found = ", ".join(f"{one.name} {port}" for one, port in seen) or "nowhere"
        raise Refused(f"the host's port cannot be told: its MAC is seen {found}")
    ((where, port), table) = next(iter(seen.items()))
    return where, devices.interface(port), table


def check(wanted: Wish, device: Device, port: str, table: dict[str, str]) -> None:
    """Raises Refused where touching this port would hit somebody else."""
    if device.is_uplink(port):
        raise Refused(f"{port} of {device.name} is an uplink")
    others = sorted(mac for mac, at in table.items() if at.lower() == port.lower() and mac not in wanted.macs)
    if wanted.down and others:
        what = "is an uplink, or serves many" if len(others) >= UPLINK_MACS else "serves somebody else too"
        raise Refused(
            f"{port} of {device.name} {what}: {', '.join(others[:3])} {'is' if len(others) == 1 else 'are'} behind it"
        )


async def act(wanted: Wish, device: Device, port: str) -> str:
    """Do it and look; what to say about it. Raises Refused when the switch says that it was not done."""
    words = device.words
    lines = words.shut if wanted.down else words.open
    answer = await devices.talk(device, [line.format(port=port) for line in (*lines, words.status)])
    shut = re.search(words.down.replace("{port}", re.escape(port)), answer, re.IGNORECASE)
    open_ = re.search(words.up.replace("{port}", re.escape(port)), answer, re.IGNORECASE)
    if (wanted.down and not shut) or (not wanted.down and not open_):
        raise Refused(f"{device.name} does not say that {port} is {'down' if wanted.down else 'open'} now")
    return f"{port} of {device.name} is {'shut' if wanted.down else 'open again'}"


async def work(told: dict[str, Any], known: dict[str, Device], *, dry_run: bool = False) -> str:
    """All of it; a sentence about what was done. Raises Refused, Unsafe, NotNow or BadDevices."""
    wanted = wish(told)
    if wanted is None:
        return f"nothing to do for {told.get('event')!r}"
    device, port, table = await locate(wanted, known)
    check(wanted, device, port, table)
    if dry_run:
        return f"would {'shut' if wanted.down else 'open'} {port} of {device.name}"
    return await act(wanted, device, port)


def main(argv: list[str]) -> int:
    """The exit code; one sentence on standard output, or on standard error when it is not 0."""
    parser = argparse.ArgumentParser(prog="shut_port", description="Shut or open the switch port of a host.")
    parser.add_argument("--switches", type=Path, required=True, metavar="FILE", help="the file of switches (TOML)")
    parser.add_argument("--dry-run", action="store_true", help="look, and only say what would be done")
    given = parser.parse_args(argv)
    return exchange.answer("shut_port", lambda told: work(told, devices.load(given.switches), dry_run=given.dry_run))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

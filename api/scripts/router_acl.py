"""Put a host's MAC addresses into a router's access list when it has to go, and take them out on release:
`router_acl --switches FILE --router NAME --acl LIST`.

For networks where the port cannot be shut. Reads the event on standard input, like `shut_port`; what is refused there
for the never-quarantine list is refused here. The exit code is 0 only when the router itself shows the list as it should be.
"""

import argparse
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from api.alerts import devices
from api.alerts.devices import BadDevices, Device
from api.scripts import exchange
from api.scripts.exchange import CUT_OFF, DOWN, UP, Refused

NOTHING: Final = "nothing to do for"


def lines(told: dict[str, Any], device: Device, acl: str) -> tuple[list[str], list[str], bool]:
    """What is typed, the MACs, and whether they shall be in the list. Empty where the event asks for nothing. Raises
    Refused or Unsafe."""
    event, facts = told.get("event"), told.get("facts") or {}
    down = event in DOWN
    cut = event != "moved" or facts.get("access", told.get("access")) in CUT_OFF
    if not (down and cut) and event not in UP:
        return [], [], False
    if down and told.get("never_quarantine"):
        raise Refused(f"{told.get('host')!r} is on the never-quarantine list")
    macs = [devices.mac(one) for one in told.get("macs") or ()]
    if not macs:
        raise Refused("nothing is known of its MAC addresses")
    words = device.words.refuse if down else device.words.permit
    return [line.format(mac=mac, acl=devices.acl_name(acl)) for mac in macs for line in words], macs, down


async def work(told: dict[str, Any], device: Device, acl: str, *, dry_run: bool = False) -> str:
    """All of it; a sentence about what was done. Raises Refused, Unsafe, NotNow or BadDevices."""
    typed, macs, down = lines(told, device, acl)
    if not typed:
        return f"{NOTHING} {told.get('event')!r}"
    if dry_run:
        return (
            f"would {'put' if down else 'take'} {', '.join(macs)} {'into' if down else 'out of'} {acl} of {device.name}"
        )
    show = device.words.acl.format(acl=devices.acl_name(acl))
    answer = (await devices.talk(device, [*typed, show])).lower()
    shown = answer[answer.rfind(show.lower()) :]
    if any((f"host {mac}" in shown) is not down for mac in macs):
        raise Refused(f"{device.name} does not show {acl} as it should be")
    return f"{', '.join(macs)} {'is in' if down else 'is out of'} {acl} of {device.name}"


def main(argv: list[str]) -> int:
    """The exit code; one sentence on standard output, or on standard error when it is not 0."""
    parser = argparse.ArgumentParser(
        prog="router_acl", description="Put a host into a router's access list, or take it out."
    )
    parser.add_argument("--switches", type=Path, required=True, metavar="FILE", help="the file of devices (TOML)")
    parser.add_argument("--router", required=True, metavar="NAME", help="which of them")
    parser.add_argument("--acl", default="PRATIQUE", metavar="LIST", help="the access list (default: PRATIQUE)")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    given = parser.parse_args(argv)

    def act(told: dict[str, Any]) -> Coroutine[Any, Any, str]:
        known = devices.load(given.switches)
        if given.router not in known:
            raise BadDevices(f"{given.switches} has no {given.router!r}")
        return work(told, known[given.router], given.acl, dry_run=given.dry_run)

    return exchange.answer("router_acl", act)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

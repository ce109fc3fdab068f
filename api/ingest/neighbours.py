"""Where an endpoint is plugged in, by what its agent heard of the switch (LLDP, CDP): kept by host, MAC and stay.

Guarantees: only for MAC addresses that are bound to the host that says so; a stay is written when it begins and then at
most every `KEPT_EVERY`, so a heartbeat costs no further row. It is the endpoint's word: nobody is moved by it, and a script
looks at the switch before it touches a port (docs/how-to/run-a-script).
"""

import re
from dataclasses import replace
from typing import Final

from health_agent import contract
from radius_policy.model import SECOND, Host, Mac, MacBinding, Micros, Neighbour
from radius_policy.store.interface import Reading, Tx

KEPT_EVERY: Final[Micros] = 60 * SECOND
GONE_AFTER: Final[Micros] = 10 * 60 * SECOND
"""One heard again after so long begins a new stay: it may have been elsewhere."""
_NO_NAME: Final = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-f:]*::?[0-9a-f:]+")


def take(tx: Tx, host: Host, told: tuple[contract.Neighbour, ...], *, received: Micros) -> None:
    """Keep what a heartbeat says."""
    for each in told:
        mac = Mac(each.mac)
        if tx.get(MacBinding, host.tenant, mac, host.host_id) is None:
            continue
        heard = max(0, received - each.age_s * SECOND)
        new = Neighbour(
            host.tenant, host.host_id, mac, str(each.protocol), heard, heard, each.switch, _port(each),
            each.description, each.chassis, each.address,
        )  # fmt: skip
        before = _newest(tx, new)
        if before is None or _where(before) != _where(new) or heard - before.at > GONE_AFTER:
            tx.put(new)
        elif heard - before.at >= KEPT_EVERY:
            tx.put(replace(before, at=heard))


def _newest(reading: Reading, one: Neighbour) -> Neighbour | None:
    found = reading.find(
        Neighbour, tenant=one.tenant, host_id=one.host_id, mac=one.mac, source=one.source, order="since",
        descending=True, limit=1,
    )  # fmt: skip
    return found[0] if found else None


def _where(one: Neighbour) -> tuple[str, str, str]:
    return one.switch, one.port, one.chassis


def _port(told: contract.Neighbour) -> str:
    """Its name: where the id is an address, the description has it."""
    return told.description if told.description and _NO_NAME.fullmatch(told.port) else told.port

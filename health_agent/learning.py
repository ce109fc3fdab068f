"""Telling the service the baseline of this endpoint: an inventory in signed parts.

The retries here are few: a person is waiting, and `learn` can be run again. A part that was sent twice changes nothing.
"""

import time

from health_agent.baseline import parts
from health_agent.clock import ServiceClock
from health_agent.contract import Inventory, InventoryLine
from health_agent.identity import Identity
from health_agent.service import new_id, now_us
from health_agent.uplink import ClockSkew, Uplink, UplinkError

TRIES = 3


def upload(endpoint: Identity, lines: list[InventoryLine], link: Uplink | None = None) -> str | None:
    """Send all parts. Returns why the service does not have all of them, as a sentence, or None."""
    link = link or Uplink(endpoint)
    clock = ServiceClock(endpoint.endpoint.offset_us)
    try:
        for part, last in parts(lines):
            if reason := _send(link, endpoint.host_id, clock, part, last):
                return reason
    finally:
        link.close()
    return None


def _send(link: Uplink, host: str, clock: ServiceClock, part: tuple[InventoryLine, ...], last: bool) -> str | None:
    reason = None
    for attempt in range(TRIES):
        now = now_us()
        try:
            link.send(
                Inventory(host_id=host, id=new_id(), clock_us=now, offset_us=clock.offset_us, lines=part, last=last)
            )
        except ClockSkew as skew:
            clock.learn(now, now_us(), skew.service_us)
            reason = str(skew)
        except UplinkError as error:
            reason = str(error)
            time.sleep(0.2 * attempt)
        else:
            return None
    return reason

"""A message that says that it is a trial, to see whether a channel works."""

import asyncio
import secrets

from api.alerts.channels import Channel, ChannelDown, ChannelRefused
from api.alerts.content import Alert
from radius_policy.model import Micros, Severity

LIMIT_S = 60.0


async def send(channel: Channel, url: str, who: str, now: Micros) -> tuple[bool, str]:
    """(whether the channel took it, a sentence)."""
    name = secrets.token_hex(16)
    alert = Alert(
        message_id=name,
        conversation=name,
        number=1,
        update=False,
        severity=Severity.INFO,
        kind="trial",
        title="A trial of this alert channel",
        topic="trial",
        at=now,
        texts=(f"{who} tries this channel. Nothing happened, nothing is to be done.",),
        console=f"{url}/console/",
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            note = await channel.send(alert)
    except ChannelDown as error:
        return False, f"not now: {error}"
    except TimeoutError:
        return False, f"no answer in {LIMIT_S:.0f} seconds"
    except ChannelRefused as error:
        return False, f"refused: {error}"
    return True, f"taken{', but ' + note if note else ''}"

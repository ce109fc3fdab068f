"""What every channel of alerts promises, and the two ways it fails.

A channel carries one `Alert` at a time and returns only when its peer has taken it. It may be given the same alert
again after a crash; `Alert.message_id` is then the same, so that a receiver can tell.
"""

from typing import Protocol

from api.alerts.content import Alert


class ChannelDown(Exception):
    """The peer cannot be reached or will not take it now: tried again later. The message is a sentence for people."""


class ChannelRefused(Exception):
    """The peer refused this for good, or our configuration is wrong (unknown recipient, bad password): somebody must
    act, so the next channel is used at once where there is one."""


class Channel(Protocol):
    """One way to tell people."""

    async def send(self, alert: Alert) -> str:
        """Returns when the peer took it: empty, or a sentence about what it did not take (one recipient of several).
        Raises ChannelDown or ChannelRefused."""
        ...

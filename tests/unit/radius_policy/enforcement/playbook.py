"""A move as a dialogue: each line says what happens, where the order stands then, and all that is to be done about it.

A line that comes out otherwise fails with the talk so far, so that the reader sees how the order got there.
"""

from typing import Any

from radius_policy.enforcement.core import Command, Happening, step
from radius_policy.enforcement.table import Happens
from radius_policy.model import Micros, Order, OrderState, Session
from radius_policy.nas.profile import Profile


class Playbook:
    """One order on the NAS of `profile`. `order` is as the last line left it; `session` is open unless a line says otherwise."""

    def __init__(self, order: Order, profile: Profile, session: Session | None, now: Micros) -> None:
        self.order, self._profile, self._session, self._now = order, profile, session, now
        self._lines = [f"   {order.state}"]

    def on(self, what: Happens, state: OrderState, *commands: Command, **facts: Any) -> "Playbook":
        """`what` happens with `facts` (see `Happening`): the order is then in `state`, and exactly `commands` are given."""
        done = step(self.order, Happening(what, **{"session": self._session, **facts}), self._now, self._profile)
        self.order = done.order
        self._lines.append(f">> {what} {facts or ''}".rstrip())
        self._lines += [f"<< {command}" for command in done.commands]
        self._lines.append(f"   {done.order.state}: {done.order.note}")
        if (done.order.state, done.commands) != (state, commands):
            wanted = "".join(f"\n<< {command}" for command in commands)
            raise AssertionError("\n".join(self._lines) + f"\n-- but it should be{wanted}\n   {state}")
        return self

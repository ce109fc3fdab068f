"""The agent's decisions: what is reported, what is remembered, when a sign of life is due. No socket, file or clock.

Events go in with `now` (microseconds, this endpoint's clock), commands come out; `service.py` carries them out.

Guarantees
- Every start of an executable that is not known or allowed is reported, each with an id of its own; one that is, never.
- `sighting` marks the first start of a content on this endpoint as far as this agent remembers.
- The end of a reported start is reported too, unless its executable was allowed by then.
- A program that was alive before the agent came is reported once, also over restarts of the agent (`Restored`).
- An order is carried out once however often it is repeated, and is named to the service until that was heard.

Deliberately not here: judging (the service does), holding starts (notify operation only), and the wire.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from health_agent.clock import ServiceClock
from health_agent.contract import (
    Action,
    End,
    Execution,
    OrderNotice,
    VerdictNotice,
    VerdictWord,
)
from health_agent.dialogue import (
    Answered,
    BaselineRead,
    Beat,
    Command,
    Ended,
    Event,
    Failed,
    Forget,
    Located,
    Log,
    OrderDone,
    Remember,
    RenewDhcp,
    Restored,
    Send,
    Started,
    Swept,
    TakeBack,
    Tick,
    Unwatch,
)
from health_agent.known import Known
from health_agent.living import Alive, Living

SECOND: Final = 1_000_000
HEARTBEAT_S: Final = (1, 3600)
"""A heartbeat interval outside of this, from a broken or foreign service, is brought inside."""


class Core:
    """One endpoint. `new_id` makes ids for executions; `restored` are the living starts of the run before."""

    def __init__(
        self,
        *,
        new_id: Callable[[], str],
        known: Known,
        restored: Iterable[Restored] = (),
        clock: ServiceClock | None = None,
        heartbeat_s: int = 30,
        remember: int = 20_000,
    ) -> None:
        self.known = known
        self.clock = clock or ServiceClock()
        self.connected: bool | None = None
        self._new_id = new_id
        self._restored = {(start.pid, start.birth, start.sha256): start for start in restored}
        self._living = Living()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._remember = remember
        self._heartbeat_us = heartbeat_s * SECOND
        self._beat_due = 0
        self._taken: OrderedDict[str, None] = OrderedDict()
        self._done: dict[str, str | None] = {}

    @property
    def alive(self) -> int:
        """How many reported starts have no end yet."""
        return len(self._living)

    def next_wake(self) -> int:
        """When a Tick is due at the latest."""
        return self._beat_due

    def handle(self, event: Event, now: int) -> list[Command]:
        """What is to be done about one event, in this order."""
        match event:
            case Started():
                return self._started(event, now)
            case Ended():
                return self._ended(event)
            case Swept():
                return self._swept(now)
            case Answered():
                return self._answered(event, now)
            case Failed(reason):
                return self._failed(reason)
            case OrderDone(order, refused):
                self._done[order] = refused
                return [self._beat(now)]
            case BaselineRead(hashes):
                self.known.learn(hashes)
                return [Log("info", f"the baseline has {len(hashes)} executables")]
            case Located():
                self._beat_due = min(self._beat_due, now + SECOND)
                return []
            case Tick():
                return [self._beat(now)] if now >= self._beat_due or self._clock_went_back(now) else []

    def _started(self, event: Started, now: int) -> list[Command]:
        if event.sha256 is not None and self.known.covers(event.sha256, now + self.clock.offset_us):
            return [Unwatch(event.token)]
        process = (event.pid, event.birth, event.sha256)
        if event.alive_at_start:
            if process in self._living:
                return [Unwatch(event.token)]
            if before := self._restored.pop(process, None):
                self._living.add(Alive(event.token, before.execution, process))
                return []
        execution = Execution(
            id=self._new_id(),
            path=event.path,
            pid=event.pid,
            started_us=event.started_us,
            kind=event.kind,
            sha256=event.sha256,
            size=event.size,
            user=event.user,
            sighting=self._sighting(event.sha256),
            alive_at_start=event.alive_at_start,
            parents=event.parents,
            interpreter=event.interpreter,
        )
        self._living.add(Alive(event.token, execution.id, process))
        return [Send((execution,)), Remember(Restored(execution.id, event.pid, event.birth, event.sha256))]

    def _sighting(self, sha256: str | None) -> bool:
        if sha256 is None:
            return True
        if sha256 in self._seen:
            return False
        self._seen[sha256] = None
        if len(self._seen) > self._remember:
            self._seen.popitem(last=False)
        return True

    def _ended(self, event: Ended) -> list[Command]:
        alive = self._living.remove(event.token)
        if alive is None:
            return []
        return [Send((End(alive.execution, event.ended_us, event.uncertain),)), Forget(alive.execution)]

    def _swept(self, now: int) -> list[Command]:
        """What the run before left alive and the sweep did not meet has ended at some time in between."""
        gone, self._restored = tuple(self._restored.values()), {}
        if not gone:
            return []
        ends = tuple(End(start.execution, now, uncertain=True) for start in gone)
        return [Send(ends), *(Forget(start.execution) for start in gone)]

    def _answered(self, event: Answered, now: int) -> list[Command]:
        answer = event.answer
        commands: list[Command] = []
        if not self.connected:
            commands.append(Log("info", "the policy service answers"))
            self.connected = True
        low, high = HEARTBEAT_S
        self._heartbeat_us = min(max(answer.heartbeat_s, low), high) * SECOND
        self._beat_due = min(self._beat_due, now + self._heartbeat_us)
        for order in event.told:
            self._done.pop(order, None)
        for notice in answer.verdicts:
            commands += self._verdict(notice)
        for order_notice in answer.orders:
            commands += self._order(order_notice)
        if any(order.id in self._done for order in answer.orders):
            self._beat_due = min(self._beat_due, now + SECOND)
        return commands

    def _verdict(self, notice: VerdictNotice) -> list[Command]:
        commands: list[Command] = []
        if self.known.judged(notice):
            commands.append(TakeBack(notice.sha256))
        if notice.verdict is not VerdictWord.ALLOWED:
            return commands
        for alive in self._living.remove_content(notice.sha256):
            commands += [Unwatch(alive.token), Forget(alive.execution)]
        return commands

    def _order(self, order: OrderNotice) -> list[Command]:
        if order.id in self._taken:
            return []
        self._taken[order.id] = None
        if len(self._taken) > self._remember:
            self._taken.popitem(last=False)
        match order.action:
            case Action.RENEW_DHCP:
                return [RenewDhcp(order.id)]
            case Action.FORGET if order.sha256 is not None:
                self._finish(order.id)
                return [TakeBack(order.sha256)] if self.known.forget(order.sha256) else []
            case Action.FORGET:
                reason = "the order 'forget' names no executable"
            case _:
                reason = f"this agent only watches (operation notify); it cannot do '{order.action}'"
        self._finish(order.id, reason)
        return [Log("warning", f"order {order.id} refused: {reason}")]

    def _finish(self, order: str, refused: str | None = None) -> None:
        """Orders done at once are named in the next heartbeat, which is due now."""
        self._done[order] = refused
        self._beat_due = 0

    def _failed(self, reason: str) -> list[Command]:
        was, self.connected = self.connected, False
        return [] if was is False else [Log("warning", reason)]

    def _beat(self, now: int) -> Beat:
        self._beat_due = now + self._heartbeat_us
        done = tuple(order for order, refused in self._done.items() if refused is None)
        refused = tuple((order, why) for order, why in self._done.items() if why is not None)
        return Beat(done, refused)

    def _clock_went_back(self, now: int) -> bool:
        return self._beat_due - now > self._heartbeat_us

"""When to say what to the service: the one thread that waits for HTTP, so that no other has to.

Guarantees
- Reports go first, then signs of life; each is tried until it is acknowledged.
- A retry has the id of the first try, so that nothing is recorded twice; after a clock skew the offset is learned and
  the message made anew, with a new id.
- Failures wait longer and longer (`Backoff`), with jitter so that a fleet does not come back in one second. What is new
  (a new start, a changed network) is tried at once, but never more than twice in a second; a refusal waits its minute.
- A record that the service cannot take (400, 413, 422) is found by halving and set aside with the reason; it never blocks
  what comes after it.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from health_agent import uplink
from health_agent.clock import ServiceClock
from health_agent.contract import End, Execution, Heartbeat, Report, Signed
from health_agent.dialogue import Answered, Event, Failed
from health_agent.outbox import BATCH, Batch, Outbox
from health_agent.spool import SpoolError

UNFIT: Final = (400, 413, 422)
REFUSED_S: Final = 60.0
AT_ONCE_S: Final = 0.5


class Backoff:
    """Waiting times that double from `first` to `most` seconds, each between half and whole of itself."""

    def __init__(self, random: Callable[[], float], first: float = 0.2, most: float = 30.0) -> None:
        self._random = random
        self._first = first
        self._most = most
        self._next = first

    def wait(self) -> float:
        """How long to wait now, in seconds; the next time is longer."""
        now, self._next = self._next, min(self._next * 2, self._most)
        return now * (0.5 + self._random() / 2)

    def reset(self) -> None:
        self._next = self._first


BeatMaker = Callable[[str, int, int, tuple[str, ...], tuple[tuple[str, str], ...]], Heartbeat]
"""Makes a heartbeat from its id, clock and offset, and the orders done and refused."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the sender needs to make messages; `make_beat` makes a heartbeat of the orders done and refused."""

    host_id: str
    new_id: Callable[[], str]
    now_us: Callable[[], int]
    clock: ServiceClock
    make_beat: BeatMaker


class Sender(threading.Thread):
    """`tell` takes what the core must hear. `stop` ends the thread after at most the time given to it."""

    def __init__(
        self,
        link: uplink.Uplink,
        outbox: Outbox,
        envelope: Envelope,
        tell: Callable[[Event], None],
        backoff: Backoff,
    ) -> None:
        super().__init__(name="sender", daemon=True)
        self._link = link
        self._outbox = outbox
        self._envelope = envelope
        self._tell = tell
        self._backoff = backoff
        self._beat: tuple[tuple[str, ...], tuple[tuple[str, str], ...]] | None = None
        self._batch: Batch | None = None
        self._id = ""
        self._limit = BATCH
        self._not_before = 0.0
        self._last_try = 0.0
        self._patient = False
        self._until: float | None = None

    # -- for other threads -------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """There is something new to send."""
        self._outbox.filled.set()

    def beat(self, done: tuple[str, ...], refused: tuple[tuple[str, str], ...]) -> None:
        """A sign of life is due; a newer one takes the place of one that waits."""
        self._beat = (done, refused)
        self.wake()

    def network_changed(self) -> None:
        """Old connections are worth nothing now: try anew at once."""
        self._link.reset()
        self._not_before = 0.0
        self._backoff.reset()
        self.wake()

    def stop(self, flush_s: float) -> None:
        """Send what is there, but for no longer than this; then end."""
        self._until = time.monotonic() + flush_s
        self.wake()
        self.join(flush_s + 0.5)
        if self.is_alive():
            self._link.reset()
            self.join(2)

    # -- the thread --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        while True:
            self._outbox.filled.clear()
            if self._until is not None and (time.monotonic() >= self._until or not self._waiting()):
                break
            if not self._waiting():
                self._outbox.filled.wait()
            elif (delay := self._delay()) > 0:
                self._outbox.filled.wait(delay)
            else:
                self._last_try = time.monotonic()
                self._once()
        self._link.close()

    def _waiting(self) -> bool:
        return bool(self._batch or len(self._outbox) or self._beat)

    def _delay(self) -> float:
        """Seconds until the next try. A new start shortens it, except after a refusal."""
        now = time.monotonic()
        if self._until is not None:
            return min(max(self._not_before - now, 0), max(self._until - now, 0))
        soonest = self._not_before if self._patient else min(self._not_before, self._last_try + AT_ONCE_S)
        return max((soonest if len(self._outbox) else self._not_before) - now, 0)

    def _once(self) -> None:
        """Try to send the first thing that waits."""
        try:
            self._send_next()
        except uplink.ClockSkew as skew:
            self._skewed(skew)
        except uplink.NotReady:
            self._batch = None  # it is in memory now, and taken anew from there
        except uplink.Refused as refused:
            if refused.status in UNFIT and self._batch is not None:
                self._halve(refused)
                return
            self._later(str(refused), REFUSED_S)
            self._patient = True
        except (uplink.Unreachable, SpoolError) as error:
            self._later(str(error), self._backoff.wait())
        else:
            self._backoff.reset()
            self._not_before, self._patient = 0.0, False

    def _later(self, reason: str, seconds: float) -> None:
        self._not_before = time.monotonic() + seconds
        self._tell(Failed(reason))

    def _send_next(self) -> None:
        if self._batch is None and (batch := self._outbox.take(self._limit)):
            self._batch, self._id = batch, ""
        if self._batch is not None:
            self._report(self._batch)
        elif self._beat is not None:
            self._heartbeat(*self._beat)

    def _report(self, batch: Batch) -> None:
        now = self._envelope.now_us()
        self._exchange(
            Report(
                host_id=self._envelope.host_id,
                id=self._message_id(),
                clock_us=now,
                offset_us=self._envelope.clock.offset_us,
                executions=tuple(item for item in batch.items if isinstance(item, Execution)),
                ends=tuple(item for item in batch.items if isinstance(item, End)),
                spooled_us=max(now - batch.oldest_us, 0),
            ),
            ready=lambda: self._outbox.settled_on_disk(batch),
        )
        self._outbox.settle(batch)
        self._batch, self._id = None, ""
        self._limit = min(self._limit * 2, BATCH)

    def _heartbeat(self, done: tuple[str, ...], refused: tuple[tuple[str, str], ...]) -> None:
        beat = self._envelope.make_beat(
            self._envelope.new_id(), self._envelope.now_us(), self._envelope.clock.offset_us, done, refused
        )
        sent = self._beat
        self._exchange(beat, (*done, *(order for order, _ in refused)))
        if self._beat is sent:
            self._beat = None

    def _exchange(self, message: Signed, told: tuple[str, ...] = (), ready: Callable[[], bool] = lambda: True) -> None:
        answer = self._link.send(message, ready)
        self._envelope.clock.learn(message.clock_us, self._envelope.now_us(), answer.service_us)
        self._tell(Answered(answer, told))

    def _message_id(self) -> str:
        """The id of the report under way: the same in every retry of the same batch."""
        self._id = self._id or self._envelope.new_id()
        return self._id

    def _skewed(self, skew: uplink.ClockSkew) -> None:
        """Take the service's time and make the message anew, at once; if that does not help, wait as for any failure."""
        self._id = ""
        now = self._envelope.now_us()
        if not self._envelope.clock.learn(now, now, skew.service_us):
            self._later(str(skew), self._backoff.wait())

    def _halve(self, refused: uplink.Refused) -> None:
        batch, self._batch, self._id = self._batch, None, ""
        if batch is None:
            return
        if len(batch.items) > 1:
            self._limit = max(len(batch.items) // 2, 1)
            return
        self._outbox.refuse(batch, str(refused))
        self._tell(Failed(f"one record was set aside: {refused}"))

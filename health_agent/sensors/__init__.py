"""How executions are seen: the interface, and the choice of a sensor.

A sensor tells through `emit`, from its own thread, what `dialogue.py` calls `Started`, `Ended` and `Swept`; it never waits
for whoever listens. It does not judge; what `known` covers it may leave out.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from health_agent import contract
from health_agent.dialogue import Event


class SensorError(Exception):
    """A sensor cannot work here; the message says why."""


class Sensor(Protocol):
    """`watch_s`, the least time for which a program must live to be seen for certain, is 0 for one that misses none."""

    kind: contract.Sensor

    def run(self) -> None:
        """Watch until stopped; the body of a thread. First what is alive already, then `Swept`, meanwhile all new starts."""
        ...

    def unwatch(self, token: int) -> None:
        """The end of this start is of no interest (any more). From any thread."""
        ...

    def stop(self) -> None:
        """End `run`. From any thread."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every sensor is given. `emit` takes events that were seen together, oldest first; `known` says of a SHA-256 whether its start needs no report; `counts` is what the
    heartbeat tells as lost or odd, by name; `now_us` is this endpoint's clock."""

    emit: Callable[[Sequence[Event]], None]
    known: Callable[[str], bool]
    now_us: Callable[[], int]
    counts: Counter[str]


@dataclass(frozen=True, slots=True)
class Choice:
    sensor: Sensor
    reason: str


def choose(paths: list[str], wanted: str, around: Surroundings, interval_s: float = 1.0) -> Choice:
    """The best sensor that works here, or the wanted one. `paths` empty: everything local. Raises SensorError."""
    from health_agent.sensors.fanotify import FanotifySensor
    from health_agent.sensors.polling import PollingSensor

    if wanted == "polling":
        return Choice(PollingSensor(paths, around, interval_s), "polling, as asked for")
    try:
        return Choice(FanotifySensor(paths, around), "fanotify: every start is seen, through its own descriptor")
    except SensorError as error:
        if wanted == "fanotify":
            raise
        reason = f"polling every {interval_s:g} s, because {error}; a program that lives for less is found only by luck"
        return Choice(PollingSensor(paths, around, interval_s), reason)

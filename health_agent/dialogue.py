"""What is said between the core and its shell: events go in, commands come out. Values alone; nothing here decides."""

from dataclasses import dataclass

from health_agent.contract import Answer, End, Execution, Kind, Program

# -- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    """The sensor saw a start. `token` is its name for it (unique in one run); `birth` see `processes.py`.

    `sha256` is None where the content could not be read.
    """

    token: int
    path: str
    pid: int
    birth: int
    started_us: int
    sha256: str | None
    size: int | None = None
    kind: Kind = Kind.OTHER
    user: str | None = None
    parents: tuple[Program, ...] = ()
    interpreter: Program | None = None
    alive_at_start: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    token: int
    ended_us: int
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Swept:
    """The sensor has told of everything that was alive when it started."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The service answered; `told` are the orders that our message had named as done or refused."""

    answer: Answer
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A message could not be delivered; `reason` is a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class OrderDone:
    """An order was carried out, or refused for the reason given."""

    order: str
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class BaselineRead:
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """This endpoint was plugged in elsewhere, as far as the switch says."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = Started | Ended | Swept | Answered | Failed | OrderDone | BaselineRead | Located | Tick


# -- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """Put these on disk, then on the wire."""

    items: tuple[Execution | End, ...]


@dataclass(frozen=True, slots=True)
class Beat:
    """Tell the service that we live, and which orders are done or refused (id → why)."""

    done: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Unwatch:
    """The end of this start is of no interest (any more)."""

    token: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A reported start whose end is not known yet; kept over a restart of the agent."""

    execution: str
    pid: int
    birth: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Remember:
    start: Restored


@dataclass(frozen=True, slots=True)
class Forget:
    execution: str


@dataclass(frozen=True, slots=True)
class RenewDhcp:
    order: str


@dataclass(frozen=True, slots=True)
class TakeBack:
    """The baseline on disk must lose this content, or it would be known again after a restart."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Log:
    level: str
    text: str


Command = Send | Beat | Unwatch | Remember | Forget | RenewDhcp | TakeBack | Log

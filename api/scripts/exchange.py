"""What the shipped scripts share: an event on standard input, one sentence as the answer, and what exit codes mean.

0: done, and a sentence on standard output says what. Else a sentence on standard error: 1 = it is not done and will not
be (refused, or no event), 75 = not now, worth another try (EX_TEMPFAIL), 78 = the configuration cannot be used
(EX_CONFIG; both of sysexits.h).
"""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

from api.alerts import devices
from api.alerts.devices import BadDevices, NotNow, Unsafe

DOWN: Final = frozenset({"moved", "unknown_ran", "denied_ran", "held"})
"""Events after which a host may have to go."""
UP: Final = frozenset({"released"})
CUT_OFF: Final = frozenset({"remediation", "blocked"})
"""Access that means it: `moved` to anything else is no reason."""
_MOST: Final = 1 << 20

NOT_DONE: Final = 1
NOT_NOW: Final = 75
CONFIGURATION: Final = 78


class Refused(Exception):
    """It is not done, and the message says why."""


def read() -> dict[str, Any]:
    """The event. Raises ValueError where standard input is none."""
    told = json.loads(sys.stdin.buffer.read(_MOST))
    if not isinstance(told, dict):
        raise ValueError("an event is a JSON object")
    return told


def answer(program: str, act: Callable[[dict[str, Any]], Coroutine[Any, Any, str]]) -> int:
    """Do `act` for the event, say how it ended, and give the exit code."""

    async def kept(told: dict[str, Any]) -> str:
        async with devices.keeping():
            return await act(told)

    try:
        print(asyncio.run(kept(read())))
    except (Refused, Unsafe) as error:
        return failed(program, f"refused: {error}", NOT_DONE)
    except (ValueError, TypeError) as error:
        return failed(program, f"this is no event: {error}", NOT_DONE)
    except NotNow as error:
        return failed(program, f"not now: {error}", NOT_NOW)
    except BadDevices as error:
        return failed(program, f"its configuration cannot be used: {error}", CONFIGURATION)
    return 0


def failed(program: str, sentence: str, code: int) -> int:
    """Say it on standard error; the exit code."""
    print(f"{program}: {sentence}", file=sys.stderr)
    return code

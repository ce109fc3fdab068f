"""How a story is told: step by step with measured times, in colour on a terminal, as plain lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import Final, TextIO

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule

from lab.fabric import FabricError
from lab.policy import PolicyError
from lab.processes import Died
from lab.site import NotInTime
from lab.switch.control import NoAnswer

WIDTH: Final = 78
EXPECTED: Final = (FabricError, PolicyError, Died, NotInTime, NoAnswer)
"""What can go wrong with a site; anything else is a defect of ours."""


class Narrator:
    """Lines go to standard output, or to standard error where standard output is for a JSON object."""

    def __init__(self, *, json_only: bool = False) -> None:
        stream: TextIO = sys.stderr if json_only else sys.stdout
        self._console = Console(file=stream, highlight=False, width=None if stream.isatty() else WIDTH)
        self._fancy = stream.isatty()
        self._begun = time.monotonic()

    def title(self, text: str) -> None:
        if self._fancy:
            self._console.print(Rule(f"[bold]{escape(text)}"))
        else:
            self._console.print(f"== {text}", markup=False)

    def say(self, text: str, ms: float | None = None) -> None:
        """One line; `ms` is what was measured."""
        since = f"{time.monotonic() - self._begun:5.1f} s"
        measured = f"{ms:,.1f} ms" if ms is not None else ""
        if self._fancy:
            tail = f"  [bold green]{measured}[/]" if measured else ""
            self._console.print(f"[dim]{since}[/]  {escape(text)}{tail}")
        else:
            self._console.print(
                f"{since}  {text}" + (f"  [{measured}]" if measured else ""), markup=False, soft_wrap=True
            )

    def plain(self, text: str) -> None:
        """A line without a time."""
        self._console.print(text, markup=False, soft_wrap=True)

    def failed(self, step: str, reason: str) -> None:
        if self._fancy:
            self._console.print(f"[bold red]It failed at: {escape(step)}[/]\n{escape(reason)}")
        else:
            self._console.print(f"It failed at: {step}\n{reason}", markup=False, soft_wrap=True)

    def step(self, name: str) -> "Step":
        """A context: what fails inside is a `StoryFailed` that names this step."""
        return Step(name)


class StoryFailed(Exception):
    """A story did not go as it should: `step` names where, `reason` says what happened instead."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{step}: {reason}")
        self.step, self.reason = step, reason


class Step:
    """Names the step in which an expected kind of failure happens. Defects keep their own type and traceback."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, EXPECTED):
            raise StoryFailed(self._name, str(error)) from error

"""The mutants of the pure cores that no test notices, with the reason why each may live (`survivors.toml`)."""

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
LEAST: Final = 0.85
"""The part of the mutants that the tests have to notice, in all and in each module."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """Mutants whose name fits `name` (a pattern of mutmut's names without the number) and whose changed code has `code`."""

    name: str
    code: str
    reason: str

    @property
    def file(self) -> str:
        """The file of the module, from the root."""
        return self.name.rpartition(".")[0].replace(".", "/") + ".py"

    @property
    def function(self) -> str:
        """The function as people call it: mutmut writes `x__first` for `_first` and `x*Core*_order` for `Core._order`."""
        return self.name.rpartition(".")[2].removeprefix("x_").removeprefix("x*").replace("*", ".", 1)

    def is_of(self, mutant: str, changed: str) -> bool:
        """Whether a mutant with this name and this changed code is meant."""
        return fnmatchcase(mutant.rpartition("__mutmut_")[0], self.name) and self.code in changed


@dataclass(frozen=True, slots=True)
class Listed:
    """What `survivors.toml` holds: the figures of the run it was made from, and what survived."""

    mutants: int
    killed: int
    survivors: tuple[Survivor, ...]


def listed() -> Listed:
    """The file `survivors.toml`."""
    text: dict[str, Any] = tomllib.loads(Path(__file__).with_name("survivors.toml").read_text(encoding="utf-8"))
    lines = tuple(Survivor(name, line["code"], line["reason"]) for line in text["survivor"] for name in line["names"])
    return Listed(text["mutants"], text["killed"], lines)

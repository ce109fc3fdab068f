"""Where things stand in a TOML text: line and column of every key and value, for messages about wrong rules.

`positions(text)` maps a path of keys (table arrays by index: `("rule", 0, "when", "signer.state")`) to the place of
the key and of its value. The text must have passed `tomllib` before; this only finds, it checks nothing.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """Counted from 1, as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an entry of the text has its key and where its value."""

    key: Position
    value: Position


_SPACE: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BLANK: Final = re.compile(r"[ \t]*")
_KEY: Final = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'([^\'\n]*)\'|([A-Za-z0-9_-]+)')
_STRING: Final = re.compile(r'"""(?:[^\\]|\\.)*?"""+|\'\'\'.*?\'\'\'+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
_BARE: Final = re.compile(r"[^,\]}\n#]+")


class _Scan:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.found: dict[Path, Spot] = {}
        self.counts: dict[Path, int] = {}
        self.starts = [0, *(m.end() for m in re.finditer("\n", text))]

    def position(self, at: int) -> Position:
        line = bisect_right(self.starts, at)
        return Position(line, at - self.starts[line - 1] + 1)

    def skip(self, pattern: re.Pattern[str]) -> None:
        if match := pattern.match(self.text, self.at):
            self.at = match.end()

    def keys(self) -> tuple[str, ...]:
        out: list[str] = []
        while match := _KEY.match(self.text, self.at):
            out.append(next(group for group in match.groups() if group is not None))
            self.at = match.end()
            self.skip(_BLANK)
            if self.text[self.at : self.at + 1] != ".":
                break
            self.at += 1
            self.skip(_BLANK)
        return tuple(out)

    def document(self) -> dict[Path, Spot]:
        table: Path = ()
        while True:
            self.skip(_SPACE)
            if self.at >= len(self.text):
                return self.found
            before = self.at
            table = self.header() if self.text[self.at] == "[" else self.pair(table)
            if self.at == before:
                return self.found

    def header(self) -> Path:
        start = self.position(self.at)
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        self.skip(_BLANK)
        keys = self.keys()
        self.skip(_BLANK)
        self.at += 2 if array else 1
        path: Path = ()
        for index, key in enumerate(keys):
            path = (*path, key)
            if array and index == len(keys) - 1:
                self.counts[path] = self.counts.get(path, 0) + 1
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        self.found.setdefault(path, Spot(start, start))
        return path

    def pair(self, table: Path) -> Path:
        start = self.position(self.at)
        keys = self.keys()
        self.skip(_BLANK)
        self.at += 1
        self.skip(_BLANK)
        path = (*table, *keys)
        self.found[path] = Spot(start, self.position(self.at))
        self.value(path)
        return table

    def value(self, path: Path) -> None:
        first = self.text[self.at : self.at + 1]
        if first in ("[", "{"):
            self.at += 1
            index = 0
            while self.at < len(self.text):
                self.skip(_SPACE)
                if self.text[self.at : self.at + 1] in ("]", "}", ","):
                    self.at += 1
                    if self.text[self.at - 1] != ",":
                        return
                elif first == "[":
                    here = self.position(self.at)
                    self.found[(*path, index)] = Spot(here, here)
                    self.value((*path, index))
                    index += 1
                else:
                    self.pair(path)
        elif match := (_STRING.match(self.text, self.at) or _BARE.match(self.text, self.at)):
            self.at = match.end()
        else:
            self.at += 1


def positions(text: str) -> dict[Path, Spot]:
    """The place of every key of a valid TOML text."""
    return _Scan(text).document()

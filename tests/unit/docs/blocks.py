"""Code blocks of the documentation, and command lines as the real parsers read them.

A `console` block is run: a line that begins with `$ ` is a command, the lines after it are what it prints, where `…` stands for any
text and alone on a line for any lines. Commands in a `sh` block are parsed by the real command's parser and not run. A block with
`title="NAME"` is a file that later commands read.
"""

import contextlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docs.pages.commands import parsers
from pratique.__main__ import WORDS

ROOT = Path(__file__).resolve().parents[3]
_BLOCK = re.compile(r"^( *)```(\w+)([^\n]*)\n(.*?)^\1```\s*$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    title: str = ""


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found = []
    for indent, language, rest, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        title = _TITLE.search(rest)
        lines = [line.removeprefix(indent) for line in text.splitlines()]
        found.append(Block(language, "\n".join(lines), title[1] if title else ""))
    return found


def joined(text: str) -> list[str]:
    """The lines, those that end with a backslash with their next one."""
    return re.sub(r"\\\n\s*", "", text).splitlines()


def command_lines(block: Block) -> list[str]:
    """What a person types, without prompts and comments."""
    if block.language == "console":
        return [line[2:] for line in joined(block.text) if line.startswith("$ ")]
    return [line for line in joined(block.text) if line.strip() and not line.lstrip().startswith("#")]


def programs(line: str) -> list[list[str]]:
    """The words of each program in a pipe, without `sudo`, what is set before, and where output goes."""
    found: list[list[str]] = [[]]
    words = iter(shlex.split(line, comments=True))
    for word in words:
        if word == "|":
            found.append([])
        elif word in (">", ">>", "<"):
            next(words)
        else:
            found[-1].append(word)
    return [_bare(words) for words in found]


def _bare(words: list[str]) -> list[str]:
    while words and (words[0] == "sudo" or re.fullmatch(r"[A-Z_]+=.*", words[0])):
        words = words[1:]
    return words


class NotParsed(Exception):
    """The real parser does not take this command line; the message says why."""


def parse(words: list[str]) -> None:
    """Have `pratique WORD …` read by its own parser. Raises NotParsed."""
    word, *rest = words
    if word not in WORDS:
        if word.startswith("--"):
            return
        raise NotParsed(f"there is no word {word!r}")
    parser = parsers(word)
    if parser is None:
        raise NotParsed(f"{word!r} is not in this release")
    if "--help" in rest:
        return
    try:
        with contextlib.redirect_stderr(None):
            _typer(parser, word, rest) if hasattr(parser, "make_context") else parser.parse_args(rest)
    except SystemExit as error:
        raise NotParsed(f"{' '.join(words)}: refused") from error
    except Exception as error:
        raise NotParsed(f"{' '.join(words)}: {getattr(error, 'message', '') or error}") from error


def _typer(command: Any, name: str, words: list[str]) -> None:
    context = command.make_context(name, list(words))
    if hasattr(command, "commands"):
        _, below, rest = command.resolve_command(context, [*getattr(context, "_protected_args", ()), *context.args])
        _typer(below, below.name or "", rest)


def pages() -> list[Path]:
    """The pages whose commands people type."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("tutorial/*.md")), *sorted((ROOT / "docs").glob("how-to/*.md")),
            ROOT / "CONTRIBUTING.md"]  # fmt: skip

"""The page of the commands: what `--help` says of every word, from the parsers themselves.

A word that this release does not answer yet stands in the list with that remark. Nothing here reads the terminal's
width, this machine's name or its environment.
"""

import argparse
import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any, Final

import typer

from api.cli import WORDS as SERVER_WORDS
from docs.pages import table
from pratique.__main__ import WORDS

SHARED: Final = {
    "--config": "the configuration file (default: `PRATIQUE_CONFIG`, `./pratique.toml`, `/etc/pratique/pratique.toml`)",
    "--database": "the database's URL, instead of the configuration's",
    "--json": "print JSON",
    "--why": "why, for the audit and the console (`--reason` is the same)",
}
"""Options that mean the same wherever they stand; they are explained once."""


def parsers(word: str) -> Any:
    """The parser that answers a word: a click command (typer) or an argparse parser; None where the word has no module yet."""
    module = WORDS[word][0]
    if module == "api.cli":
        name = SERVER_WORDS.get(word, "")
        if not name or importlib.util.find_spec(name) is None:
            return None
        return typer.main.get_command(importlib.import_module(name).app)
    return importlib.import_module(module)._parser()


def page() -> str:
    """The whole page."""
    rows = ((f"[`{word}`](#{_anchor(word)})", line) for word, (_, _, line) in WORDS.items())
    shared = table(("option", "meaning"), ((f"`{name}`", text) for name, text in SHARED.items()))
    parts = "\n\n".join(_word(word) for word in WORDS)
    return f"""# Commands

`pratique WORD …`. Exit code 0: done. 1: it could not be done, one sentence on standard error says why. 2: the command
line makes no sense. The server's words work on the database directly, as the user who may read it, and ring the
running service; the audit names them `cli:LOGIN`.

{table(("word", "what it is for"), rows)}

These options mean the same everywhere:

{shared}

{parts}
"""


def _anchor(word: str) -> str:
    return f"pratique-{word}"


def _word(word: str) -> str:
    parser = parsers(word)
    head = f"## pratique {word}\n\n"
    if parser is None:
        return head + f"{WORDS[word][2]}. Not in this release yet."
    described = _argparse(parser) if isinstance(parser, argparse.ArgumentParser) else _typer(parser, f"pratique {word}")
    return head + "\n\n".join(described)


# ---- typer


def _typer(command: Any, name: str, parent: Any = None) -> Iterator[str]:
    context = command.context_class(command, info_name=name, parent=parent)
    if hasattr(command, "commands"):
        yield f"{command.help}"
        for below in command.list_commands(context):
            yield f"### {name} {below}"
            yield from _typer(command.commands[below], below, context)
        return
    yield f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```"
    yield " ".join((command.help or "").split())
    yield from _described(_records(command, context))
    if also := [f"`{name}`" for name in SHARED if name in _names(command)]:
        yield f"Also: {', '.join(also)}."


def _records(command: Any, context: Any) -> list[tuple[str, str]]:
    records = []
    for parameter in command.params:
        if set(parameter.opts) & set(SHARED):
            continue
        record = parameter.get_help_record(context)
        if record is not None:
            records.append(record)
        elif parameter.param_type_name == "argument" and not parameter.hidden:
            records.append((parameter.name.upper(), parameter.help or ""))
    return records


def _names(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}


# ---- argparse


def _argparse(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help for choice in action._choices_actions}
            for name, below in action.choices.items():
                yield f"### {parser.prog} {name}"
                yield f"```text\n{parser.prog} {name} {_usage(below)}\n```"
                yield f"{(helps.get(name) or '').capitalize()}."
                yield from _described(_actions(below))


def _usage(parser: argparse.ArgumentParser) -> str:
    arguments = (action for action in parser._actions if not action.option_strings)
    shown = (f"[{action.metavar}]" if action.nargs == "?" else str(action.metavar) for action in arguments)
    return " ".join(("[OPTIONS]", *shown))


def _actions(parser: argparse.ArgumentParser) -> list[tuple[str, str]]:
    records = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        name = ", ".join(action.option_strings) or str(action.metavar)
        if action.option_strings and action.nargs != 0:
            choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
            name += f" {choices or action.metavar or action.dest.upper()}"
        choices = (
            "" if action.option_strings or not action.choices else f"; one of: {', '.join(map(str, action.choices))}"
        )
        records.append((name, (action.help or "") + choices))
    return records


def _described(records: list[tuple[str, str]]) -> Iterator[str]:
    if records:
        yield table(("argument", "meaning"), ((f"`{name}`", text) for name, text in records))

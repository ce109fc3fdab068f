"""The server's commands: `pratique WORD …`. Only the module of the word that was said is imported.

Guarantees: exit code 0 done, 1 it could not be done (one sentence on stderr, no traceback), 2 the command line made no
sense. What an admin command does, it does on the database directly, by the functions that the REST API uses.
"""

import importlib
import sys
from typing import Final

WORDS: Final[dict[str, str]] = {
    "serve": "api.cli.serve",
    "allow": "api.cli.allow",
    "deny": "api.cli.deny",
    "host": "api.cli.host",
    "nas": "api.cli.nas",
    "user": "api.cli.user",
    "enrol-token": "api.cli.enrol_token",
    "api-token": "api.cli.api_token",
    "mode": "api.cli.mode",
    "tool": "api.cli.tool",
    "pause": "api.cli.pause",
    "setting": "api.cli.setting",
    "database": "api.cli.database",
    "config": "api.cli.config",
    "audit": "api.cli.audit",
    "policy": "api.cli.policy",
    "why": "api.cli.why",
    "report": "api.cli.report",
    "history": "api.cli.history",
    "alert": "api.cli.alert",
    "script": "api.cli.script",
    "trip": "api.cli.trip",
}
"""Word → the module whose `app` (typer) answers it."""


def main(argv: list[str] | None = None) -> int:
    """Answer `argv` (the word first). Returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] not in WORDS:
        known = ", ".join(WORDS)
        print(f"pratique: say one of: {known}", file=sys.stderr)
        return 2
    word, *rest = arguments
    name = WORDS[word]
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        print(f"pratique: {word!r} is not in this version yet", file=sys.stderr)
        return 2
    from api.expected import expected

    try:
        module.app(args=rest, prog_name=f"pratique {word}")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KeyboardInterrupt:
        return 130
    except expected() as error:
        print(f"pratique: {error}", file=sys.stderr)
        return 1
    return 0

"""The command: a lazy table from words to the modules that answer them.

It imports nothing until it is asked, so `pratique --version` costs hardly more than Python's own start, and an
endpoint that has only the agent's four dependencies can run `pratique agent` beside words it has no packages for.
"""

import atexit
import gc
import sys
from typing import Final

from pratique import __version__

Answer = tuple[str, str, str]
"""The module that answers, the extra its packages come with ('' = the base), and one line of help."""

WORDS: Final[dict[str, Answer]] = {
    "serve": ("api.cli", "server", "run the policy service: API and RADIUS"),
    "allow": ("api.cli", "server", "the allow list: add, remove, list, scan, undo"),
    "deny": ("api.cli", "server", "the deny list: add, remove, list, undo"),
    "host": ("api.cli", "server", "endpoints: list, show, clear, quarantine, release"),
    "why": ("api.cli", "server", "the chain of reasons behind a host's or an executable's state"),
    "report": ("api.cli", "server", "what was new on a day, who ran it in a window, how it spread"),
    "policy": ("api.cli", "server", "grace rules: show, edit, check, test, backtest"),
    "mode": ("api.cli", "server", "learn, monitor or enforce; per site or group"),
    "tool": ("api.cli", "server", "tool roles of inventoried programs: list, confirm, remove"),
    "pause": ("api.cli", "server", "stop all automatic moves at once, or go on"),
    "nas": ("api.cli", "server", "switches, access points and controllers"),
    "user": ("api.cli", "server", "people who may log in"),
    "enrol-token": ("api.cli", "server", "a one-time token that enrols an endpoint"),
    "api-token": ("api.cli", "server", "tokens for the REST API"),
    "alert": ("api.cli", "server", "urgent alerts: list, acknowledge; try a channel"),
    "trip": ("api.cli", "server", "breaker trips: list, allow, deny, quarantine all, keep holding"),
    "script": ("api.cli", "server", "scripts that events run: list, show, test, and how their runs ended"),
    "setting": ("api.cli", "server", "the settings kept in the store"),
    "history": ("api.cli", "server", "load recorded process starts"),
    "audit": ("api.cli", "server", "who did what, and whether the record of it is whole"),
    "database": ("api.cli", "server", "migrate or inspect the database"),
    "config": ("api.cli", "server", "show or check pratique.toml"),
    "agent": ("health_agent.cli", "", "the endpoint agent: enrol, learn, run, status"),
    "lab": ("lab.cli", "server,lab", "a small site to see it work, and its stories"),
}


def usage() -> str:
    width = max(map(len, WORDS))
    lines = [f"  {word:{width}}  {help_}" for word, (_, _, help_) in WORDS.items()]
    return "usage: pratique WORD ...      (pratique WORD --help tells more)\n\n" + "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Answer a command line; the exit code is 0 for done, 1 for failed, 2 for a command line that makes no sense."""
    # A start makes many objects and frees few: looking for garbage every 700 of them, and once more at the end, would
    # be a quarter of what a short command costs.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] in ("--version", "-V"):
        print(f"pratique {__version__}")
        return 0
    word = arguments[0]
    if word not in WORDS:
        import difflib

        near = difflib.get_close_matches(word, WORDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`pratique --help` lists the words"
        print(f"pratique: there is no word {word!r}; {hint}", file=sys.stderr)
        return 2
    module, extra, _ = WORDS[word]
    import importlib

    try:
        answering = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not extra or error.name is None or error.name.split(".")[0] == module.split(".")[0]:
            raise
        print(
            f"pratique: {word!r} needs the package {error.name!r}, which is not installed here; "
            f"it comes with: pip install 'pratique[{extra}]'",
            file=sys.stderr,
        )
        return 1
    # The server's words share one program, so it is told which word was said; the other programs know theirs.
    said = arguments if module == "api.cli" else arguments[1:]
    code = answering.main(said)
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
